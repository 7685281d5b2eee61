//! A state that an earlier version left, one that a later version left, and one of another device or cloud.

use std::fs;
use std::path::{Path, PathBuf};

use tests::trees;

use crate::case::Expected;
use crate::world::World;
use crate::{eyes, runs};

fn manifest(world: &World) -> PathBuf {
    world.sandbox.state().join("devices/bench/sam/ingest/docs/manifest.sqlite")
}

/// SQLite's `user_version`, which lies at offset 60 of the file's header.
fn version(manifest: &Path) -> u32 {
    let bytes = fs::read(manifest).unwrap();
    u32::from_be_bytes(bytes[60..64].try_into().unwrap())
}

fn any(problems: &[&str]) -> Expected {
    let problems = problems.iter().map(|code| (*code).to_owned()).collect();
    Expected { any_totals: true, problems, ..Expected::default() }
}

/// A world with the files that the golden manifests know, of which `gone.txt` had left.
fn with_golden(version: u32) -> World {
    let world = World::new(None);
    for path in ["a.txt", "sub/b.txt", "sub/deep/c.txt"] {
        world.sandbox.write(&format!("source/{path}"), path);
    }
    crate::hands::write(&world.at(r"source/sub/n\xff"), "n", None, false);
    crate::hands::symlink(&world.source().join("link"), "a.txt");
    let path = manifest(&world);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    fs::copy(golden.join(format!("manifest-v{version}.sqlite")), &path).unwrap();
    world
}

#[test]
fn a_state_of_an_earlier_version_is_believed_goes_on_and_is_idle_then() {
    for earlier in 1..=1 {
        let mut world = with_golden(earlier);
        assert_eq!(version(&manifest(&world)), earlier);
        // It was another disk and another space: the old rows are what the guard refuses by.
        let refused = Expected {
            exit: 3,
            problem: Some("root-other-volume".to_owned()),
            ..any(&["space-rolled-back"])
        };
        world.plan = runs::ingest(&world, &refused);
        runs::approve(&world);
        runs::ingest(&world, &any(&["space-rolled-back"]));
        tests::trees::assert_copied(&world.source(), &world.copy());
        runs::idle(&world);
        assert!(version(&manifest(&world)) > earlier, "it was not migrated");
        let told = |path| eyes::in_catalog(&world.sandbox.device(), "docs", path);
        assert_eq!(told("sub/deep/c.txt"), "live");
        let state = trees::list(manifest(&world).parent().unwrap());
        let aside = state.keys().any(|path| path.to_string_lossy().contains("broken"));
        assert!(!aside, "it was taken for broken: {state:?}");
    }
}

#[test]
fn a_state_of_a_later_version_is_set_aside_and_made_again_without_a_byte_copied() {
    let world = World::new(None);
    world.sandbox.write("source/a", "one");
    world.sandbox.write("source/sub/b", "two");
    runs::ingest(&world, &any(&[]));
    let path = manifest(&world);
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&4000_u32.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    let before = trees::snapshot(&world.copy());
    runs::ingest(&world, &any(&["manifest-rebuilt"]));
    assert_eq!(before, trees::snapshot(&world.copy()), "something was copied again");
    runs::idle(&world);
}

/// Puts another manifest in the place of this cloud's; the next run sets it aside and copies nothing.
fn not_believed(world: &World, theirs: &Path) {
    for log in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{log}", manifest(world).display()));
    }
    fs::copy(theirs, manifest(world)).unwrap();
    let before = trees::snapshot(&world.copy());
    runs::ingest(world, &any(&["manifest-rebuilt"]));
    assert_eq!(before, trees::snapshot(&world.copy()), "it was believed");
}

#[test]
fn a_manifest_of_another_device_is_set_aside_and_nothing_of_it_is_believed() {
    let world = World::new(None);
    world.sandbox.write("source/a", "one");
    world.sandbox.write("source/sub/b", "two");
    runs::ingest(&world, &any(&[]));
    world.sandbox.write("theirs/a", "not ours");
    world.sandbox.write("theirs/c", "nor this");
    let run = world.sandbox.run("phc-ingest").env("PHC_USER", "kim").arg("--space");
    let run = run.arg(world.sandbox.space()).args(["run", "--cloud", "docs", "--source"]);
    run.arg(world.sandbox.path("theirs")).end().ok();
    let theirs = world.sandbox.state().join("devices/bench/kim/ingest/docs/manifest.sqlite");
    not_believed(&world, &theirs);
    assert_eq!(eyes::in_catalog(&world.sandbox.device(), "docs", "c"), "unknown");
    runs::idle(&world);
}

#[test]
fn a_manifest_of_another_cloud_is_set_aside_and_no_tombstone_is_lost() {
    let world = World::new(None);
    world.sandbox.write("source/a", "one");
    world.sandbox.write("source/gone", "two");
    runs::ingest(&world, &any(&[]));
    fs::remove_file(world.source().join("gone")).unwrap();
    runs::ingest(&world, &any(&[]));
    world.sandbox.write("theirs/a", "not ours");
    world.sandbox.write("theirs/c", "nor this");
    let run = world.sandbox.run("phc-ingest").arg("--space").arg(world.sandbox.space());
    let run = run.args(["run", "--cloud", "more", "--source"]);
    run.arg(world.sandbox.path("theirs")).end().ok();
    let theirs = world.sandbox.state().join("devices/bench/sam/ingest/more/manifest.sqlite");
    not_believed(&world, &theirs);
    let told = |path| eyes::in_catalog(&world.sandbox.device(), "docs", path);
    assert_eq!([told("a"), told("gone"), told("c")], ["live", "gone", "unknown"]);
    runs::idle(&world);
}
