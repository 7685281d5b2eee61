//! `phc-health collect` killed, and several of it at once.

use std::fs;
use std::path::PathBuf;

use tests::Sandbox;

/// What lies unfinished in the device's folder in the space.
fn unfinished(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = fs::read_dir(sandbox.device()).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.file_name().unwrap().as_encoded_bytes().starts_with(b".phc-"))
        .collect()
}

#[test]
fn what_a_killed_collect_left_in_the_space_the_next_one_takes_away() {
    let mut met = 0;
    for nth in 1..12 {
        let sandbox = Sandbox::new();
        sandbox.adopt();
        sandbox.run("phc-health").arg("collect").end().ok();
        let kill = format!("publish.written@{nth}=kill");
        let killed = sandbox.run("phc-health").arg("collect").env("PHC_FAILPOINT", kill).end();
        if killed.signal != Some(9) {
            break;
        }
        met += usize::from(!unfinished(&sandbox).is_empty());
        sandbox.run("phc-health").arg("collect").end().ok();
        assert!(unfinished(&sandbox).is_empty(), "killed at its write {nth}");
        sandbox.status();
    }
    assert!(met > 0, "no kill left anything unfinished");
}

#[test]
fn several_at_once_do_not_get_in_each_others_way() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    for _ in 0..6 {
        let all: Vec<_> =
            (0..4).map(|_| sandbox.run("phc-health").arg("collect").spawn()).collect();
        for running in all {
            running.end().ok();
        }
        sandbox.status();
    }
    assert!(unfinished(&sandbox).is_empty());
}
