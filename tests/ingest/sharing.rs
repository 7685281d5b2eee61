//! Equal content is stored once where the file system lets files share blocks: on btrfs and xfs.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use host::extents;
use tests::{Ended, Sandbox};

use crate::runs;

const SIZE: usize = 20 << 20;

/// A fresh file system in a file, unmounted when dropped.
struct Disk {
    _folder: tempfile::TempDir,
    point: PathBuf,
}

impl Disk {
    fn fresh(kind: &str) -> Disk {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let (image, point) = (folder.path().join("image"), folder.path().join("disk"));
        File::create(&image).unwrap().set_len(512 << 20).unwrap();
        fs::create_dir(&point).unwrap();
        let made = Command::new(format!("mkfs.{kind}")).arg("-q").arg(&image).status();
        assert!(made.unwrap().success(), "mkfs.{kind}");
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&point).status();
        assert!(mounted.unwrap().success(), "mount a {kind}");
        Disk { _folder: folder, point }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.point).status();
    }
}

fn content(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()
    };
    (0..SIZE / 4).flat_map(|_| next()).collect()
}

fn ingest(sandbox: &Sandbox, source: &Path, cloud: &str) -> Ended {
    std::thread::sleep(std::time::Duration::from_millis(25));
    let run = sandbox.run("phc-ingest").args(["run", "--cloud", cloud, "--source"]);
    run.arg(source).arg("--space").arg(sandbox.space()).end().ok()
}

fn place(path: &Path) -> Option<extents::Layout> {
    extents::layout(&File::open(path).unwrap()).unwrap()
}

fn shares(kind: &str) {
    let disk = Disk::fresh(kind);
    let sandbox = Sandbox::on(&disk.point);
    sandbox.adopt();
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let sources = ["one", "two"].map(|name| elsewhere.path().join(name));
    for source in &sources {
        fs::create_dir(source).unwrap();
        fs::write(source.join("large"), content(7)).unwrap();
        fs::write(source.join("small"), "the same, and too small to care").unwrap();
    }
    fs::write(sources[1].join("again"), content(7)).unwrap();
    fs::write(sources[1].join("other"), content(8)).unwrap();
    let first = runs::finished(&ingest(&sandbox, &sources[0], "one"));
    assert_eq!(first.count("totals/bytes_shared"), 0, "{kind}");
    let second = runs::finished(&ingest(&sandbox, &sources[1], "two"));
    assert_eq!(second.count("totals/bytes_shared"), 2 * SIZE as u64, "{kind}");
    let copy = |path: &str| sandbox.device().join(path);
    let one = place(&copy("one/large"));
    assert!(one.is_some(), "{kind}");
    assert_eq!(one, place(&copy("two/large")), "{kind}: not shared");
    assert_eq!(one, place(&copy("two/again")), "{kind}: not shared");
    assert_ne!(one, place(&copy("two/other")));
    for (cloud, name) in [("one", "large"), ("two", "large"), ("two", "again"), ("two", "other")] {
        let source = sources[usize::from(cloud == "two")].join(name);
        let (was, is) = (source.metadata().unwrap(), copy(cloud).join(name).metadata().unwrap());
        let stamp = |meta: &fs::Metadata| (meta.mtime(), meta.mtime_nsec(), meta.len());
        assert_eq!(stamp(&was), stamp(&is), "{kind}");
        assert_eq!(fs::read(source).unwrap(), fs::read(copy(cloud).join(name)).unwrap());
    }
    // An edit of one is no edit of the other.
    fs::write(sources[1].join("large"), content(9)).unwrap();
    ingest(&sandbox, &sources[1], "two");
    assert_eq!(fs::read(copy("one/large")).unwrap(), content(7));
    let told = sandbox.run("phc-ingest").args(["duplicates", "--space"]);
    let told = told.arg(sandbox.space()).end().ok();
    let contents = told.events_of("phc.ingest.content.duplicated");
    let figures: Vec<_> = contents
        .iter()
        .map(|told| {
            (told.count("copies"), told.count("shared_bytes"), told.count("unshared_bytes"))
        })
        .collect();
    assert_eq!(figures, [(2, SIZE as u64, 0), (2, 0, 31)], "{kind}");
}

fn reflinks(kind: &str) {
    let disk = Disk::fresh(kind);
    let sandbox = Sandbox::on(&disk.point);
    sandbox.adopt();
    let path = sandbox.write("source/large", content(7));
    ingest(&sandbox, &sandbox.path("source"), "docs");
    let copy = sandbox.device().join("docs/large");
    assert_eq!(fs::read(&copy).unwrap(), content(7));
    let place_of_source = place(&path);
    assert!(place_of_source.is_some());
    assert_eq!(place_of_source, place(&copy), "{kind}: the source was copied, not cloned");
}

#[test]
fn needs_root_needs_reflinks_the_same_content_in_two_clouds_is_stored_once_on_btrfs() {
    shares("btrfs");
}

#[test]
fn needs_root_needs_reflinks_the_same_content_in_two_clouds_is_stored_once_on_xfs() {
    shares("xfs");
}

#[test]
fn needs_root_needs_reflinks_a_source_on_the_spaces_own_disk_is_cloned() {
    reflinks("btrfs");
    reflinks("xfs");
}

#[test]
fn where_nothing_can_be_shared_duplicates_are_listed_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    sandbox.write("one/a", "the same");
    sandbox.write("one/b", "the same");
    sandbox.write("two/deep/c", "the same");
    sandbox.write("two/d", "another");
    sandbox.write("two/empty", "");
    sandbox.write("one/empty", "");
    ingest(&sandbox, &sandbox.path("one"), "one");
    ingest(&sandbox, &sandbox.path("two"), "two");
    let call = |least: &str| {
        let run = sandbox.run("phc-ingest").args(["duplicates", "--min-size", least, "--space"]);
        run.arg(sandbox.space()).end().ok()
    };
    let told = call("1");
    let content = told.event("phc.ingest.content.duplicated");
    assert_eq!((content.count("copies"), content.count("unshared_bytes")), (3, 16));
    let paths: Vec<String> = content
        .at("paths")
        .as_array()
        .unwrap()
        .iter()
        .map(|p| format!("{}/{}", p["cloud"].as_str().unwrap(), p["path"].as_str().unwrap()))
        .collect();
    assert_eq!(paths, ["one/a", "one/b", "two/deep/c"]);
    assert_eq!(told.event("phc.ingest.duplicates.counted").count("contents"), 1);
    assert_eq!(call("9").event("phc.ingest.duplicates.counted").count("contents"), 0);
}
