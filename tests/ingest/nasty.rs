//! Names from `nasty-names.txt`, on file systems that hold all of them and on such that do not:
//! stored, unchanged on the second run, verified, and found again in both directions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64;
use serde_json::Value;
use tests::{Ended, Sandbox};

use crate::case::Expected;
use crate::hands;
use crate::runs;
use crate::world::World;

fn names() -> Vec<PathBuf> {
    let names: Vec<PathBuf> = include_str!("nasty-names.txt").lines().map(hands::path).collect();
    assert!(names.len() >= 300);
    names
}

/// A new exFAT volume, mounted through FUSE; gone with the test.
struct ExFat {
    point: PathBuf,
    device: String,
}

impl ExFat {
    fn mounted(image: &Path, point: &Path) -> ExFat {
        fs::File::create(image).unwrap().set_len(64 << 20).unwrap();
        assert!(Command::new("mkfs.exfat").arg(image).output().unwrap().status.success());
        let output =
            Command::new("losetup").args(["--find", "--show"]).arg(image).output().unwrap();
        let device = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let volume = ExFat { point: point.to_owned(), device };
        let mut mount = Command::new("mount");
        mount.args(["-t", "exfat-fuse", &volume.device]).arg(point);
        assert!(mount.output().unwrap().status.success(), "mount.exfat-fuse");
        volume
    }
}

impl Drop for ExFat {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.point).status();
        let _ = Command::new("losetup").args(["-d", &self.device]).status();
    }
}

/// A world whose space lies on exFAT.
fn on_exfat() -> (World, ExFat) {
    let sandbox = Sandbox::new();
    let volume = ExFat::mounted(&sandbox.path("image"), &sandbox.space());
    sandbox.adopt();
    fs::create_dir(sandbox.path("source")).unwrap();
    (World { sandbox, plan: None }, volume)
}

fn run(world: &World) -> Ended {
    runs::about(world, "run", &Expected::default()).end().ok()
}

fn total(ended: &Ended, name: &str) -> u64 {
    runs::finished(ended).count(&format!("totals/{name}"))
}

fn verified(world: &World) -> u64 {
    let verify = world.sandbox.run("phc-ingest").args(["verify", "--no-repair", "--space"]);
    let ended = verify.arg(world.sandbox.space()).end().ok();
    ended.event("phc.ingest.copies.verified").count("checked")
}

fn path_of(value: &Value) -> PathBuf {
    match value {
        Value::String(text) => PathBuf::from(text),
        other => {
            let bytes = BASE64.decode(other["bytes"].as_str().unwrap().as_bytes()).unwrap();
            PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
        }
    }
}

/// What `phc-ingest name` tells of these: the source's path and the copy's, below their roots.
fn told(world: &World, paths: impl Iterator<Item = PathBuf>) -> Vec<(PathBuf, PathBuf)> {
    let ended = world.sandbox.run("phc-ingest").args(["name", "--"]).args(paths).end().ok();
    let events = ended.events().into_iter().filter(|event| event.kind.ends_with(".name.told"));
    events
        .map(|event| {
            assert_eq!(event.text("cloud"), "docs");
            (path_of(event.at("path")), path_of(event.at("copy")))
        })
        .collect()
}

/// Every name, as a file and as a folder.
fn all_names_come_in(world: &World) {
    let mut contents: BTreeMap<PathBuf, String> = BTreeMap::new();
    for name in names() {
        contents.insert(name.clone(), format!("file {name:?}"));
        contents.insert(Path::new("in folders").join(&name).join("file"), format!("in {name:?}"));
    }
    for (path, text) in &contents {
        let full = world.source().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }
    let all = contents.len() as u64;
    assert_eq!(total(&run(world), "stored"), all);
    std::thread::sleep(std::time::Duration::from_millis(30));
    run(world);
    let second = run(world);
    assert_eq!((total(&second, "unchanged"), total(&second, "stored")), (all, 0));
    assert_eq!(verified(world), all);
    let copies = told(world, contents.keys().map(|path| world.source().join(path)));
    assert_eq!(copies.len(), contents.len());
    for (path, copy) in &copies {
        let found = fs::read_to_string(world.copy().join(copy)).unwrap();
        assert_eq!(&found, &contents[path], "{copy:?}");
    }
    let back = told(world, copies.iter().map(|(_, copy)| world.copy().join(copy)));
    assert_eq!(back, copies);
}

#[test]
fn all_names_come_in_on_a_file_system_that_holds_them_as_they_are() {
    let world = World::new(None);
    all_names_come_in(&world);
    tests::trees::assert_copied(&world.source(), &world.copy());
}

#[test]
fn needs_root_needs_exfat_all_names_come_in_on_exfat_spelled_so_that_it_holds_them() {
    let (world, _volume) = on_exfat();
    all_names_come_in(&world);
}

#[test]
fn needs_root_needs_exfat_twins_live_their_own_lives() {
    let (world, _volume) = on_exfat();
    let write = |name: &str, text: &str| fs::write(world.source().join(name), text).unwrap();
    let copy = |name: &str| {
        let copies = told(&world, std::iter::once(world.source().join(name)));
        fs::read_to_string(world.copy().join(&copies[0].1)).unwrap()
    };
    write("README", "one");
    run(&world);
    write("readme", "two");
    write("ReadMe?", "three");
    assert_eq!(total(&run(&world), "stored"), 2);
    assert_eq!([copy("README"), copy("readme"), copy("ReadMe?")], ["one", "two", "three"]);
    write("README", "one changed");
    fs::rename(world.source().join("ReadMe?"), world.source().join("Readme")).unwrap();
    let ended = run(&world);
    assert_eq!((total(&ended, "replaced"), total(&ended, "renamed")), (1, 1));
    assert_eq!([copy("README"), copy("readme"), copy("Readme")], ["one changed", "two", "three"]);
    // What is lost is made again from the catalog, names and all.
    let state = world.sandbox.state().join("devices/bench/sam/ingest/docs");
    for file in ["manifest.sqlite", "manifest.sqlite-wal", "manifest.sqlite-shm", "target.json"] {
        let _ = fs::remove_file(state.join(file));
    }
    let ended = runs::about(&world, "run", &Expected::default()).end();
    assert_eq!((total(&ended, "stored"), total(&ended, "replaced")), (0, 0));
    assert_eq!([copy("README"), copy("readme"), copy("Readme")], ["one changed", "two", "three"]);
    assert_eq!(verified(&world), 3);
}

#[test]
fn needs_root_needs_exfat_a_kill_leaves_no_copy_that_nobody_knows_the_name_of() {
    for point in
        ["apply.copied", "apply.publishing@100", "apply.published", "manifest.committing@3"]
    {
        let (world, _volume) = on_exfat();
        for name in names() {
            fs::write(world.source().join(&name), format!("{name:?}")).unwrap();
        }
        let run = runs::about(&world, "run", &Expected::default());
        let killed = run.env("PHC_FAILPOINT", format!("{point}=kill")).end();
        assert_eq!(killed.signal, Some(9), "{point}");
        let ended = runs::about(&world, "run", &Expected::default()).end().ok();
        let all = names().len() as u64;
        assert_eq!(total(&ended, "files"), all, "{point}");
        for other in ["gone", "replaced", "renamed"] {
            assert_eq!(total(&ended, other), 0, "{point}: {other}");
        }
        // Nothing is there twice, and nothing that nobody explains.
        assert_eq!(fs::read_dir(world.copy()).unwrap().count() as u64, all, "{point}");
        assert_eq!(verified(&world), all, "{point}");
    }
}
