//! Any system call fails: with EIO, as a broken disk or cable has it, or for want of room.
//! needs_strace
//!
//! strace(8) lets the nth call of a name fail, whoever makes it: the copy, the source, the
//! manifest's SQLite, the spool. `PHC_CALLS=N` tries the first N calls of each name with each
//! error; without it a few are tried with one or the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::Ended;

use crate::bench::{Bench, finished};
use crate::law;
use crate::versions::Tree;

/// What a run calls, with how many calls of it are let fail one by one without `PHC_CALLS`.
const CALLS: &[(&str, u32)] = &[
    ("read", 3),
    ("pread64", 4),
    ("write", 6),
    ("pwrite64", 6),
    ("openat2", 5),
    ("openat", 3),
    ("mkdirat", 3),
    ("renameat2", 4),
    ("renameat", 3),
    ("linkat", 2),
    ("unlinkat", 2),
    ("fsync", 4),
    ("fdatasync", 3),
    ("syncfs", 2),
    ("utimensat", 2),
    ("statx", 4),
    ("getdents64", 3),
    ("ftruncate", 1),
    ("fstatfs", 2),
];

const ERRORS: &[&str] = &["EIO", "ENOSPC"];

/// More than there are cores: much of the work is starting programs.
const THREADS: usize = 4;

/// Some files of each kind, an edit to put away, a hole, a further name.
fn begun() -> Bench {
    let mut bench = Bench::new();
    for n in 0..6 {
        bench.write(format!("{}/{n}", n % 2), format!("file {n}"));
    }
    bench.finish();
    bench.write("0/0", "edited");
    bench.write("new/large", vec![7; 600_000]);
    bench.write("new/small", "small");
    std::fs::hard_link(bench.source().join("new/small"), bench.source().join("new/too")).unwrap();
    std::fs::File::create(bench.source().join("new/hole")).unwrap().set_len(1 << 20).unwrap();
    std::fs::rename(bench.source().join("1/1"), bench.source().join("moved")).unwrap();
    std::fs::remove_file(bench.source().join("1/3")).unwrap();
    bench
}

/// A run in which the nth call of this name fails in each thread, and what strace saw of it.
fn failing(bench: &Bench, call: &str, nth: u32, error: &str) -> (Ended, String) {
    let trace = bench.sandbox.path("trace");
    let inject = format!("inject={call}:error={error}:when={nth}");
    let options = ["-f", "-qq", "-e", &format!("trace={call}"), "-e", &inject, "-o"];
    let options = options.iter().map(std::ffi::OsStr::new).chain([trace.as_os_str()]);
    let ended = bench.ingest().behind("strace", options).end();
    (ended, std::fs::read_to_string(&trace).unwrap_or_default())
}

/// False if the run never came to that call.
fn survived(call: &str, nth: u32, error: &str) -> bool {
    let mut bench = begun();
    let before = Tree::of(&bench.copy());
    bench.history.saw(&before);
    let source = bench.look();
    let (ended, seen) = failing(&bench, call, nth, error);
    let injected: Vec<&str> = seen.lines().filter(|line| line.ends_with("(INJECTED)")).collect();
    if injected.is_empty() {
        return false;
    }
    assert_eq!(source, Tree::of(&bench.source()), "the source was changed");
    law::untorn(&bench, &before);
    let may_speak = !injected.iter().any(|line| line.contains(" write(2, "));
    told_truly(&bench, &source, &ended, may_speak);
    bench.finish();
    let last = bench.finish();
    law::whole(&bench, &source, &last);
    true
}

/// A run with a failure inside either did everything all the same, or does not say `done`.
fn told_truly(bench: &Bench, source: &Tree, ended: &Ended, may_speak: bool) {
    // 127: the loader itself was refused; 2: the configuration could not be read.
    let code = ended.code.unwrap_or_else(|| panic!("it was killed: {}", ended.stderr));
    assert!([0, 1, 2, 4, 75, 127].contains(&code), "exit {code}: {}", ended.stderr);
    if code != 0 {
        assert!(!may_speak || !ended.stderr.is_empty(), "exit {code} without a word");
        return;
    }
    let copy = Tree::of(&bench.copy());
    for (path, version) in &source.files {
        let found = copy.files.get(path).map(|found| &found.digest);
        assert_eq!(found, Some(&version.digest), "exit 0, but not {}", path.display());
    }
    if finished(ended).text("outcome") != "done" {
        panic!("exit 0, but {}", ended.stdout);
    }
}

#[test]
fn needs_strace_whatever_call_fails_nothing_is_lost_and_the_next_run_ends_whole() {
    let asked = std::env::var("PHC_CALLS").ok().map(|n| n.parse().expect("a number"));
    let of = |(call, some): &(&'static str, u32)| {
        let (call, most) = (*call, asked.unwrap_or(*some));
        (0..ERRORS.len()).map(move |error| (call, most, error))
    };
    let jobs: Vec<_> = CALLS.iter().flat_map(of).collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let met = AtomicUsize::new(0);
    let one = || {
        while let Some((call, most, error)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let all = asked.is_some();
            for nth in (1..=*most).filter(|nth| all || *nth as usize % ERRORS.len() == *error) {
                let (nth, error) = (if all { nth } else { spread(nth) }, ERRORS[*error]);
                let tried = catch_unwind(AssertUnwindSafe(|| survived(call, nth, error)));
                match tried {
                    Ok(true) => drop(met.fetch_add(1, Ordering::Relaxed)),
                    Ok(false) => break,
                    Err(_) => failed.lock().unwrap().push(format!("{call}@{nth}={error}")),
                }
            }
        }
    };
    std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(one))));
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} failed: {failed:?}; what each said is above", failed.len());
    assert!(met.into_inner() * 2 > jobs.len(), "hardly any call was made to fail");
}

/// The first call, and some deeper in the work.
fn spread(nth: u32) -> u32 {
    nth * nth
}

#[test]
fn needs_strace_a_file_that_can_not_be_read_is_told_and_keeps_its_copy() {
    let mut bench = Bench::new();
    bench.write("bad", "good once");
    bench.write("fine", "fine");
    bench.finish();
    bench.write("bad", "can't be read now");
    bench.write("fine", "finer");
    let source = bench.look();
    let bad = bench.source().join("bad");
    let options = ["-f", "-qq", "-e", "trace=read,pread64", "-e", "inject=read,pread64:error=EIO"];
    let options = options.iter().map(std::ffi::OsStr::new);
    let of_bad = ["-P".as_ref(), bad.as_os_str(), "-o".as_ref(), "/dev/null".as_ref()];
    let ended = bench.ingest().behind("strace", options.chain(of_bad)).end().with(1);
    let told = ended.event("phc.ingest.problem.reported");
    assert_eq!(told.text("code"), "entry-failing");
    assert!(told.text("where").ends_with("/source/bad"), "{}", told.data);
    assert_eq!(finished(&ended).count("totals/gone"), 0);
    let copy = |name| std::fs::read_to_string(bench.copy().join(name)).unwrap();
    assert_eq!((copy("bad"), copy("fine")), ("good once".to_owned(), "finer".to_owned()));
    law::no_litter(&bench);
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}
