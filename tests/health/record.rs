//! `phc-health record`: what comes through a pipe is kept, and what is wrong with it is named.

use tests::{Ended, Sandbox};

use crate::{component, finished, hours_ago};

fn adopted() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    sandbox
}

fn record(sandbox: &Sandbox, lines: &[String]) -> Ended {
    let input = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    sandbox.run("phc-health").args(["record", "-"]).stdin(input).end()
}

#[test]
fn a_run_that_ended_well_makes_its_cloud_ok() {
    let sandbox = adopted();
    let novel = r#"{"specversion":"1.0","id":"1","source":"/elsewhere","type":"novel.kind","novel":{"a":1}}"#;
    let event = finished("scans", "done", &hours_ago(0)).to_string();
    record(&sandbox, &[novel.to_owned(), event]).ok();
    let cloud = component(&sandbox.status(), "ingest.scans").clone();
    assert_eq!((&cloud["state"], &cloud["message"]), (&"ok".into(), &"done".into()));
    assert_eq!(cloud["figures"]["files"], 3);
    assert_eq!(cloud["figures"]["stored"], serde_json::Value::Null, "not told is not 0");
}

#[test]
fn a_run_that_did_not_is_told_by_the_exit_code_too() {
    for (outcome, state) in [("partial", "warn"), ("refused", "critical"), ("failed", "critical")] {
        let sandbox = adopted();
        record(&sandbox, &[finished("scans", outcome, &hours_ago(0)).to_string()]).with(1);
        assert_eq!(component(&sandbox.status(), "ingest.scans")["state"], state, "{outcome}");
    }
}

#[test]
fn an_older_run_does_not_replace_a_newer_one_and_a_success_outlives_failures() {
    let sandbox = adopted();
    let (success, failure) = (hours_ago(2), hours_ago(1));
    record(&sandbox, &[finished("scans", "done", &success).to_string()]).ok();
    record(&sandbox, &[finished("scans", "failed", &failure).to_string()]).with(1);
    record(&sandbox, &[finished("scans", "done", &hours_ago(3)).to_string()]).ok();
    let cloud = component(&sandbox.status(), "ingest.scans").clone();
    assert_eq!(cloud["state"], "critical");
    assert_eq!((&cloud["last_success"], &cloud["last_run"]), (&success.into(), &failure.into()));
}

#[test]
fn a_dry_run_leaves_nothing_behind() {
    let sandbox = adopted();
    let mut event = finished("scans", "done", &hours_ago(0));
    event["data"]["dry_run"] = true.into();
    record(&sandbox, &[event.to_string()]).ok();
    assert_eq!(sandbox.status()["components"].as_array().unwrap().len(), 2);
}

#[test]
fn a_line_that_is_no_event_is_named_and_the_rest_is_kept() {
    let sandbox = adopted();
    let event = finished("scans", "done", &hours_ago(0));
    let mut foreign = event.clone();
    foreign["source"] = "/phc/other/sam/ingest".into();
    let mut shapeless = event.clone();
    shapeless["data"] = serde_json::json!({"outcome": "well"});
    let huge = format!(r#"{{"specversion":"1.0","id":"{}"}}"#, "x".repeat(200_000));
    let bad = ["no JSON".to_owned(), foreign.to_string(), shapeless.to_string(), huge];
    for line in &bad {
        let lines = [
            r#"{"specversion":"1.0","id":"1","source":"/x","type":"t"}"#.to_owned(),
            line.clone(),
            event.to_string(),
        ];
        let ended = record(&sandbox, &lines).refused(1, &["line 2", "[event-invalid]"]);
        assert_eq!(ended.events_of("phc.health.problem.reported").len(), 1);
        assert_eq!(component(&sandbox.status(), "ingest.scans")["state"], "ok");
    }
    let ended = record(&adopted(), &bad).with(2);
    assert_eq!(ended.stderr.lines().count(), bad.len());
}

#[test]
fn a_pipe_without_an_outcome_is_never_a_success() {
    for lines in
        [&[][..], &[r#"{"specversion":"1.0","id":"1","source":"/x","type":"t"}"#.to_owned()]]
    {
        record(&adopted(), lines).refused(4, &["ended without telling how"]);
    }
}

#[test]
fn a_file_of_events_is_read_as_well() {
    let sandbox = adopted();
    let path = sandbox.write("events.jsonl", finished("scans", "done", &hours_ago(0)).to_string());
    sandbox.run("phc-health").arg("record").arg(&path).end().ok();
    assert_eq!(component(&sandbox.status(), "ingest.scans")["state"], "ok");
    sandbox.run("phc-health").args(["record", "missing"]).end().refused(2, &["missing"]);
}
