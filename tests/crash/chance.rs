//! Killed at random moments, while the source changes from run to run.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use crate::bench::{Bench, CLOUD};
use crate::law;
use crate::versions::Tree;

/// Files at the beginning.
const FILES: u64 = 1500;
/// So many are changed, each way, between two runs.
const CHANGES: u64 = 40;
/// A run is left to end after so many that were killed.
const IN_A_ROW: u32 = 8;

/// `PHC_KILLS` and `PHC_SEED` choose how often, and which times and changes again.
fn asked(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn killed_at_random_moments_a_run_leaves_no_wrong_byte_and_the_last_one_ends_whole() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let (kills, seed) = (asked("PHC_KILLS", 25), asked("PHC_SEED", now.into()));
    println!("PHC_SEED={seed} PHC_KILLS={kills}");
    let mut chance = Chance(seed);
    let mut bench = Bench::new();
    let many = "[ingest.guard]\nfiles = 1000000\n";
    bench.sandbox.configure(&format!("{many}[cloud.{CLOUD}]\non_gone = \"keep\"\n"));
    (0..FILES).for_each(|n| new_file(&bench, &mut chance, n));
    let (mut before, mut next) = (Tree::default(), FILES);
    let mut killed = 0;
    let mut usual = Duration::from_millis(400);
    while killed < kills {
        let source = bench.look();
        killed += u64::from(kill_once(&bench, chance.within(usual)));
        assert_eq!(source, Tree::of(&bench.source()), "the source was changed");
        law::untorn(&bench, &before);
        if chance.below(u64::from(IN_A_ROW)) == 0 {
            let begun = Instant::now();
            bench.finish();
            usual = begun.elapsed();
            // What was put in order after a kill and then renamed is read once more.
            let last = bench.finish();
            law::whole(&bench, &source, &last);
            before = source;
        }
        change(&bench, &mut chance, &mut next);
    }
    let source = bench.look();
    bench.finish();
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

/// Kills a run after this time; false if it had ended before.
fn kill_once(bench: &Bench, after: Duration) -> bool {
    let running = bench.ingest().spawn();
    std::thread::sleep(after);
    running.signal(Signal::KILL);
    let ended = running.end();
    assert!(ended.signal == Some(9) || ended.code == Some(0), "{}", ended.stderr);
    ended.signal.is_some()
}

/// Some files more, others rewritten, renamed and removed; a folder moves.
fn change(bench: &Bench, chance: &mut Chance, next: &mut u64) {
    for _ in 0..CHANGES {
        new_file(bench, chance, *next);
        *next += 1;
    }
    let mut files: Vec<PathBuf> = Tree::of(&bench.source()).files.into_keys().collect();
    let mut pick = |chance: &mut Chance| {
        let at = chance.below(files.len() as u64);
        bench.source().join(files.swap_remove(usize::try_from(at).unwrap()))
    };
    for _ in 0..CHANGES {
        fs::write(pick(chance), chance.content()).unwrap();
        fs::remove_file(pick(chance)).unwrap();
        let from = pick(chance);
        fs::rename(&from, from.with_extension(format!("renamed-{next}"))).unwrap();
    }
    let folder = bench.source().join(chance.below(20).to_string());
    if folder.exists() {
        fs::rename(&folder, bench.source().join(format!("moved-{next}"))).unwrap();
    }
}

fn new_file(bench: &Bench, chance: &mut Chance, n: u64) {
    bench.write(format!("{}/{}/file-{n}", n % 20, n % 7), chance.content());
}

/// Numbers that only look random (`SplitMix64`): the same seed gives the same ones.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn within(&mut self, time: Duration) -> Duration {
        let most = u64::try_from(time.as_nanos()).unwrap().max(1);
        Duration::from_nanos(self.below(most))
    }

    /// Content that no other file has: mostly small, at times up to 200 kB.
    fn content(&mut self) -> Vec<u8> {
        let words = if self.below(50) == 0 { self.below(25_000) } else { self.below(60) } + 2;
        (0..words).flat_map(|_| self.next().to_le_bytes()).collect()
    }
}
