//! stdout carries events, stderr words; neither can disturb the work.

use std::path::Path;

use tests::Sandbox;

fn adopted() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    sandbox
}

#[test]
fn a_reader_that_left_disturbs_nothing() {
    let sandbox = adopted();
    let ended = sandbox.run("phc-health").arg("collect").end_unread().ok();
    assert_eq!(ended.stderr, "");
    assert_eq!(sandbox.status()["overall"], "ok");
    sandbox.run("phc-health").arg("--help").end_unread().ok();
}

#[test]
fn a_full_disk_behind_stdout_is_told_and_the_work_is_done() {
    let sandbox = adopted();
    let ended = sandbox.run("phc-health").arg("collect").end_into(Path::new("/dev/full"));
    ended.refused(4, &["can't write to stdout", "[io]"]);
    assert_eq!(sandbox.status()["overall"], "ok");
}

#[test]
fn words_are_for_terminals_and_who_asks_for_them() {
    let sandbox = adopted();
    let auto = sandbox.run("phc-health").arg("collect").end().ok();
    assert_eq!(auto.events().len(), 1);
    let words = sandbox.run("phc-health").args(["collect", "--format", "human"]).end().ok();
    assert!(words.stdout.starts_with("bench/sam: ok"), "{}", words.stdout);
}

#[test]
fn quiet_keeps_the_words_away_but_not_what_went_wrong() {
    let sandbox = adopted();
    let run = |format| sandbox.run("phc-health").args(["collect", "-q", "--format", format]).end();
    let ended = run("human").ok();
    assert_eq!((&*ended.stdout, &*ended.stderr), ("", ""));
    assert_eq!(run("json").ok().events().len(), 1, "events are no words");
    std::fs::remove_file(sandbox.space().join(".phc-space.json")).unwrap();
    run("human").refused(75, &["no sentinel"]);
}

#[test]
fn events_are_stamped_with_who_when_and_which_run() {
    let sandbox = adopted();
    std::fs::remove_file(sandbox.space().join(".phc-space.json")).unwrap();
    let events = sandbox.run("phc-health").arg("collect").end().with(75).events();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event.source == "/phc/bench/sam/health"));
    assert!(events.iter().all(|event| event.runid == events[0].runid));
    assert!(events[0].id < events[1].id, "ids sort by time");
    assert!(events[0].time <= events[1].time);
}
