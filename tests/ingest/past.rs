//! Former versions are told and given back, with the manifest and without, and never below a source.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tests::{Ended, trees};

use crate::case::Expected;
use crate::runs;
use crate::world::World;

struct Life {
    world: World,
    /// A time after each run, and one before the first.
    times: Vec<String>,
    first_mtime: (i64, i64),
}

fn now() -> String {
    // Runs and their news are told apart by milliseconds.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let now = jiff::Timestamp::now().to_string();
    std::thread::sleep(std::time::Duration::from_millis(20));
    now
}

/// Edited, renamed, edited under its new name, removed, and something new, over three runs.
fn life() -> Life {
    let world = World::new(None);
    let any = || Expected { any_totals: true, ..Expected::default() };
    let mut times = vec![now()];
    let a = world.sandbox.write("source/a", "one");
    crate::hands::chmod(&a, 0o604);
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(&a, "user.colour", b"blue", flags).unwrap();
    let meta = a.metadata().unwrap();
    let first_mtime = (meta.mtime(), meta.mtime_nsec());
    world.sandbox.write("source/dir/x", "x1");
    world.sandbox.write("source/dir/stays", "stays");
    std::os::unix::fs::symlink("x", world.source().join("dir/link")).unwrap();
    runs::ingest(&world, &Expected { any_totals: true, ..Expected::default() });
    times.push(now());
    fs::write(&a, "second").unwrap();
    fs::rename(world.source().join("dir/x"), world.source().join("dir/y")).unwrap();
    world.sandbox.write("source/b", "b");
    runs::ingest(&world, &any());
    times.push(now());
    fs::remove_file(&a).unwrap();
    fs::write(world.source().join("dir/y"), "y2 now").unwrap();
    runs::ingest(&world, &any());
    times.push(now());
    Life { world, times, first_mtime }
}

impl Life {
    fn call(&self, command: &str, args: &[&str]) -> Ended {
        let run = self.world.sandbox.run("phc-ingest").arg(command).args(args);
        run.arg("--space").arg(self.world.sandbox.space()).end()
    }

    /// Restores into a fresh folder, and says what is in it.
    fn restored(&self, path: &str, at: Option<usize>) -> Vec<(String, String)> {
        let to = self.fresh();
        let mut args = vec!["--to", to.to_str().unwrap(), path];
        if let Some(at) = at {
            args.extend(["--at", &self.times[at]]);
        }
        self.call("restore", &args).ok();
        texts(&to)
    }

    fn fresh(&self) -> PathBuf {
        let to = self.world.sandbox.path("restored");
        let _ = fs::remove_dir_all(&to);
        to
    }
}

fn texts(root: &Path) -> Vec<(String, String)> {
    let text = |(path, text): (PathBuf, String)| (path.to_string_lossy().into_owned(), text);
    crate::eyes::texts(root).into_iter().map(text).collect()
}

fn are(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn a_file_is_given_back_as_it_was_at_each_time() {
    let life = life();
    for lost in [false, true] {
        if lost {
            fs::remove_dir_all(life.world.sandbox.state().join("devices/bench/sam/ingest"))
                .unwrap();
        }
        assert_eq!(life.restored("docs/a", Some(1)), are(&[("a", "one")]), "lost: {lost}");
        let meta = life.world.sandbox.path("restored/a").metadata().unwrap();
        assert_eq!((meta.mtime(), meta.mtime_nsec()), life.first_mtime);
        assert_eq!(meta.mode() & 0o7777, 0o604);
        let mut value = [0; 16];
        let path = life.world.sandbox.path("restored/a");
        let size = rustix::fs::getxattr(&path, "user.colour", &mut value).unwrap();
        assert_eq!(&value[..size], b"blue");
        assert_eq!(life.restored("docs/a", Some(2)), are(&[("a", "second")]), "lost: {lost}");
        assert_eq!(life.restored("docs/a", None), are(&[("a", "second")]), "a tombstone's copy");
        let dir = |at| life.restored("docs/dir", at);
        assert_eq!(
            dir(Some(1)),
            are(&[("dir/link", "x1"), ("dir/stays", "stays"), ("dir/x", "x1")]),
            "lost: {lost}"
        );
        let to = life.fresh();
        let args = ["--to", to.to_str().unwrap(), "--at", &life.times[2], "docs/dir/y"];
        life.call("restore", &args).ok();
        assert_eq!(texts(&to), are(&[("y", "x1")]), "lost: {lost}");
        assert_eq!(life.restored("docs/dir/y", None), are(&[("y", "y2 now")]));
        let whole = life.restored("docs/b", Some(2));
        assert_eq!(whole, are(&[("b", "b")]));
        let nowhere = life.world.sandbox.path("nowhere");
        let to = nowhere.to_str().unwrap();
        let ended = life.call("restore", &["docs/b", "--to", to, "--at", &life.times[1]]);
        assert!(ended.with(1).stderr.contains("[version-gone]"));
        assert!(!nowhere.exists(), "a folder was made for nothing");
    }
}

#[test]
fn a_folder_is_given_back_with_its_own_facts_and_its_empty_folders() {
    let world = World::new(None);
    world.sandbox.write("source/dir/in/x", "x");
    fs::create_dir(world.source().join("dir/empty")).unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for (name, mode) in [("dir/in", 0o500), ("dir/empty", 0o711), ("dir", 0o750)] {
        let path = world.source().join(name);
        fs::File::open(&path).unwrap().set_modified(time).unwrap();
        crate::hands::chmod(&path, mode);
    }
    runs::ingest(&world, &Expected { any_totals: true, ..Expected::default() });
    let life = Life { world, times: Vec::new(), first_mtime: (0, 0) };
    let to = life.fresh();
    life.call("restore", &["docs/dir", "--to", to.to_str().unwrap()]).ok();
    for (name, mode) in [("dir/in", 0o500), ("dir/empty", 0o711), ("dir", 0o750)] {
        let meta = to.join(name).metadata().unwrap();
        assert_eq!((meta.mode() & 0o777, meta.mtime()), (mode, 1_000_000_000), "{name}");
    }
}

#[test]
fn a_path_is_understood_as_it_is_typed_and_a_wrong_one_names_the_nearest() {
    let life = life();
    let source = life.world.source().join("dir/stays");
    let copy = life.world.copy().join("dir/stays");
    for path in [source.to_str().unwrap(), copy.to_str().unwrap(), "dir/stays", "docs/dir/stays"] {
        assert_eq!(life.restored(path, None), are(&[("stays", "stays")]), "{path}");
    }
    let ended = life.call("history", &["docs/dir/stsys"]).refused(2, &["dir/stays"]);
    assert!(ended.stderr.contains("[not-found]"), "{}", ended.stderr);
    life.call("history", &["/elsewhere/entirely"]).refused(2, &["[not-found]"]);
    life.call("restore", &["docs/a", "--at", "yesterday"]).refused(2, &["[usage]"]);
}

#[test]
fn nothing_is_ever_written_below_a_source_nor_over_what_is_there() {
    let life = life();
    let before = trees::snapshot(&life.world.source());
    let link = life.world.sandbox.path("link");
    std::os::unix::fs::symlink(life.world.source(), &link).unwrap();
    let deep = life.world.source().join("dir/new");
    let devices = life.world.sandbox.device();
    let state = life.world.sandbox.state();
    for to in [&life.world.source(), &deep, &link, &link.join("dir"), &devices, &state] {
        let args = ["docs/b", "--force", "--to", to.to_str().unwrap()];
        life.call("restore", &args).refused(2, &["[loop]"]);
    }
    assert_eq!(before, trees::snapshot(&life.world.source()));

    let to = life.fresh();
    fs::create_dir(&to).unwrap();
    fs::write(to.join("b"), "mine").unwrap();
    let args = ["docs/b", "--to", to.to_str().unwrap()];
    let ended = life.call("restore", &args).with(1);
    assert_eq!(ended.event("phc.ingest.problem.reported").text("code"), "target-exists");
    assert_eq!(texts(&to), are(&[("b", "mine")]));
    life.call("restore", &[&args[..], &["--force", "--dry-run"]].concat()).ok();
    assert_eq!(texts(&to), are(&[("b", "mine")]), "a dry run touched it");
    life.call("restore", &[&args[..], &["--force"]].concat()).ok();
    assert_eq!(texts(&to), are(&[("b", "b")]));
}

#[test]
fn what_is_not_what_was_stored_is_not_given_back() {
    let life = life();
    fs::write(life.world.copy().join("b"), "B").unwrap();
    let to = life.fresh();
    let ended = life.call("restore", &["docs/b", "--to", to.to_str().unwrap()]).with(1);
    assert_eq!(ended.event("phc.ingest.problem.reported").text("code"), "copy-damaged");
    assert_eq!(texts(&to), are(&[]));
}

#[test]
fn a_life_is_told_with_and_without_the_manifest() {
    let life = life();
    let steps = |path: &str| -> Vec<String> {
        let told = life.call("history", &[path]).ok();
        let events = told.events_of("phc.ingest.version.told");
        let lies = |event: &tests::Event| {
            let lies = event.at("lies").as_str().unwrap_or("nowhere").to_owned();
            let part = |what| lies.contains(what);
            if part("/_trash/") {
                "trash"
            } else if part("/docs/") {
                "copy"
            } else {
                "nowhere"
            }
        };
        let step = |event: &tests::Event| format!("{} {}", event.text("step"), lies(event));
        events.iter().map(step).collect()
    };
    for lost in [false, true] {
        if lost {
            fs::remove_dir_all(life.world.sandbox.state().join("devices/bench/sam/ingest"))
                .unwrap();
        }
        assert_eq!(steps("docs/a"), ["gone copy", "replaced copy", "stored trash"]);
        assert_eq!(steps("docs/dir/y"), ["replaced copy", "renamed trash", "stored trash"]);
        assert_eq!(steps("docs/b"), ["stored copy"]);
        assert_eq!(steps("docs/dir/x"), ["left nowhere", "stored copy"]);
    }
}

#[test]
fn what_expired_is_told_as_such() {
    let life = life();
    crate::hands::age_trash(&life.world.sandbox.device(), 100);
    let run = life.world.sandbox.run("phc-ingest").args(["expire", "--space"]);
    run.arg(life.world.sandbox.space()).end().ok();
    let to = life.fresh();
    let args = ["docs/a", "--at", &life.times[1], "--to", to.to_str().unwrap()];
    let ended = life.call("restore", &args).with(1);
    assert!(ended.stderr.contains("[version-gone]"), "{}", ended.stderr);
    assert!(!to.exists(), "a folder was made for nothing");
    let told = life.call("history", &["docs/a"]).ok();
    let stored = told.events_of("phc.ingest.version.told").pop().unwrap();
    assert_eq!((stored.text("step"), stored.at("lies").is_null()), ("stored", true));
    assert!(stored.at("digest").is_string(), "its digest is known all the same");
}

#[test]
fn a_folder_has_no_life_and_that_is_said_and_a_link_tells_its_target() {
    let life = life();
    for folder in ["docs/dir", "docs", life.world.source().to_str().unwrap()] {
        let ended = life.call("history", &[folder]).with(2);
        assert!(ended.stderr.contains("a folder has no history of its own"), "{}", ended.stderr);
        assert!(ended.stderr.contains("such as docs/"), "{}", ended.stderr);
    }
    let told = life.call("history", &["docs/dir/link"]).ok();
    let told = told.events_of("phc.ingest.version.told").pop().unwrap();
    assert_eq!((told.text("target"), told.at("lies").is_null()), ("x", true));
}

#[test]
fn a_file_that_was_renamed_away_is_not_given_back_and_its_new_name_is_told() {
    let life = life();
    let to = life.fresh();
    let args = ["docs/dir/x", "--to", to.to_str().unwrap()];
    let ended = life.call("restore", &args).with(1);
    assert!(ended.stderr.contains("renamed to docs/dir/y"), "{}", ended.stderr);
    assert!(ended.stderr.contains("--at"), "{}", ended.stderr);
}

#[test]
fn what_only_tells_and_what_is_refused_leaves_nothing_in_the_state() {
    let life = life();
    let state = life.world.sandbox.state().join("devices/bench/sam");
    let (source, space) = (life.world.source(), life.world.sandbox.space());
    life.call("verify", &["--cloud", "ghost"]).with(2);
    life.call("verify", &["--sample", "0%"]).with(2);
    let status = life.world.sandbox.run("phc-ingest").args(["status", "--cloud", "ghost"]);
    status.end().with(2);
    life.call("plan", &["--cloud", "ghost", "--source", source.to_str().unwrap()]).ok();
    life.call("run", &["--cloud", "ghost", "--source", space.to_str().unwrap()]).with(2);
    assert!(!state.join("ingest/ghost").exists(), "no cloud was begun");
    assert!(!state.join("verify/bench/sam/ghost").exists(), "no book was begun");
    assert!(state.join("ingest/docs").exists());
}
