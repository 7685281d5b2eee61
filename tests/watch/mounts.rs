//! A space that is unmounted, a source that another program keeps.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::trees;

use crate::watcher::Bench;

/// What a test mounted; unmounted with it.
struct Mount(PathBuf);

impl Mount {
    fn bind(what: &Path, point: &Path) -> Mount {
        Mount::by(Command::new("mount").arg("--bind").arg(what).arg(point), point)
    }

    fn by(command: &mut Command, point: &Path) -> Mount {
        assert!(command.status().unwrap().success(), "{command:?}");
        Mount(point.to_owned())
    }

    /// Not lazily: whoever holds anything open stands in the way.
    fn unmount(self) {
        assert!(Command::new("umount").arg(&self.0).status().unwrap().success());
        std::mem::forget(self);
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn needs_root_the_space_can_be_unmounted_and_nothing_is_lost_until_it_is_back() {
    let bench = Bench::new();
    let disk = bench.sandbox.path("disk");
    std::fs::rename(bench.sandbox.space(), &disk).unwrap();
    std::fs::create_dir(bench.sandbox.space()).unwrap();
    let mount = Mount::bind(&disk, &bench.sandbox.space());
    bench.write("a", "a");
    let mut watcher = bench.watch();
    bench.write("b", "b");
    watcher.wait_for_file("b");
    watcher.wait_for("phc.ingest.run.finished");
    mount.unmount();
    bench.write("c", "c");
    let deferred = watcher.wait_for("phc.ingest.watch.deferred");
    assert_eq!(deferred.count("folders"), 1);
    bench.write("d/e", "e");
    std::fs::remove_file(bench.source("a")).unwrap();
    let _mount = Mount::bind(&disk, &bench.sandbox.space());
    watcher.wait_for_file("d/e");
    watcher.stop();
    std::fs::write(bench.source("a"), "another a").unwrap();
    bench.run().ok();
    trees::assert_copied(&bench.source(""), &bench.copy(""));
}

#[test]
fn needs_root_needs_bindfs_what_nobody_tells_of_is_looked_for() {
    let bench = Bench::new();
    bench.sandbox.configure("[ingest]\npoll = \"1s\"\n");
    let kept = bench.sandbox.path("kept-elsewhere");
    std::fs::create_dir(&kept).unwrap();
    let _mount =
        Mount::by(Command::new("bindfs").arg(&kept).arg(bench.source("")), &bench.source(""));
    std::fs::write(kept.join("old"), "old").unwrap();
    let mut watcher = bench.start(&[]);
    let started = watcher.wait_for("phc.ingest.watch.started");
    assert_eq!((started.text("by"), started.count("poll_s")), ("both", 1));
    watcher.wait_for("phc.ingest.run.finished");
    std::fs::write(kept.join("behind"), "its back").unwrap();
    watcher.wait_for_file("behind");
    std::fs::write(bench.source("through"), "it").unwrap();
    watcher.wait_for_file("through");
    watcher.stop();
}
