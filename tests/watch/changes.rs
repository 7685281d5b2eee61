//! Single changes, bursts, writers that take their time.

use std::io::Write;
use std::time::Duration;

use crate::watcher::Bench;

#[test]
fn every_kind_of_change_arrives_by_itself() {
    let bench = Bench::new();
    bench.write("a/old", "old");
    let mut watcher = bench.watch();
    bench.write("a/new", "new");
    assert_eq!(watcher.wait_for_file("a/new").text("change"), "stored");
    // As an editor saves: beside it, then over it.
    bench.write("a/.new.swp", "newer still");
    std::fs::rename(bench.source("a/.new.swp"), bench.source("a/new")).unwrap();
    assert_eq!(watcher.wait_for_file("a/new").text("change"), "replaced");
    std::fs::rename(bench.source("a/new"), bench.source("a/renamed")).unwrap();
    assert_eq!(watcher.wait_for_file("a/renamed").text("from"), "a/new");
    bench.write("b/c/d/deep", "in folders that are new");
    watcher.wait_for_file("b/c/d/deep");
    bench.write("b/c/d/deeper", "and heard of at once");
    watcher.wait_for_file("b/c/d/deeper");
    bench.write("plain", "by another name");
    watcher.wait_for_file("plain");
    bench.assert_same();
    std::fs::remove_file(bench.source("a/old")).unwrap();
    assert_eq!(watcher.wait_for_file("a/old").kind, "phc.ingest.file.gone");
    std::fs::remove_dir_all(bench.source("b")).unwrap();
    std::fs::write(bench.source("b"), "a file in a folder's place").unwrap();
    watcher.wait_for_file("b");
    watcher.stop();
    assert_eq!(bench.run().ok().event("phc.ingest.run.finished").count("totals/stored"), 0);
}

#[test]
fn a_slow_writer_is_waited_for_and_holds_up_nobody() {
    let bench = Bench::new();
    let mut watcher = bench.watch();
    let mut slow = std::fs::File::create(bench.source("slow")).unwrap();
    for n in 0..10 {
        slow.write_all(b"more and more ").unwrap();
        let quick = format!("quick-{n}");
        bench.write(&quick, &quick);
        watcher.wait_for_file(&quick);
        assert!(!bench.copy("slow").exists(), "it is not whole yet");
    }
    drop(slow);
    assert_eq!(watcher.wait_for_file("slow").count("size"), 140);
    let of_slow = watcher.said().matches("\"path\":\"slow\"").count();
    assert_eq!(of_slow, 1, "{}", watcher.said());
    bench.assert_same();
}

#[test]
fn a_writer_that_never_closes_is_taken_in_once_it_rests() {
    let bench = Bench::new();
    let mut watcher = bench.watch();
    let mut open = std::fs::File::create(bench.source("open")).unwrap();
    open.write_all(b"a document that stays open").unwrap();
    assert_eq!(watcher.wait_for_file("open").count("size"), 26);
    open.write_all(b", and is saved").unwrap();
    assert_eq!(watcher.wait_for_file("open").count("size"), 40);
}

#[test]
fn a_moved_folder_is_renamed_and_not_read() {
    let bench = Bench::new();
    bench.fill("album/2024", 300);
    bench.fill("album/2025", 300);
    let mut watcher = bench.watch();
    std::fs::create_dir(bench.source("archive")).unwrap();
    std::fs::rename(bench.source("album"), bench.source("archive/photos")).unwrap();
    watcher.wait_for_file("archive/photos/2025/7");
    let run = watcher.wait_for("phc.ingest.run.finished");
    assert_eq!((run.count("totals/renamed"), run.count("totals/bytes_stored")), (600, 0));
    // And what is in it is heard of under its new name.
    bench.write("archive/photos/2025/7", "another seven");
    watcher.wait_for_file("archive/photos/2025/7");
    watcher.stop();
    bench.assert_same();
}

#[test]
fn excluded_names_are_left_alone_in_new_folders_too() {
    let bench = Bench::new();
    bench.sandbox.configure("[ingest]\nexclude = [\"cache\"]\n");
    let mut watcher = bench.watch();
    bench.write("new/cache/x", "x");
    bench.write("new/kept", "kept");
    watcher.wait_for_file("new/kept");
    bench.write("new/cache/y", "y");
    bench.write("last", "last");
    watcher.wait_for_file("last");
    assert!(!bench.copy("new/cache").exists());
}

#[test]
fn a_full_scan_finds_what_nobody_told_and_says_so() {
    let bench = Bench::new();
    bench.sandbox.configure("[ingest]\nfull_scan = \"3s\"\n");
    bench.write("linked", "one text");
    std::fs::hard_link(bench.source("linked"), bench.sandbox.path("elsewhere")).unwrap();
    let mut watcher = bench.watch();
    bench.write("heard", "of");
    watcher.wait_for_file("heard");
    // Written by a name that lies outside the source, no folder of the source hears of it.
    std::fs::write(bench.sandbox.path("elsewhere"), "another text").unwrap();
    let missed = watcher.wait_for("phc.ingest.watch.missed");
    assert_eq!((missed.count("files"), missed.text("paths/0")), (1, "linked"));
    bench.write("heard again", "of");
    let run = watcher.wait("a full scan", |event| {
        event.kind == "phc.ingest.run.finished" && event.at("totals/missed").is_u64()
    });
    assert_eq!(run.count("totals/missed"), 0);
    watcher.stop();
    let read = bench.sandbox.run("phc-spool").args(["read", "--consumer", "c", "--space"]);
    let spool = read.arg(bench.sandbox.space()).end().ok();
    assert_eq!(spool.stdout.matches("\"type\":\"phc.ingest.watch.missed\"").count(), 1);
}

#[test]
fn needs_root_a_burst_larger_than_the_queue_arrives_whole() {
    let queue = Queue::of("64");
    let bench = Bench::new();
    let mut watcher = bench.watch();
    bench.fill("burst/deep", 20_000);
    bench.write("last", "last");
    watcher.wait_for_file("last");
    let begun = std::time::Instant::now();
    let count = || std::fs::read_dir(bench.copy("burst/deep")).map_or(0, Iterator::count);
    while count() < 20_000 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} of 20000", count());
        std::thread::sleep(Duration::from_millis(50));
    }
    watcher.stop();
    bench.assert_same();
    drop(queue);
}

/// Sets how many events of an instance the kernel keeps, and back.
struct Queue(String);

const QUEUE: &str = "/proc/sys/fs/inotify/max_queued_events";

impl Queue {
    fn of(length: &str) -> Queue {
        let before = std::fs::read_to_string(QUEUE).unwrap();
        // Where it can't be set, the burst is a burst all the same.
        let _ = std::fs::write(QUEUE, length);
        Queue(before)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let _ = std::fs::write(QUEUE, &self.0);
    }
}
