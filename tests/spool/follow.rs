//! `read --follow`: as it comes, and an end in order.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::bench::{Bench, lines};

#[track_caller]
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const FOLLOW: [&str; 9] =
    ["read", "--follow", "--consumer", "a", "--backoff", "0s", "--exec", "sh", "-c"];

#[test]
fn events_arrive_as_they_come_and_a_signal_ends_it_in_order() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let bench = Bench::new();
        let running = bench.spool(&FOLLOW).arg("cat >> \"$HOME/out\"").spawn();
        for (at, id) in ["1", "2", "3"].into_iter().enumerate() {
            bench.put(&[id]);
            until("an event", || bench.taken().len() == at + 1);
        }
        running.signal(signal);
        running.end().with(code);
        assert_eq!(bench.taken(), ["1", "2", "3"]);
    }
}

#[test]
fn a_signal_ends_a_command_at_work_and_its_segment_is_given_out_again() {
    let bench = Bench::new();
    bench.put(&["1"]);
    let script = "touch \"$HOME/begun\"; sleep 60; exit 0";
    let running = bench.spool(&FOLLOW).arg(script).spawn();
    until("the command", || bench.sandbox.home().join("begun").exists());
    let asked = Instant::now();
    running.signal(Signal::TERM);
    running.end().with(143);
    assert!(asked.elapsed() < Duration::from_secs(5));
    // That was no failure, and no lease stands in the way.
    bench.take("a").end().ok();
    assert_eq!(bench.taken(), ["1"]);
}

#[test]
fn what_failed_is_tried_again_and_what_is_acknowledged_elsewhere_is_known() {
    let bench = Bench::new();
    bench.put(&["1"]);
    let script = "test -e \"$HOME/second\" && cat >> \"$HOME/out\" && exit 0; touch \"$HOME/second\"; exit 4";
    let running = bench.spool(&FOLLOW).arg(script).spawn();
    until("the second attempt", || bench.taken() == ["1"]);
    running.signal(Signal::TERM);
    running.end().with(143);
}

#[test]
fn a_space_that_goes_away_is_waited_for() {
    let bench = Bench::new();
    let away = bench.sandbox.path("away");
    std::fs::rename(bench.sandbox.space(), &away).unwrap();
    let running = bench.spool(&FOLLOW).arg("cat >> \"$HOME/out\"").spawn();
    bench.spool(&["put"]).stdin(lines(&["1"])).end().ok();
    std::thread::sleep(Duration::from_millis(300));
    std::fs::rename(&away, bench.sandbox.space()).unwrap();
    bench.spool(&["flush"]).end().ok();
    until("the event", || bench.taken() == ["1"]);
    running.signal(Signal::TERM);
    let ended = running.end().with(143);
    assert_eq!(ended.stderr.matches("waiting:").count(), 1, "{}", ended.stderr);
}

#[test]
fn events_on_stdout_are_passed_on_at_once() {
    let bench = Bench::new();
    let out = bench.sandbox.path("stream");
    let program = tests::programs::path("phc-spool");
    let script =
        format!("exec {} read --follow --consumer a > {}", program.display(), out.display());
    let running = bench.sandbox.any("/bin/sh".as_ref()).args(["-c", &script]).spawn();
    for id in ["1", "2"] {
        bench.put(&[id]);
        let line = format!("\"id\":\"{id}\"");
        until("the line", || std::fs::read_to_string(&out).is_ok_and(|text| text.contains(&line)));
    }
    running.signal(Signal::TERM);
    running.end().with(143);
}
