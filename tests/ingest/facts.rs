//! What a source says of a file beyond its content is kept in the catalog.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use data_encoding::BASE64;
use rustix::fs::XattrFlags;
use serde_json::Value;

use crate::case::Expected;
use crate::world::World;
use crate::{eyes, runs};

fn mark(path: &Path, colour: &str) {
    rustix::fs::setxattr(path, "user.colour", colour.as_bytes(), XattrFlags::empty())
        .unwrap_or_else(|e| panic!("{}: {e}: tests need user attributes", path.display()));
}

/// The newest line of the catalog.
fn newest(world: &World) -> Value {
    let any = Expected { any_totals: true, ..Expected::default() };
    runs::ingest(world, &any);
    eyes::increments(&world.sandbox.device(), "docs").pop().unwrap()
}

fn colour(line: &Value) -> String {
    let value = line["xattrs"]["user.colour"].as_str().unwrap_or_else(|| panic!("none in {line}"));
    String::from_utf8(BASE64.decode(value.as_bytes()).unwrap()).unwrap()
}

#[test]
fn extended_attributes_are_kept_when_stored_touched_and_adopted() {
    let world = World::new(None);
    let path = world.source().join("a");
    std::fs::write(&path, "a").unwrap();
    mark(&path, "blue");
    assert_eq!(colour(&newest(&world)), "blue");
    mark(&path, "red");
    let line = newest(&world);
    assert_eq!((line["change"].as_str(), colour(&line).as_str()), (Some("touched"), "red"));
    std::fs::remove_file(&path).unwrap();
    std::fs::write(world.source().join("b"), "b").unwrap();
    newest(&world);
    std::fs::write(&path, "a").unwrap();
    mark(&path, "green");
    let line = newest(&world);
    assert_eq!((line["change"].as_str(), colour(&line).as_str()), (Some("adopted"), "green"));
}

#[test]
fn owner_and_mode_are_kept_though_the_copy_has_others() {
    let world = World::new(None);
    let path = world.source().join("a");
    std::fs::write(&path, "a").unwrap();
    crate::hands::chmod(&path, 0o4755);
    let line = newest(&world);
    let meta = path.metadata().unwrap();
    assert_eq!(line["mode"], meta.mode() & 0o7777);
    assert_eq!((&line["uid"], &line["gid"]), (&meta.uid().into(), &meta.gid().into()));
}
