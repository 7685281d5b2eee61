//! A manifest that is broken in any way is set aside and made again, and nothing is lost.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tests::trees;

use crate::case::Expected;
use crate::world::World;
use crate::{eyes, runs};

const FILES: usize = 120;

fn state(world: &World) -> PathBuf {
    world.sandbox.state().join("devices/bench/sam/ingest/docs")
}

/// A world in which many files are stored, one of them no longer live.
fn stored() -> World {
    let world = World::new(None);
    let folder = world.source().join("folder");
    fs::create_dir(&folder).unwrap();
    for n in 0..FILES {
        fs::write(folder.join(format!("file {n}")), format!("content {n}")).unwrap();
    }
    fs::write(world.source().join("leaves"), "tombstone").unwrap();
    let any = Expected { any_totals: true, ..Expected::default() };
    runs::ingest(&world, &any);
    fs::remove_file(world.source().join("leaves")).unwrap();
    runs::ingest(&world, &any);
    world
}

/// Breaks the manifest, edits one file and adds one, and runs.
fn survives(name: &str, harm: impl Fn(&Path)) {
    let world = stored();
    let manifest = state(&world).join("manifest.sqlite");
    harm(&manifest);
    fs::write(world.source().join("folder/file 7"), "edited").unwrap();
    fs::write(world.source().join("new"), "new").unwrap();
    let ended = runs::about(&world, "run", &Expected::default()).end();
    assert_eq!(ended.code, Some(0), "{name}: {}", ended.stderr);
    let mut wanted = eyes::texts(&world.source());
    wanted.insert("leaves".into(), "tombstone".to_owned());
    assert_eq!(eyes::texts(&world.copy()), wanted, "{name}");
    let versions = eyes::versions(&world.sandbox.device());
    assert_eq!(versions["docs/folder/file 7".as_ref() as &Path], ["content 7"], "{name}");
    assert_eq!(versions.len(), 1, "{name}: {versions:?}");
    let stored = runs::finished(&ended).count("totals/stored");
    assert_eq!(stored, 1, "{name}: what lay there already was copied again");
    let verify = world.sandbox.run("phc-ingest").arg("verify").arg("--space");
    verify.arg(world.sandbox.space()).end().ok();
    runs::idle(&world);
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

#[test]
fn garbage_in_its_place() {
    survives("garbage", |path| fs::write(path, "garbage ".repeat(1000)).unwrap());
    survives("an empty file", |path| fs::write(path, "").unwrap());
    survives("no file", |path| fs::remove_file(path).unwrap());
}

#[test]
fn a_folder_in_its_place() {
    survives("a folder", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir_all(path.join("in")).unwrap();
    });
}

#[test]
fn cut_off_anywhere() {
    for share in [1, 3, 7] {
        survives("truncated", |path| {
            let size = path.metadata().unwrap().len();
            OpenOptions::new().write(true).open(path).unwrap().set_len(size * share / 8).unwrap();
        });
    }
}

#[test]
fn bytes_flipped_anywhere() {
    for at in 1..24 {
        let world = stored();
        let manifest = state(&world).join("manifest.sqlite");
        let size = manifest.metadata().unwrap().len();
        overwrite(&manifest, size * at / 24, &[0xa5; 200]);
        fs::write(world.source().join("folder/file 7"), "edited").unwrap();
        let ended = runs::about(&world, "run", &Expected::default()).end();
        assert_eq!(ended.code, Some(0), "at {at}/24: {}", ended.stderr);
        // SQLite has no checksums: a flipped name or digest is believed, but nothing is lost by it.
        let copy = eyes::texts(&world.copy());
        for (path, text) in eyes::texts(&world.source()) {
            assert_eq!(copy.get(&path), Some(&text), "at {at}/24: {}", path.display());
        }
        let versions = eyes::versions(&world.sandbox.device());
        assert_eq!(versions["docs/folder/file 7".as_ref() as &Path], ["content 7"], "at {at}/24");
        assert!(copy.contains_key("leaves".as_ref() as &Path), "at {at}/24");
    }
}

#[test]
fn its_version_changed() {
    // SQLite's user_version lies at offset 60 of the file's header.
    survives("a version to come", |path| overwrite(path, 60, &[0, 0, 0x27, 0x0f]));
    survives("no version", |path| overwrite(path, 60, &[0; 4]));
}

#[test]
fn the_broken_one_is_kept_and_told_of() {
    let world = stored();
    let manifest = state(&world).join("manifest.sqlite");
    fs::write(&manifest, "precious garbage").unwrap();
    let told = Expected {
        any_totals: true,
        problems: vec!["manifest-rebuilt".to_owned()],
        ..Expected::default()
    };
    runs::ingest(&world, &told);
    let kept = trees::list(&state(&world)).into_keys().filter(|path| {
        fs::read(state(&world).join(path)).is_ok_and(|bytes| bytes == b"precious garbage")
    });
    assert_eq!(kept.count(), 1, "the broken manifest is gone");
}

#[test]
fn a_plan_with_a_broken_manifest_leaves_it_alone() {
    let world = stored();
    fs::write(state(&world).join("manifest.sqlite"), "garbage").unwrap();
    let mut told = Expected { any_totals: true, ..Expected::default() };
    told.problems = vec!["manifest-rebuilt".to_owned()];
    runs::plan(&world, &told);
}

#[test]
fn a_state_that_can_not_be_written_is_told_in_one_line() {
    let world = stored();
    fs::remove_file(state(&world).join("manifest.sqlite")).unwrap();
    let folder = state(&world);
    crate::hands::chmod(&folder, 0o500);
    let before = trees::snapshot(&world.copy());
    let expected = Expected { unprivileged: true, ..Expected::default() };
    let ended = runs::about(&world, "run", &expected).end().with(4);
    assert!(ended.stderr.contains("[state-unusable]"), "{}", ended.stderr);
    assert!(before == trees::snapshot(&world.copy()));
    crate::hands::chmod(&folder, 0o700);
}
