//! Inboxes: what arrives is taken once it is settled, though nobody tells when that is.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::watcher::{Bench, CLOUD, Watcher};

fn inbox() -> Bench {
    let bench = Bench::new();
    let path = bench.source("");
    bench.sandbox.configure(&format!(
        "[cloud.{CLOUD}]\nkind = \"inbox\"\npath = {path:?}\nsettle = \"1s\"\nconsume = true\n"
    ));
    bench
}

fn watch(bench: &Bench) -> Watcher {
    let mut watcher = bench.start_configured();
    watcher.wait_for("phc.ingest.run.finished");
    watcher
}

#[track_caller]
fn wait_until_taken(bench: &Bench, name: &str, text: &str) {
    let begun = Instant::now();
    while bench.source(name).exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} stays in the inbox");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(std::fs::read_to_string(bench.copy(name)).unwrap(), text);
}

#[test]
fn what_arrives_is_taken_soon_after_it_settled() {
    let bench = inbox();
    bench.write("before", "the watch began");
    let watcher = watch(&bench);
    wait_until_taken(&bench, "before", "the watch began");
    for name in ["a", "b"] {
        bench.write(name, name);
        wait_until_taken(&bench, name, name);
    }
    bench.write("in/a/folder", "deep");
    wait_until_taken(&bench, "in/a/folder", "deep");
    watcher.stop();
}

#[test]
fn what_is_still_being_written_is_left_and_holds_up_nobody() {
    let bench = inbox();
    let watcher = watch(&bench);
    let mut slow = std::fs::File::create(bench.source("slow")).unwrap();
    slow.write_all(b"not all").unwrap();
    bench.write("quick", "quick");
    wait_until_taken(&bench, "quick", "quick");
    std::thread::sleep(Duration::from_secs(7));
    assert!(bench.source("slow").exists() && !bench.copy("slow").exists());
    slow.write_all(b", now all").unwrap();
    drop(slow);
    wait_until_taken(&bench, "slow", "not all, now all");
    watcher.stop();
}
