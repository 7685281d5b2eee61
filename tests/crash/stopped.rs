//! Stopped in order, by a signal.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::bench::{Bench, finished};
use crate::law;
use crate::versions::Tree;

/// The longest time that a run may take to end once it was asked to.
const PROMISED: Duration = Duration::from_secs(5);

fn stopped(signal: Signal, code: i32) {
    let mut bench = Bench::new();
    bench.write("before", "in the space before");
    bench.finish();
    let before = Tree::of(&bench.copy());
    bench.write_much();
    bench.write("before", "and a new version");
    let source = bench.look();

    let running = bench.caught(bench.ingest());
    running.signal(signal);
    let asked = Instant::now();
    running.signal(Signal::CONT);
    let ended = running.end().with(code);
    assert!(asked.elapsed() < PROMISED, "it took {:?}", asked.elapsed());
    let end = finished(&ended);
    assert_eq!(end.text("outcome"), "stopped");
    assert!(end.count("totals/stored") < 106, "it was not stopped: {}", ended.stdout);
    law::untorn(&bench, &before);
    law::no_litter(&bench);
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

#[test]
fn sigint_ends_a_run_in_order_and_the_next_one_ends_whole() {
    stopped(Signal::INT, 130);
}

#[test]
fn sigterm_ends_a_run_in_order_and_the_next_one_ends_whole() {
    stopped(Signal::TERM, 143);
}
