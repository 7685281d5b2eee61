//! Killed at any instruction: what was published is there once, and never a part of it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use crate::bench::{Bench, files, lines};

/// The points that a publish passes, each as often as it does.
fn points() -> impl Iterator<Item = String> {
    let names = ["publish.written", "publish.renamed", "spool.delivering", "spool.delivered"];
    names.into_iter().flat_map(|name| (1..=8).map(move |nth| format!("{name}@{nth}")))
}

#[test]
fn a_publish_that_is_killed_anywhere_is_delivered_once_by_the_next() {
    let mut killed = 0;
    for point in points() {
        let bench = Bench::new();
        let put = bench.spool(&["put"]).env("PHC_FAILPOINT", format!("{point}=kill"));
        let ended = put.stdin(lines(&["1", "2"])).end();
        if ended.signal.is_none() {
            continue;
        }
        killed += 1;
        bench.told();
        let was_safe = bench.outbox().iter().any(|path| path.extension().is_some());
        let was_told = !bench.told().is_empty();
        bench.put(&["3"]);
        let told = bench.told();
        assert_eq!(told.contains_key("1"), was_safe || was_told, "{point}");
        assert!(told.values().all(|times| *times == 1), "{point}: {told:?}");
        assert_eq!(told.get("1"), told.get("2"), "{point}");
        assert!(files(&bench.folder().join("tmp")).is_empty(), "{point}: litter in tmp");
        let segments = |path: &std::path::PathBuf| path.extension().is_some();
        assert!(!bench.outbox().iter().any(segments), "{point}");
    }
    assert!(killed >= 6, "only {killed} points were reached");
}

#[test]
fn a_call_that_fails_anywhere_loses_nothing_that_was_said_to_be_stored() {
    for point in points() {
        for errno in [5, 28, 107] {
            let bench = Bench::new();
            let put = bench.spool(&["put"]).env("PHC_FAILPOINT", format!("{point}={errno}"));
            let ended = put.stdin(lines(&["1"])).end();
            bench.put(&["2"]);
            let told = bench.told();
            assert!(told.values().all(|times| *times == 1), "{point}={errno}: {told:?}");
            if matches!(ended.code, Some(0 | 1)) {
                assert!(told.contains_key("1"), "{point}={errno}: {}", ended.stderr);
            }
        }
    }
}

/// A number for a wait, other in each round and the same in each test run.
fn jitter(writer: usize, round: usize) -> Duration {
    let mixed = (writer * 31 + round * 17 + 7).wrapping_mul(2_654_435_761) >> 7;
    Duration::from_micros((mixed % 14_000) as u64)
}

#[test]
fn writers_that_are_killed_at_random_leave_each_completed_publish_there_once() {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 30;
    let bench = Bench::new();
    let completed = Mutex::new(BTreeSet::new());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            // No reader ever sees a part: each look parses all that is visible.
            while !over.load(Ordering::Relaxed) {
                bench.told();
            }
        });
        let write = |writer: usize| {
            for round in 0..ROUNDS {
                let ids: Vec<String> = (0..5).map(|n| format!("{writer}-{round}-{n}")).collect();
                let names: Vec<&str> = ids.iter().map(String::as_str).collect();
                let running = bench.spool(&["put"]).stdin(lines(&names)).spawn();
                if round % 3 != 0 {
                    std::thread::sleep(jitter(writer, round));
                    running.signal(Signal::KILL);
                }
                if running.end().code == Some(0) {
                    completed.lock().unwrap().extend(ids);
                }
            }
        };
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        over.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
    });
    bench.spool(&["flush"]).end().ok();
    let told = bench.told();
    let completed = completed.into_inner().unwrap();
    assert!(completed.len() >= WRITERS * ROUNDS / 3 * 5);
    assert!(completed.iter().all(|id| told.contains_key(id)), "a completed publish is lost");
    assert!(told.values().all(|times| *times == 1), "delivered twice");
    bench.take("a").end().ok();
    let mut taken = bench.taken();
    taken.sort();
    assert_eq!(taken, told.into_keys().collect::<Vec<_>>());
}

#[test]
fn a_reader_killed_between_effect_and_finish_does_it_again() {
    let bench = Bench::new();
    bench.put(&["1"]);
    let script = "cat >> \"$HOME/out\"; kill -9 $PPID";
    let read = ["read", "--consumer", "a", "--lease", "1s", "--exec", "sh", "-c"];
    let ended = bench.spool(&read).arg(script).end();
    assert_eq!((ended.signal, bench.taken().len()), (Some(9), 1));
    // As long as its lease lasts nobody else begins it.
    bench.take("a").end().ok();
    assert_eq!(bench.taken().len(), 1);
    std::thread::sleep(Duration::from_millis(1100));
    bench.take("a").end().ok();
    bench.take("a").end().ok();
    assert_eq!(bench.taken(), ["1", "1"]);
}

#[test]
fn flushes_at_once_deliver_each_segment_once() {
    let bench = Bench::new();
    let away = bench.sandbox.path("away");
    std::fs::rename(bench.sandbox.space(), &away).unwrap();
    for n in 0..30 {
        bench.spool(&["put"]).stdin(lines(&[&n.to_string()])).end().ok();
    }
    std::fs::rename(&away, bench.sandbox.space()).unwrap();
    let flushes: Vec<_> = (0..6).map(|_| bench.spool(&["flush"]).spawn()).collect();
    flushes.into_iter().for_each(|flush| drop(flush.end().ok()));
    let told = bench.told();
    assert!(told.len() == 30 && told.values().all(|times| *times == 1), "{told:?}");
    assert!(bench.outbox().is_empty() && files(&bench.folder().join("tmp")).is_empty());
}
