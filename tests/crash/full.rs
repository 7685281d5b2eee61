//! Disks that are full, read-only or not there, on real file systems.

use std::path::Path;

use tests::Sandbox;
use tests::trees;

use crate::bench::{Bench, CLOUD, finished, why};
use crate::law;
use crate::mounted::Mounted;
use crate::versions::Tree;

/// Many small files: together they need far more blocks than bytes.
fn many_small_files(bench: &Bench, count: u32) {
    for n in 0..count {
        bench.write(format!("{}/{n}", n % 10), format!("file {n}"));
    }
}

/// A bench whose space is a mount of its own.
fn mounted(size: &str) -> (Bench, Mounted) {
    let bench = Bench::bare(Sandbox::new());
    let disk = Mounted::tmpfs(&bench.sandbox.space(), size);
    bench.sandbox.adopt();
    (bench, disk)
}

/// A run that ends early for want of room; nothing is torn, no litter stays.
fn ends_early(bench: &mut Bench, code: i32, problem: &str) {
    let before = Tree::of(&bench.copy());
    let source = bench.look();
    let ended = bench.ingest().end().with(code);
    assert_eq!(why(&ended), problem, "{}", ended.stderr);
    assert_eq!(source, Tree::of(&bench.source()), "the source was changed");
    law::untorn(bench, &before);
    law::no_litter(bench);
}

fn ends_whole(bench: &mut Bench) {
    let source = bench.look();
    let last = bench.finish();
    law::whole(bench, &source, &last);
}

#[test]
fn needs_root_a_space_that_becomes_full_ends_the_run_and_room_lets_the_next_one_end_it() {
    let (mut bench, disk) = mounted("2m");
    bench.write("first", "in the space before it is full");
    bench.finish();
    many_small_files(&bench, 1000);
    bench.write("first", "and a new version");
    ends_early(&mut bench, 75, "space-full");
    ends_early(&mut bench, 75, "space-full");
    disk.remount("size=64m");
    ends_whole(&mut bench);
}

#[test]
fn needs_root_room_that_must_stay_free_is_left_alone() {
    let (mut bench, disk) = mounted("4m");
    bench.write("large", vec![7; 5 << 20]);
    ends_early(&mut bench, 75, "space-full");
    assert!(Tree::of(&bench.copy()).files.is_empty());
    disk.remount("size=64m");
    bench.sandbox.configure("[ingest]\nmin_free = \"60MiB\"\n");
    ends_early(&mut bench, 75, "space-full");
    assert!(Tree::of(&bench.copy()).files.is_empty());
    bench.sandbox.configure("[ingest]\nmin_free = \"1%\"\n");
    ends_whole(&mut bench);
}

#[test]
fn needs_root_a_full_state_ends_the_run_and_room_lets_the_next_one_end_it() {
    let mut bench = Bench::new();
    std::fs::create_dir_all(bench.sandbox.state()).unwrap();
    let disk = Mounted::tmpfs(&bench.sandbox.state(), "192k");
    bench.sandbox.adopt();
    many_small_files(&bench, 3000);
    let source = bench.look();
    let ended = bench.ingest().end().with(4);
    assert!(ended.stderr.contains("[state-unusable]"), "{}", ended.stderr);
    assert_eq!(source, Tree::of(&bench.source()), "the source was changed");
    law::untorn(&bench, &Tree::default());
    law::no_litter(&bench);
    disk.remount("size=64m");
    ends_whole(&mut bench);
}

#[test]
fn needs_root_a_read_only_space_is_left_alone_and_the_run_is_to_be_tried_again() {
    let (mut bench, disk) = mounted("16m");
    bench.write("file", "one");
    bench.finish();
    bench.write("file", "two");
    let before = trees::snapshot(&bench.sandbox.space());
    disk.remount("ro");
    ends_early(&mut bench, 75, "space-read-only");
    assert_eq!(before, trees::snapshot(&bench.sandbox.space()));
    disk.remount("rw");
    ends_whole(&mut bench);
}

#[test]
fn needs_root_below_a_bare_mount_point_nothing_is_ever_written() {
    let bench = Bench::bare(Sandbox::new());
    let disk = Mounted::tmpfs(&bench.sandbox.space(), "16m");
    bench.sandbox.run("phc-mount").arg("adopt").arg(bench.sandbox.space()).end().ok();
    bench.write("file", "one");
    bench.ingest().end().ok();
    disk.detach();
    let plan = bench.command("plan").args(["--cloud", CLOUD, "--source"]).arg(bench.source());
    for run in [plan, bench.command("verify"), bench.command("expire")] {
        run.end().with(75);
        assert_bare(&bench.sandbox.space());
    }
    let ended = bench.ingest().end().with(75);
    assert_eq!(finished(&ended).text("outcome"), "deferred");
    assert_bare(&bench.sandbox.space());
}

fn assert_bare(point: &Path) {
    let found = trees::list(point);
    assert!(found.is_empty(), "below the bare mount point: {found:?}");
}
