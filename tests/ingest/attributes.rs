//! Extended attributes: on the copies as far as these can have them, and told where not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{XattrFlags, getxattr, removexattr, setxattr};

use crate::case::Expected;
use crate::runs;
use crate::world::World;

fn set(path: &Path, name: &str, value: &[u8]) {
    setxattr(path, name, value, XattrFlags::empty()).unwrap();
}

fn get(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0u8; 64];
    getxattr(path, name, &mut value).ok().map(|size| value[..size].to_vec())
}

fn any() -> Expected {
    Expected { any_totals: true, ..Expected::default() }
}

fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(40));
}

#[test]
fn copies_have_the_attributes_of_their_files_and_follow_their_changes() {
    let world = World::new(None);
    let (source, copy) = (world.source().join("a"), world.copy().join("a"));
    fs::write(&source, "content").unwrap();
    set(&source, "user.tag", b"red");
    set(&source, "user.note", b"old");
    fs::set_permissions(&source, fs::Permissions::from_mode(0o444)).unwrap();
    settle();
    let ended = runs::about(&world, "run", &any()).end().ok();
    assert!(ended.events().iter().all(|e| !e.kind.ends_with("attributes.dropped")));
    assert_eq!(get(&copy, "user.tag"), Some(b"red".to_vec()));
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o440);

    set(&source, "user.tag", b"blue");
    removexattr(&source, "user.note").unwrap();
    settle();
    let time = fs::metadata(&copy).unwrap().modified().unwrap();
    runs::about(&world, "run", &any()).end().ok();
    assert_eq!(get(&copy, "user.tag"), Some(b"blue".to_vec()));
    assert_eq!(get(&copy, "user.note"), None);
    assert_eq!(fs::metadata(&copy).unwrap().modified().unwrap(), time, "the copy was written");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o440);
}

#[test]
fn what_copies_are_not_to_have_is_told_once_a_run_with_how_many_files() {
    let world = World::new(None);
    world.sandbox.write("phc.toml", "[ingest]\nkeep_xattrs = [\"user.kept\"]\n");
    for name in ["a", "b"] {
        fs::write(world.source().join(name), name).unwrap();
        set(&world.source().join(name), "user.kept", b"1");
        set(&world.source().join(name), "user.other", b"2");
    }
    settle();
    let config = world.sandbox.path("phc.toml");
    let run = runs::about(&world, "run", &any()).arg("--config").arg(config);
    let ended = run.end().ok();
    let told = ended.event("phc.ingest.attributes.dropped");
    assert_eq!(told.at("names/0/name"), "user.other");
    assert_eq!(told.count("names/0/files"), 2);
    assert_eq!(get(&world.copy().join("b"), "user.kept"), Some(b"1".to_vec()));
    assert_eq!(get(&world.copy().join("b"), "user.other"), None);
}

#[test]
fn a_copy_that_is_mended_has_its_attributes_again() {
    let world = World::new(None);
    fs::write(world.source().join("a"), "content").unwrap();
    set(&world.source().join("a"), "user.tag", b"red");
    settle();
    runs::about(&world, "run", &any()).end().ok();
    fs::write(world.copy().join("a"), "CONTENT").unwrap();
    let verify = world.sandbox.run("phc-ingest").arg("verify").arg("--space");
    let ended = verify.arg(world.sandbox.space()).end().ok();
    assert_eq!(ended.event("phc.ingest.copies.verified").count("repaired"), 1);
    assert_eq!(fs::read(world.copy().join("a")).unwrap(), b"content");
    assert_eq!(get(&world.copy().join("a"), "user.tag"), Some(b"red".to_vec()));
}
