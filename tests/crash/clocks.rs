//! Clocks that jump: back, ahead, between runs and within one. needs_faketime

use tests::{Ended, Run};

use crate::bench::{Bench, finished};
use crate::law;
use crate::told;

/// The same run under a clock that is told by faketime(1), as its `-f` says it.
fn under(run: Run, clock: &str) -> Run {
    // Stamps of files are the kernel's, which no such clock changes.
    run.behind("faketime", ["--exclude-monotonic", "-f", clock])
}

#[track_caller]
fn at(bench: &mut Bench, clock: &str) -> Ended {
    let source = bench.look();
    let ended = under(bench.ingest(), clock).end().ok();
    assert_eq!(finished(&ended).text("outcome"), "done", "{}", ended.stdout);
    bench.history.stored(&source);
    ended
}

/// Files in a few folders.
fn fill(bench: &Bench) {
    (0..60).for_each(|n| bench.write(format!("{}/{n}", n % 5), format!("file {n}")));
}

/// As many of the last run as were copied.
fn copied(ended: &Ended) -> u64 {
    ["stored", "replaced", "adopted"]
        .iter()
        .map(|name| finished(ended).count(&format!("totals/{name}")))
        .sum()
}

/// Runs of one source under clocks that go to and fro: no change is missed, nothing is
/// copied twice, and the catalog tells the newest of each path.
fn to_and_fro(clocks: &[&str]) {
    let mut bench = Bench::new();
    fill(&bench);
    for (turn, clock) in clocks.iter().enumerate() {
        bench.write("0/0", format!("turn {turn:03}"));
        let ended = at(&mut bench, clock);
        let wanted = if turn == 0 { 60 } else { 1 };
        assert_eq!(copied(&ended), wanted, "under {clock}: {}", ended.stdout);
        assert_eq!(copied(&at(&mut bench, clock)), 0, "again under {clock}");
        let catalog = told::catalog(&bench.sandbox.device().join("_catalog/cloud"));
        let wanted = crate::versions::digest(&bench.source().join("0/0"));
        assert_eq!(catalog[std::path::Path::new("0/0")].digest(), wanted, "under {clock}");
    }
    let source = bench.look();
    bench.finish();
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

#[test]
fn needs_faketime_a_clock_that_was_set_back_misses_nothing_and_copies_nothing_twice() {
    to_and_fro(&["+0", "-1h", "-40y"]);
}

#[test]
fn needs_faketime_a_clock_that_was_ahead_misses_nothing_and_copies_nothing_twice() {
    to_and_fro(&["+1h", "+0", "+30y", "+1d"]);
}

#[test]
fn needs_faketime_a_clock_that_races_or_creeps_in_mid_run_is_no_matter() {
    for clock in ["+0 x5000", "-1d x0.001"] {
        let mut bench = Bench::new();
        fill(&bench);
        assert_eq!(copied(&at(&mut bench, clock)), 60, "{clock}");
        let source = bench.look();
        bench.finish();
        let last = bench.finish();
        law::whole(&bench, &source, &last);
    }
}

#[test]
fn needs_faketime_the_guard_counts_under_a_clock_that_was_set_back() {
    let mut bench = Bench::new();
    bench.sandbox.configure("[ingest.guard]\nfiles = 10\nshare = \"1%\"\n");
    fill(&bench);
    at(&mut bench, "+2h");
    (0..8).for_each(|n| bench.write(format!("{}/{n}", n % 5), "rewritten"));
    at(&mut bench, "+2h");
    (8..16).for_each(|n| bench.write(format!("{}/{n}", n % 5), "rewritten"));
    bench.look();
    let ended = under(bench.ingest(), "+0").end().with(3);
    assert_eq!(crate::bench::why(&ended), "guard-exceeded");
}
