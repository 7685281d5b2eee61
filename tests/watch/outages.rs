//! Roots that go and come back, runs beside, deaths.

use std::time::Duration;

use rustix::process::Signal;

use crate::watcher::{Bench, CLOUD};

#[test]
fn a_root_that_is_replaced_or_gone_for_a_while_is_watched_again() {
    let bench = Bench::new();
    bench.write("a", "a");
    let mut watcher = bench.watch();
    let aside = bench.sandbox.path("aside");
    std::fs::rename(bench.source(""), &aside).unwrap();
    let gone = watcher.wait_for("phc.ingest.run.finished");
    assert_eq!(gone.text("problem/code"), "root-gone");
    std::fs::rename(&aside, bench.source("")).unwrap();
    let again = watcher.wait_for("phc.ingest.watch.started");
    assert_eq!(again.at("again"), true);
    bench.write("b", "b");
    watcher.wait_for_file("b");
    std::fs::rename(bench.source(""), &aside).unwrap();
    std::fs::create_dir(bench.source("")).unwrap();
    std::fs::copy(aside.join("a"), bench.source("a")).unwrap();
    std::fs::copy(aside.join("b"), bench.source("b")).unwrap();
    watcher.wait("another watch", |e| e.kind == "phc.ingest.watch.started");
    watcher.wait_for("phc.ingest.run.finished");
    bench.write("c", "c");
    watcher.wait_for_file("c");
    watcher.stop();
}

#[test]
fn runs_beside_a_watch_work_and_nothing_is_done_twice() {
    let bench = Bench::new();
    bench.write("a", "a");
    let mut watcher = bench.watch();
    for n in 0..10 {
        bench.write(&format!("f{n}"), "f");
        let ended = bench.run();
        assert!(matches!(ended.code, Some(0 | 75)), "{:?} {}", ended.code, ended.stderr);
    }
    bench.write("last", "last");
    watcher.wait_for_file("last");
    watcher.stop();
    bench.assert_same();
    assert_eq!(bench.run().ok().event("phc.ingest.run.finished").count("totals/stored"), 0);
}

#[test]
fn a_lock_that_is_held_is_waited_for() {
    let bench = Bench::new();
    let mut watcher = bench.watch();
    let state =
        format!("devices/{}/{}/ingest/docs/lock", tests::sandbox::HOST, tests::sandbox::USER);
    let lock =
        std::fs::File::options().write(true).open(bench.sandbox.state().join(state)).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    bench.write("a", "a");
    let deferred = watcher.wait_for("phc.ingest.watch.deferred");
    assert_eq!(deferred.text("problem/code"), "locked");
    drop(lock);
    watcher.wait_for_file("a");
    watcher.stop();
}

#[test]
fn killed_anywhere_the_next_watch_finds_what_happened_meanwhile() {
    let bench = Bench::new();
    bench.fill("a", 100);
    let mut watcher = bench.watch();
    bench.write("a/1", "changed");
    watcher.wait_for_file("a/1");
    bench.fill("b", 500);
    watcher.signal(Signal::KILL);
    watcher.end();
    std::fs::rename(bench.source("a"), bench.source("c")).unwrap();
    std::fs::remove_file(bench.source("c/2")).unwrap();
    let watcher = bench.watch();
    watcher.stop();
    let again = bench.run().ok().event("phc.ingest.run.finished");
    assert_eq!((again.count("totals/stored"), again.count("totals/files")), (0, 599));
}

#[test]
fn a_typed_source_that_is_not_there_is_wrong_usage() {
    let bench = Bench::new();
    std::fs::remove_dir(bench.source("")).unwrap();
    let watcher = bench.start(&[]);
    watcher.end().with(2);
}

#[test]
fn a_configured_source_that_is_not_there_yet_is_told_once_and_watched_when_it_comes() {
    let bench = Bench::new();
    std::fs::remove_dir(bench.source("")).unwrap();
    let path = bench.source("");
    bench.sandbox.configure(&format!("[cloud.{CLOUD}]\npath = {path:?}\n"));
    let mut watcher = bench.start_configured();
    let missing = watcher.wait_for("phc.ingest.run.finished");
    assert_eq!(missing.text("problem/code"), "source-missing");
    // Long enough for the root to be looked for once more.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(watcher.said().matches("phc.ingest.run.finished").count(), 1, "{}", watcher.said());
    bench.write("a", "a");
    watcher.wait_for("phc.ingest.watch.started");
    watcher.wait_for_file("a");
    bench.write("b", "b");
    watcher.wait_for_file("b");
    watcher.stop();
    bench.assert_same();
}
