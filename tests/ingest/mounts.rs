//! Mounts, which only root can make: other volumes, mount points in a source, loops by bind mounts.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{Ended, trees};

use crate::case::Expected;
use crate::runs;
use crate::world::World;

/// What a test mounted; unmounted with it, the latest first.
#[derive(Default)]
struct Mounts(Vec<PathBuf>);

impl Mounts {
    fn mount(&mut self, arguments: &[&str], point: &Path) {
        std::fs::create_dir_all(point).unwrap();
        let status = Command::new("mount").args(arguments).arg(point).status().unwrap();
        assert!(status.success(), "mount {arguments:?}");
        self.0.push(point.to_owned());
    }

    fn tmpfs(&mut self, point: &Path) {
        self.mount(&["-t", "tmpfs", "-o", "size=4m", "tmpfs"], point);
    }

    fn bind(&mut self, what: &Path, point: &Path) {
        self.mount(&["--bind", what.to_str().unwrap()], point);
    }

    fn unmount_last(&mut self) {
        let point = self.0.pop().unwrap();
        assert!(Command::new("umount").arg("-l").arg(point).status().unwrap().success());
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        while let Some(point) = self.0.pop() {
            let _ = Command::new("umount").arg("-l").arg(point).status();
        }
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn expected(totals: &[(&str, u64)]) -> Expected {
    let totals = totals.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    Expected { totals, ..Expected::default() }
}

fn refused(problem: &str) -> Expected {
    Expected { exit: 3, problem: Some(problem.to_owned()), ..Expected::default() }
}

/// Runs the ingest of some source as the cloud `docs`.
fn run(world: &World, source: &Path, cloud: &str) -> Ended {
    let run = world.sandbox.run("phc-ingest").args(["run", "--cloud", cloud, "--source"]);
    run.arg(source).arg("--space").arg(world.sandbox.space()).end()
}

#[test]
fn needs_root_a_known_source_on_another_volume_is_refused_until_it_is_approved() {
    let mut world = World::new(None);
    let mut mounts = Mounts::default();
    mounts.tmpfs(&world.source());
    write(&world.source().join("a"), "one");
    runs::ingest(&world, &expected(&[("stored", 1)]));
    mounts.unmount_last();
    mounts.tmpfs(&world.source());
    write(&world.source().join("a"), "one");
    world.plan = runs::plan(&world, &refused("root-other-volume"));
    assert!(world.plan.is_some());
    runs::ingest(&world, &refused("root-other-volume"));
    runs::approve(&world);
    runs::ingest(&world, &expected(&[("touched", 1)]));
    runs::ingest(&world, &expected(&[("unchanged", 1)]));
}

#[test]
fn needs_root_a_source_whose_volume_is_away_is_refused() {
    let mut world = World::new(None);
    let mut mounts = Mounts::default();
    mounts.tmpfs(&world.source());
    write(&world.source().join("a"), "one");
    runs::ingest(&world, &expected(&[("stored", 1)]));
    mounts.unmount_last();
    world.plan = runs::ingest(&world, &refused("root-empty"));
    assert!(world.plan.is_some());
    assert!(world.copy().join("a").exists());
}

#[test]
fn needs_root_mount_points_below_a_source_are_counted_and_never_entered() {
    let world = World::new(None);
    let mut mounts = Mounts::default();
    let other = world.sandbox.path("other");
    std::fs::create_dir(&other).unwrap();
    write(&other.join("secret"), "not of this source");
    write(&world.source().join("a"), "one");
    mounts.tmpfs(&world.source().join("volume"));
    write(&world.source().join("volume/in"), "other volume");
    mounts.bind(&other, &world.source().join("deep/bound"));
    runs::ingest(&world, &expected(&[("stored", 1), ("mount_points", 2)]));
    let found: Vec<_> = trees::list(&world.copy()).into_keys().collect();
    assert!(
        !found.iter().any(|path| path.ends_with("in") || path.ends_with("secret")),
        "{found:?}"
    );
    runs::idle(&world);
}

#[test]
fn needs_root_what_a_mount_hides_is_not_gone() {
    let world = World::new(None);
    let mut mounts = Mounts::default();
    let folder = world.source().join("folder");
    std::fs::create_dir(&folder).unwrap();
    write(&folder.join("in"), "one");
    write(&world.source().join("a"), "two");
    runs::ingest(&world, &expected(&[("stored", 2)]));
    mounts.tmpfs(&folder);
    runs::ingest(&world, &expected(&[("mount_points", 1)]));
    mounts.unmount_last();
    runs::ingest(&world, &expected(&[("unchanged", 2)]));
}

#[test]
fn needs_root_bind_mounts_do_not_hide_a_loop() {
    let world = World::new(None);
    write(&world.source().join("a"), "one");
    runs::ingest(&world, &expected(&[("stored", 1)]));
    let space = world.sandbox.space();
    std::fs::create_dir(space.join("inside")).unwrap();
    write(&space.join("inside/a"), "one");
    let [elsewhere, outer] = ["elsewhere", "outer"].map(|name| world.sandbox.path(name));
    let bound = [space.clone(), space.join("inside"), world.copy(), world.sandbox.device()];
    for target in bound {
        let mut mounts = Mounts::default();
        mounts.bind(&target, &elsewhere);
        let ended = run(&world, &elsewhere, "x").with(2);
        assert!(ended.stderr.contains("[loop]"), "{}: {}", target.display(), ended.stderr);
    }
    // The other way round: the space is mounted below the source, or lies below what is mounted as one.
    let mut mounts = Mounts::default();
    mounts.bind(&space, &outer.join("deep/space"));
    run(&world, &outer, "x").with(2);
    mounts.unmount_last();
    mounts.bind(&world.sandbox.path(""), &elsewhere);
    run(&world, &elsewhere, "x").with(2);
    assert!(!world.sandbox.device().join("x").exists());
}

#[test]
fn needs_root_a_space_that_is_unmounted_is_away_and_its_mount_point_stays_bare() {
    let world = World::new(None);
    let mut mounts = Mounts::default();
    let point = world.sandbox.path("mounted");
    mounts.tmpfs(&point);
    world.sandbox.run("phc-mount").args(["adopt", "--repin"]).arg(&point).end().ok();
    write(&world.source().join("a"), "one");
    let run = || {
        let run = world.sandbox.run("phc-ingest").args(["run", "--cloud", "docs", "--source"]);
        run.arg(world.source()).arg("--space").arg(&point).end()
    };
    run().ok();
    mounts.unmount_last();
    let ended = run().with(75);
    assert_eq!(runs::finished(&ended).text("outcome"), "deferred");
    assert_eq!(trees::list(&point).len(), 0, "the bare mount point was written");
}

#[test]
fn needs_root_a_read_only_space_is_read_and_for_later_where_it_is_written() {
    let world = World::new(None);
    let mut mounts = Mounts::default();
    let space = world.sandbox.space();
    mounts.bind(&space, &space);
    write(&world.source().join("a"), "one");
    let remount = |how: &str| {
        let options = format!("remount,bind,{how}");
        let status = Command::new("mount").args(["-o", &options]).arg(&space).status();
        assert!(status.unwrap().success());
    };
    runs::ingest(&world, &expected(&[("stored", 1)]));
    write(&world.source().join("b"), "two");
    remount("ro");
    let ask = |args: &[&str]| {
        let run = world.sandbox.run("phc-ingest").args(args).arg("--space").arg(&space);
        run.end()
    };
    let back = world.sandbox.path("back");
    ask(&["restore", "docs/a", "--to", back.to_str().unwrap()]).ok();
    assert_eq!(std::fs::read_to_string(back.join("a")).unwrap(), "one");
    let source = world.source();
    let reading: [&[&str]; 6] = [
        &["history", "docs/a"],
        &["verify", "--no-repair"],
        &["verify", "--no-repair", "--rolling"],
        &["duplicates"],
        &["plan", "--cloud", "docs", "--source", source.to_str().unwrap()],
        &["expire", "--dry-run"],
    ];
    for args in reading {
        ask(args).ok();
    }
    for args in [&["verify"][..], &["expire"]] {
        let ended = ask(args).with(75);
        assert!(ended.stderr.contains("space-read-only"), "{args:?}: {}", ended.stderr);
    }
    let problem = Some("space-read-only".to_owned());
    let deferred = Expected { exit: 75, problem, any_totals: true, ..Expected::default() };
    runs::ingest(&world, &deferred);
    remount("rw");
    runs::ingest(&world, &expected(&[("stored", 1)]));
}
