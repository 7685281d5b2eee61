//! Any life of a source, with runs that end, fail and are killed in it: in the end every live
//! file equals its copy, every other copy is a tombstone's, and every version that a
//! finished run stored is found.
//!
//! `PHC_LIVES=N` tries N lives a policy. What once failed is a line of `lives.jsonl`, which is
//! lived again first; a failure prints the line to add.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use rustix::process::Signal;

use crate::acts::{Act, any_life};
use crate::bench::{Bench, CLOUD, finished};
use crate::law;
use crate::versions::Tree;

/// Lives a policy, without `PHC_LIVES`: some twelve seconds each.
const LIVES: u32 = 40;

#[test]
fn any_life_ends_whole_where_copies_of_what_is_gone_stay() {
    all_lives(false);
}

#[test]
fn any_life_ends_whole_where_copies_of_what_is_gone_are_put_away() {
    all_lives(true);
}

fn all_lives(trashing: bool) {
    let known = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("crash/lives.jsonl"));
    for line in known.unwrap().lines() {
        let life: Vec<Act> = serde_json::from_str(line).unwrap();
        lived(&life, trashing).unwrap_or_else(|why| panic!("{line}\n{why}"));
    }
    let cases = std::env::var("PHC_LIVES").map_or(LIVES, |n| n.parse().expect("a number"));
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4000,
        max_shrink_time: 90_000,
        ..Config::default()
    };
    let tried = TestRunner::new(config)
        .run(&any_life(), |life| lived(&life, trashing).map_err(TestCaseError::fail));
    if let Err(TestError::Fail(why, life)) = tried {
        panic!("{}\n{why}", serde_json::to_string(&life).unwrap());
    }
    tried.unwrap();
}

/// Lives one life; says what was wrong in it.
fn lived(life: &[Act], trashing: bool) -> Result<(), String> {
    let done = catch_unwind(AssertUnwindSafe(|| live(life, trashing)));
    done.map_err(|panic| {
        let owned = panic.downcast_ref::<String>().cloned();
        owned.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
    })
}

fn live(life: &[Act], trashing: bool) {
    let mut bench = Bench::new();
    let policy = if trashing { "trash" } else { "keep" };
    bench.sandbox.configure(&format!(
        "[ingest.guard]\nfiles = 1000000\n[cloud.{CLOUD}]\non_gone = \"{policy}\"\n"
    ));
    bench.on_gone_trash = trashing;
    // An empty root is a refusal, which is not what this is about.
    bench.write("stays", "here");
    let mut past = Past::default();
    for act in life {
        if !act.on_source(&bench.source()) {
            past.act(act, &bench);
        }
    }
    end(&mut bench, &mut past);
}

/// All the contents that a path ever had, as its runs saw them.
#[derive(Default)]
struct Past {
    ever: BTreeMap<PathBuf, BTreeSet<String>>,
    /// What the last run that ended saw.
    last: Tree,
    kept: BTreeSet<String>,
}

impl Past {
    fn act(&mut self, act: &Act, bench: &Bench) {
        let source = Tree::of(&bench.source());
        for (path, version) in &source.files {
            self.ever.entry(path.clone()).or_default().insert(version.digest.clone());
        }
        let run = bench.ingest_in_batches();
        let ended = match act {
            Act::Run => run.end(),
            Act::Kill(point, nth) => run.env("PHC_FAILPOINT", format!("{point}@{nth}=kill")).end(),
            Act::Fail(point, nth) => run.env("PHC_FAILPOINT", format!("{point}@{nth}=5")).end(),
            Act::KillAfter(time) => {
                let running = run.spawn();
                std::thread::sleep(Duration::from_micros(u64::from(*time) * 100));
                running.signal(Signal::KILL);
                running.end()
            }
            Act::LoseManifest => return bench.lose_manifest(),
            _ => return,
        };
        assert_eq!(source, Tree::of(&bench.source()), "the source was changed");
        let may_fail = matches!(act, Act::Fail(..));
        match ended.code {
            Some(0) => {
                assert_eq!(finished(&ended).text("outcome"), "done", "{}", ended.stdout);
                self.done(bench, source);
            }
            Some(1 | 4 | 75) if may_fail => {}
            None if ended.signal == Some(9) => {}
            other => panic!("{act:?} ended with {other:?}: {}", ended.stderr),
        }
        self.untorn(bench);
    }

    /// A run that says `done` did everything.
    fn done(&mut self, bench: &Bench, source: Tree) {
        let copy = Tree::of(&bench.copy());
        for (path, version) in &source.files {
            let found = copy.files.get(path).map(|found| &found.digest);
            assert_eq!(found, Some(&version.digest), "after a run: {}", path.display());
        }
        self.kept.extend(source.files.values().map(|version| version.digest.clone()));
        self.last = source;
    }

    /// No wrong byte under any name, and none missing that was stored and is still wanted.
    fn untorn(&self, bench: &Bench) {
        let (source, copy) = (Tree::of(&bench.source()), Tree::of(&bench.copy()));
        for (path, version) in &copy.files {
            let known = self.ever.get(path).is_some_and(|all| all.contains(&version.digest));
            let is_unfinished = law::is_temporary(path) && !self.ever.contains_key(path);
            assert!(known || is_unfinished, "{} holds what it never held", path.display());
        }
        for path in self.last.files.keys().filter(|path| source.files.contains_key(*path)) {
            assert!(copy.files.contains_key(path), "{} was stored and is gone", path.display());
        }
        law::all_found(bench, &self.kept);
    }
}

fn end(bench: &mut Bench, past: &mut Past) {
    past.act(&Act::Run, bench);
    let source = bench.look();
    // What was put in order after a kill and then renamed is read once more.
    let last = bench.finish();
    let copy = Tree::of(&bench.copy());
    let at = |tree: &Tree| -> BTreeMap<PathBuf, String> {
        tree.files.iter().map(|(path, version)| (path.clone(), version.digest.clone())).collect()
    };
    let (wanted, found) = (at(&source), at(&copy));
    for (path, digest) in &wanted {
        assert_eq!(found.get(path), Some(digest), "in the end: {}", path.display());
    }
    for (path, digest) in found.iter().filter(|(path, _)| !wanted.contains_key(*path)) {
        let known = past.ever.get(path).is_some_and(|all| all.contains(digest));
        assert!(known && !bench.on_gone_trash, "{} is one too many", path.display());
    }
    law::all_found(bench, &past.kept);
    law::sound(bench, &source, &last);
}
