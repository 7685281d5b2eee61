//! Killed at every failpoint, in every case; and every call there failing.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::Ended;

use crate::bench::Bench;
use crate::cases::{CASES, Case};
use crate::law;
use crate::versions::Tree;

/// Which time a point is reached: the first ones, and some deep in the work.
const TIMES: &[u32] = &[1, 2, 3, 5, 11];

/// Failures of a call: a broken disk and a full one (errno(3): EIO, ENOSPC).
const ERRORS: &[&str] = &["5", "28"];

/// More than there are cores: much of the work is starting programs.
const THREADS: usize = 4;

#[test]
fn killed_at_every_failpoint_a_run_leaves_no_wrong_byte_and_the_next_one_ends_whole() {
    let reached = Mutex::new(BTreeSet::<&str>::new());
    let failed = each(&jobs(|_| true), |case, name, at| {
        for times in TIMES {
            *at = format!("{name}@{times}=kill");
            if !killed(case, at) {
                break;
            }
            reached.lock().unwrap().insert(name);
        }
    });
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
    if only().is_some() {
        return;
    }
    // Those of inboxes have a matrix of their own.
    let here = host::failpoint::NAMES.iter().filter(|name| !name.starts_with("inbox."));
    let all: BTreeSet<&str> = here.copied().collect();
    let reached = reached.into_inner().unwrap();
    let dead: Vec<_> = all.difference(&reached).collect();
    assert!(dead.is_empty(), "no case ever reaches {dead:?}");
}

#[test]
fn where_a_call_fails_the_run_says_so_leaves_no_litter_and_the_next_one_ends_whole() {
    let failed =
        each(&jobs(|case| ["cold", "edits", "swaps"].contains(&case.name)), |case, name, at| {
            for errno in ERRORS {
                *at = format!("{name}={errno}");
                failing(case, at);
            }
        });
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn where_the_manifest_is_lost_after_the_kill_no_litter_stays_and_the_next_run_ends_whole() {
    let failed = each(&jobs(|case| ["cold", "edits"].contains(&case.name)), |case, name, at| {
        *at = format!("{name}=kill, manifest lost");
        let mut bench = begun(case);
        let source = bench.look();
        bench.ingest_in_batches().env("PHC_FAILPOINT", format!("{name}=kill")).end();
        bench.lose_manifest();
        let last = bench.finish();
        law::whole(&bench, &source, &last);
    });
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
}

/// `PHC_CRASH="cold, apply."` tries only the cases and failpoints of that name.
fn only() -> Option<String> {
    std::env::var("PHC_CRASH").ok().filter(|only| !only.is_empty())
}

/// Every failpoint in the wanted cases.
fn jobs(wanted: impl Fn(&Case) -> bool) -> Vec<(&'static Case, &'static str)> {
    let only = only().unwrap_or_default();
    let of = |case: &'static Case| host::failpoint::NAMES.iter().map(move |name| (case, *name));
    let all = CASES.iter().filter(|case| wanted(case)).flat_map(of);
    all.filter(|(case, name)| format!("{}, {name}", case.name).contains(&only)).collect()
}

/// Tries one case with one failpoint that kills; false where the run never came by.
fn killed(case: &Case, failpoint: &str) -> bool {
    let mut bench = begun(case);
    let before = Tree::of(&bench.copy());
    bench.history.saw(&before);
    let source = bench.look();
    let ended = bench.ingest_in_batches().env("PHC_FAILPOINT", failpoint).end();
    if ended.signal != Some(9) {
        ended.ok();
        return false;
    }
    assert_eq!(source, Tree::of(&bench.source()), "the source was changed");
    law::untorn(&bench, &before);
    let last = bench.finish();
    law::whole(&bench, &source, &last);
    true
}

/// Tries one case with one call that fails.
fn failing(case: &Case, failpoint: &str) {
    let mut bench = begun(case);
    let before = Tree::of(&bench.copy());
    bench.history.saw(&before);
    let source = bench.look();
    let ended = bench.ingest_in_batches().env("PHC_FAILPOINT", failpoint).end();
    law::untorn(&bench, &before);
    law::no_litter(&bench);
    told_truly(&bench, &source, &ended);
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

/// A run with a failure inside either did everything all the same, or does not say `done`.
fn told_truly(bench: &Bench, source: &Tree, ended: &Ended) {
    let code = ended.code.unwrap_or_else(|| panic!("it was killed: {}", ended.stderr));
    assert!([0, 1, 4, 75].contains(&code), "exit {code}: {}", ended.stderr);
    if code == 0 {
        let copy = Tree::of(&bench.copy());
        let stored = |(path, version): (_, &crate::versions::Version)| {
            copy.files.get(path).is_some_and(|found| found.digest == version.digest)
        };
        assert!(source.files.iter().all(stored), "exit 0, but not everything is stored");
    } else {
        assert!(!ended.stderr.is_empty(), "exit {code} without a word");
    }
}

/// The case's source as it is when the run begins that is to be hurt.
fn begun(case: &Case) -> Bench {
    let mut bench = Bench::new();
    if case.trashes {
        bench = bench.that_trashes();
    }
    if let Some(before) = case.before {
        before(&bench);
        bench.finish();
    }
    (case.change)(&bench);
    bench
}

/// Does each job on a few threads; returns what failed, with where.
fn each<'a>(
    jobs: &[(&'a Case, &'a str)],
    work: impl Fn(&'a Case, &'a str, &mut String) + Sync,
) -> Vec<String> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let one = || {
        while let Some((case, name)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut at = String::new();
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(case, name, &mut at))) {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref().copied()).unwrap_or("?");
                failed.lock().unwrap().push(format!("{}, {at}: {text}", case.name));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(one);
        }
    });
    failed.into_inner().unwrap()
}
