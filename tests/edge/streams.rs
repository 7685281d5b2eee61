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

#[test]
fn on_a_terminal_there_are_words_and_colours_unless_they_are_not_wanted() {
    let sandbox = adopted();
    sandbox.run("phc-health").arg("collect").end().ok();
    let (_, seen) = sandbox.run("phc-health").arg("show").end_on_terminal();
    assert!(seen.contains("\u{1b}[32mok") && seen.contains("mount.space"), "{seen}");
    let plain = sandbox.run("phc-health").arg("show").env("NO_COLOR", "1");
    assert!(!plain.end_on_terminal().1.contains("\u{1b}[3"));
    let (_, json) = sandbox.run("phc-health").args(["show", "--format", "json"]).end_on_terminal();
    assert!(json.starts_with('{'), "{json}");
}

#[test]
fn on_a_terminal_nothing_is_left_of_the_progress_and_quiet_draws_none() {
    let sandbox = adopted();
    sandbox.write("home/Documents/letter.txt", vec![b'x'; 5_000_000]);
    let folder = sandbox.path("home/Documents");
    let arguments = ["run", "--cloud", "documents", "--source"];
    let run = || sandbox.run("phc-ingest").args(arguments).arg(&folder);
    let (ended, seen) = run().end_on_terminal();
    ended.ok();
    let (_, words) = seen.split_once("documents: done").unwrap();
    assert!(!words.contains('\u{1b}'), "{words:?}");
    let (ended, quiet) = run().arg("--quiet").end_on_terminal();
    ended.ok();
    assert_eq!(quiet, "");
}
