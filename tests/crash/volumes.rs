//! The volume under the space becomes full, broken or another one, in mid-run and between runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tests::{Sandbox, trees};

use crate::bench::{Bench, CLOUD, finished, why};
use crate::law;
use crate::mounted::{Mounted, sh};
use crate::versions::Tree;

/// A bench whose space is a mount of its own, with something stored.
fn mounted() -> (Bench, Mounted) {
    let mut bench = Bench::bare(Sandbox::new());
    let disk = Mounted::tmpfs(&bench.sandbox.space(), "400m");
    adopt(&bench);
    bench.write("before", "in the space before");
    bench.finish();
    (bench, disk)
}

/// As a mount, which is away when it is not mounted.
fn adopt(bench: &Bench) {
    bench.sandbox.run("phc-mount").arg("adopt").arg(bench.sandbox.space()).end().ok();
}

/// Free bytes of a file system.
fn free(path: &Path) -> u64 {
    let told = rustix::fs::statvfs(path).unwrap();
    told.f_bavail * told.f_frsize
}

/// Shows a mounted file system at a second place.
fn shown_at(bench: &Bench, name: &str) -> (PathBuf, Mounted) {
    let point = bench.sandbox.path(name);
    fs::create_dir(&point).unwrap();
    let disk = Mounted::bind(&bench.sandbox.space(), &point);
    (point, disk)
}

#[test]
fn needs_root_a_space_moved_elsewhere_in_mid_run_is_still_the_same_and_its_old_place_gets_nothing()
{
    let (mut bench, disk) = mounted();
    let before = Tree::of(&bench.copy());
    bench.write_much();
    let source = bench.look();
    let running = bench.caught(bench.ingest());
    let (elsewhere, moved) = shown_at(&bench, "elsewhere");
    disk.detach();
    running.signal(Signal::CONT);
    let ended = running.end();
    assert!([Some(0), Some(75)].contains(&ended.code), "{:?}: {}", ended.code, ended.stderr);
    assert_eq!(trees::list(&bench.sandbox.space()).len(), 0, "the bare mount point was written");
    bench.ingest().end().with(75);
    assert_eq!(trees::list(&bench.sandbox.space()).len(), 0, "the bare mount point was written");

    let _back = Mounted::bind(&elsewhere, &bench.sandbox.space());
    moved.detach();
    law::untorn(&bench, &before);
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

#[test]
fn needs_root_another_volume_in_the_spaces_place_in_mid_run_and_after_gets_nothing() {
    let (mut bench, disk) = mounted();
    let before = Tree::of(&bench.copy());
    bench.write_much();
    let source = bench.look();
    let running = bench.caught(bench.ingest());
    let (kept, first) = shown_at(&bench, "kept");
    disk.detach();
    // Another space of the same person: it has a sentinel and this device's folder, but not the pinned id.
    let other = Mounted::tmpfs(&bench.sandbox.space(), "400m");
    fs::create_dir_all(bench.copy()).unwrap();
    let sentinel = fs::read_to_string(kept.join(".phc-space.json")).unwrap();
    let id = serde_json::from_str::<serde_json::Value>(&sentinel).unwrap()["id"].clone();
    let another = sentinel.replace(id.as_str().unwrap(), "018f4a52-7c1e-4d3a-9b1c-2f6e5d4c3b2a");
    fs::write(bench.sandbox.space().join(".phc-space.json"), another).unwrap();
    let untouched = trees::snapshot(&bench.sandbox.space());

    running.signal(Signal::CONT);
    let ended = running.end();
    assert!([Some(0), Some(75)].contains(&ended.code), "{:?}: {}", ended.code, ended.stderr);
    assert_eq!(untouched, trees::snapshot(&bench.sandbox.space()), "in mid-run");
    let ended = bench.ingest().end().with(75);
    assert_eq!(finished(&ended).text("outcome"), "deferred");
    assert_eq!(untouched, trees::snapshot(&bench.sandbox.space()), "between runs");

    other.detach();
    let _back = Mounted::bind(&kept, &bench.sandbox.space());
    first.detach();
    law::untorn(&bench, &before);
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

#[test]
fn needs_root_another_volume_that_is_accepted_as_the_space_is_filled_from_the_source() {
    let (mut bench, disk) = mounted();
    bench.write("after", "not stored yet");
    disk.detach();
    let _other = Mounted::tmpfs(&bench.sandbox.space(), "400m");
    let adopt = bench.sandbox.run("phc-mount").args(["adopt", "--repin"]);
    adopt.arg(bench.sandbox.space()).end().ok();
    let source = bench.look();
    let ended = bench.ingest().end().ok();
    let told = ended.event("phc.ingest.problem.reported");
    assert_eq!(told.text("code"), "space-rolled-back");
    assert_eq!(Tree::of(&bench.copy()), source);
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

#[test]
fn needs_root_a_volume_that_turns_read_only_in_mid_run_ends_it_and_mended_lets_the_next_one_end_it()
{
    let mut bench = Bench::bare(Sandbox::new());
    let (image, space) = (bench.sandbox.path("image"), bench.sandbox.space());
    let disk = Mounted::ext4(&image, &space);
    adopt(&bench);
    bench.write("before", "in the space before");
    bench.finish();
    let before = Tree::of(&bench.copy());
    bench.write_much();
    let source = bench.look();
    let running = bench.caught(bench.ingest());
    break_file_system(&space);
    running.signal(Signal::CONT);
    let ended = running.end();
    assert!([Some(4), Some(75)].contains(&ended.code), "{:?}: {}", ended.code, ended.stderr);
    assert!(["space-read-only", "io"].contains(&&*why(&ended)), "{}", ended.stderr);
    assert_eq!(source, Tree::of(&bench.source()), "the source was changed");
    law::untorn(&bench, &before);
    bench.ingest().end().with(75);

    drop(disk);
    let checked = Command::new("fsck.ext4").args(["-fy"]).arg(&image).output().unwrap();
    assert!(checked.status.code().is_some_and(|code| code < 4), "{checked:?}");
    let _disk = Mounted::image(&image, &space);
    law::untorn(&bench, &before);
    bench.finish();
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

/// What the kernel does when it finds an ext4 damaged: it goes read-only at once.
fn break_file_system(point: &Path) {
    sh("mount", &["-o", "remount,errors=remount-ro", point.to_str().unwrap()]);
    let told = Command::new("findmnt").args(["-n", "-o", "SOURCE"]).arg(point).output().unwrap();
    let device = String::from_utf8(told.stdout).unwrap();
    let name = Path::new(device.trim()).file_name().unwrap().to_owned();
    let trigger = Path::new("/sys/fs/ext4").join(name).join("trigger_fs_error");
    fs::write(&trigger, "a test").unwrap_or_else(|e| panic!("{}: {e}", trigger.display()));
}

/// Room for the copies, and then for nothing more: neither the catalog nor the spool gets a byte.
#[test]
fn needs_root_a_space_that_is_full_when_the_catalog_is_due_loses_no_news() {
    for spare in [0, 1, 2, 3, 4] {
        let mut bench = Bench::bare(Sandbox::new());
        let disk = Mounted::tmpfs(&bench.sandbox.space(), "1m");
        bench.sandbox.adopt();
        bench.sandbox.configure(&format!("[ingest]\nmin_free = \"0%\"\n[cloud.{CLOUD}]\n"));
        bench.write("before", "in the space before");
        bench.finish();
        let pages = free(&bench.sandbox.space()) / 4096 - spare;
        bench.write("all that fits", vec![5; usize::try_from(pages * 4096).unwrap()]);
        let source = bench.look();
        let ended = bench.ingest().end();
        let code = ended.code;
        assert!([Some(0), Some(75)].contains(&code), "{spare}: {code:?} {}", ended.stderr);
        assert!(code == Some(0) || why(&ended) == "space-full", "{spare}: {}", ended.stderr);
        assert!(spare > 0 || code == Some(75), "nothing was too small: {}", ended.stdout);
        law::no_litter(&bench);
        disk.remount("size=64m");
        let last = bench.finish();
        law::whole(&bench, &source, &last);
    }
}
