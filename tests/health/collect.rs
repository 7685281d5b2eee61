//! `phc-health collect`: the status arrives where it belongs and tells what is.

use tests::{Sandbox, schemas};

use crate::{ONE_CLOUD, component, finished, hours_ago, kept};

#[test]
fn without_a_space_the_status_stays_in_the_state() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run("phc-health").arg("collect").end();
    let ended = ended.refused(75, &["nobody said where space is", "phc-mount adopt"]);
    let status = ended.event("phc.health.device.judged").data;
    assert_eq!(status, kept(&sandbox));
    assert_eq!(component(&status, "mount.space")["state"], "unknown");
    assert_eq!(status["overall"], "unknown");
    assert!(!sandbox.space().join("devices").exists(), "something was written to the bare folder");
}

#[test]
fn with_a_space_the_status_lies_there_too_and_is_as_its_schema_says() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    let ended = sandbox.run("phc-health").arg("collect").end().ok();
    assert_eq!(ended.stderr, "");
    let status = sandbox.status();
    schemas::hold(&schemas::named("status"), &status);
    assert_eq!(status, kept(&sandbox));
    assert_eq!(status, ended.event("phc.health.device.judged").data);
    assert_eq!((&status["host"], &status["user"]), (&"bench".into(), &"sam".into()));
    assert_eq!(component(&status, "spool")["state"], "ok");
    assert!(component(&status, "mount.space")["figures"]["free_bytes"].is_u64());
}

#[test]
fn a_space_that_is_another_one_gets_nothing() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    let sentinel = sandbox.space().join(".phc-space.json");
    let text = std::fs::read_to_string(&sentinel).unwrap();
    let id = serde_json::from_str::<serde_json::Value>(&text).unwrap()["id"].clone();
    let other = "11111111-2222-4333-8444-555555555555";
    std::fs::write(&sentinel, text.replace(id.as_str().unwrap(), other)).unwrap();

    let ended = sandbox.run("phc-health").arg("collect").end();
    ended.refused(75, &["[space-foreign]"]);
    assert_eq!(component(&kept(&sandbox), "mount.space")["state"], "critical");
    assert!(!sandbox.space().join("devices").exists());
}

#[test]
fn a_folder_of_another_machine_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    let card = r#"{"schema":1,"id":"11111111-2222-4333-8444-555555555555","machine":"another","created":"2026-01-01T00:00:00Z"}"#;
    sandbox.write("space/devices/bench/sam/_device.json", card);
    sandbox.run("phc-health").arg("collect").end().refused(3, &["[device-taken]", "--host"]);
    assert!(!sandbox.device().join("_status.json").exists());
    assert!(!sandbox.device().join("_spool").exists());
}

#[test]
fn a_cloud_is_judged_from_its_first_day_on() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    sandbox.configure(ONE_CLOUD);
    sandbox.run("phc-health").arg("collect").end().ok();
    let never = component(&sandbox.status(), "ingest.scans").clone();
    assert_eq!((&never["state"], &never["last_run"]), (&"warn".into(), &serde_json::Value::Null));

    let folder = "home/.local/state/phc/devices/bench/sam/ingest/scans";
    for (name, hours) in [("last-run.json", 1), ("last-success.json", 40)] {
        let outcome = if hours == 1 { "deferred" } else { "done" };
        let event = finished("scans", outcome, &hours_ago(hours));
        sandbox.write(&format!("{folder}/{name}"), serde_json::json!({"event": event}).to_string());
    }
    sandbox.run("phc-health").arg("collect").end().ok();
    let overdue = component(&sandbox.status(), "ingest.scans").clone();
    assert_eq!(overdue["problems"][0]["code"], "overdue");
    assert_eq!(overdue["figures"]["files"], 3);
    assert_eq!(overdue["since"], never["since"], "it was a warning before and is one now");

    sandbox.write(&format!("{folder}/last-run.json"), "torn");
    sandbox.run("phc-health").arg("collect").end().ok();
    assert_eq!(component(&sandbox.status(), "ingest.scans")["state"], "unknown");

    sandbox.configure(&format!("{ONE_CLOUD}enabled = false\n"));
    sandbox.run("phc-health").arg("collect").end().ok();
    assert_eq!(sandbox.status()["components"].as_array().unwrap().len(), 2);
}

#[test]
fn only_news_go_into_the_spool() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    let segments = || {
        let found = tests::trees::list(&sandbox.device().join("_spool"));
        found.keys().filter(|path| path.extension().is_some_and(|e| e == "jsonl")).count()
    };
    sandbox.run("phc-health").arg("collect").end().ok();
    let first = segments();
    assert!(first > 0);
    sandbox.run("phc-health").arg("collect").end().ok();
    assert_eq!(segments(), first, "nothing had changed");
    sandbox.configure(ONE_CLOUD);
    sandbox.run("phc-health").arg("collect").end().ok();
    assert_eq!(segments(), first + 1);
}

#[test]
fn pins_that_can_not_be_read_do_not_keep_the_rest_from_being_judged() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    sandbox.configure(ONE_CLOUD);
    sandbox.write("home/.local/state/phc/pins.json", "torn");
    let ended = sandbox.run("phc-health").arg("collect").end();
    ended.refused(4, &["[state-unusable]", "pins.json", "adopt"]);
    let status = kept(&sandbox);
    assert_eq!(component(&status, "mount.space")["state"], "unknown");
    assert_eq!(component(&status, "ingest.scans")["state"], "warn");
    assert!(!sandbox.device().exists());
}

#[test]
fn a_host_that_mounts_nothing_misses_nothing() {
    let sandbox = Sandbox::new();
    sandbox.configure("[host.bench]\nmounts = false\n");
    let ended = sandbox.run("phc-health").arg("collect").end().ok();
    assert_eq!(ended.stderr, "");
    let status = kept(&sandbox);
    assert_eq!(status["components"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["overall"], "ok");
}
