//! Names and depths that a case's file can't hold well, and how JSON tells of them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use data_encoding::BASE64;
use rustix::fs::{CWD, Mode, OFlags};
use tests::trees;

use crate::case::Expected;
use crate::runs;
use crate::world::World;

fn any() -> Expected {
    Expected { any_totals: true, ..Expected::default() }
}

#[test]
fn json_never_loses_a_byte_of_a_name() {
    let world = World::new(None);
    let name = b"caf\xe9 \xff\xfe\n".to_vec();
    fs::write(world.source().join(OsStr::from_bytes(&name)), "x").unwrap();
    let told = |command: &str, kind: &str| {
        let ended = runs::about(&world, command, &any()).end().ok();
        let event = ended.event(kind);
        let base64 = event.text("path/bytes").to_owned();
        assert_eq!(BASE64.decode(base64.as_bytes()).unwrap(), name, "{command}");
    };
    told("plan", "phc.ingest.file.planned");
    told("run", "phc.ingest.file.stored");
    fs::remove_file(world.copy().join(OsStr::from_bytes(&name))).unwrap();
    let verify = world.sandbox.run("phc-ingest").arg("verify").arg("--space");
    let ended = verify.arg(world.sandbox.space()).end().ok();
    let lost = ended.event("phc.ingest.problem.reported");
    assert_eq!(BASE64.decode(lost.text("where/bytes").as_bytes()).unwrap(), name);
}

#[test]
fn names_of_255_bytes_fit_with_and_without_utf_8() {
    let world = World::new(None);
    for name in [vec![b'n'; 255], vec![0xff; 255], "ä".repeat(127).into_bytes()] {
        let name = OsString::from_vec(name);
        fs::create_dir_all(world.source().join("in").join(&name)).unwrap();
        fs::write(world.source().join("in").join(&name).join(&name), "first").unwrap();
    }
    runs::ingest(&world, &any());
    trees::assert_copied(&world.source(), &world.copy());
    for path in trees::list(&world.source()).keys().filter(|path| path.components().count() == 3) {
        fs::write(world.source().join(path), "second").unwrap();
    }
    runs::ingest(&world, &any());
    trees::assert_copied(&world.source(), &world.copy());
    runs::idle(&world);
}

/// Makes a file below so many folders of this name, without ever saying its whole path.
fn dig(root: &Path, name: &str, depth: usize) {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY;
    let mut at = rustix::fs::openat(CWD, root, flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        rustix::fs::mkdirat(&at, name, Mode::from(0o755)).unwrap();
        at = rustix::fs::openat(&at, name, flags, Mode::empty()).unwrap();
    }
    let flags = OFlags::CREATE | OFlags::WRONLY;
    let file = rustix::fs::openat(&at, "deepest", flags, Mode::from(0o644)).unwrap();
    rustix::io::write(&file, b"found").unwrap();
}

/// The text of the file that [`dig`] made.
fn dug(root: &Path, name: &str, depth: usize) -> Vec<u8> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY;
    let mut at = rustix::fs::openat(CWD, root, flags, Mode::empty()).unwrap();
    for level in 0..depth {
        at = rustix::fs::openat(&at, name, flags, Mode::empty())
            .unwrap_or_else(|e| panic!("{e} at level {level}"));
    }
    let file = rustix::fs::openat(&at, "deepest", OFlags::RDONLY, Mode::empty()).unwrap();
    let mut bytes = [0; 16];
    let read = rustix::io::read(&file, &mut bytes).unwrap();
    bytes[..read].to_vec()
}

#[test]
fn two_hundred_levels_are_no_matter() {
    let world = World::new(None);
    dig(&world.source(), "d", 200);
    runs::ingest(&world, &any());
    trees::assert_copied(&world.source(), &world.copy());
    runs::idle(&world);
}

#[test]
fn a_path_longer_than_the_system_takes_at_once_comes_in() {
    let world = World::new(None);
    let (name, depth) = ("n".repeat(175), 40);
    fs::write(world.source().join("near"), "near").unwrap();
    dig(&world.source(), &name, depth);
    for _ in 0..2 {
        let ended = runs::about(&world, "run", &any()).end().ok();
        assert_eq!(runs::finished(&ended).count("totals/files"), 2);
    }
    assert_eq!(dug(&world.copy(), &name, depth), b"found");
    let verify = world.sandbox.run("phc-ingest").arg("verify").arg("--space");
    let ended = verify.arg(world.sandbox.space()).end().ok();
    assert_eq!(ended.event("phc.ingest.copies.verified").count("checked"), 2);
}
