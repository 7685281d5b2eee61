//! Adoption: what it writes, what it refuses, and that it writes it once.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::bench::{Bench, stamps};

const SENTINEL: &str = ".phc-space.json";

fn sentinel(dir: &Path) -> String {
    std::fs::read_to_string(dir.join(SENTINEL)).unwrap()
}

#[test]
fn it_writes_a_sentinel_that_all_can_read_pins_it_and_does_nothing_the_second_time() {
    let bench = Bench::new();
    let space = bench.folder("space");
    let first = bench.adopt(&["--local"], &space);
    assert_eq!((first.code, &first.data()["written"]), (0, &true.into()), "{first:?}");
    assert_eq!(first.kinds(), ["phc.mount.pillar.adopted", "phc.mount.ready"]);
    let written: serde_json::Value = serde_json::from_str(&sentinel(&space)).unwrap();
    assert_eq!(written["pillar"], "space");
    assert_eq!(written["id"], first.data()["id"]);
    let mode = space.join(SENTINEL).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o444, 0o444, "{mode:o}");

    let before = [stamps(&space), stamps(&bench.state().join("pins.json"))];
    let again = bench.adopt(&["--local"], &space);
    assert_eq!((again.code, &again.data()["written"]), (0, &false.into()), "{again:?}");
    assert_eq!([stamps(&space), stamps(&bench.state().join("pins.json"))], before);
    assert_eq!(bench.status(&space).state(), ("healthy".to_owned(), 0));
}

#[test]
fn another_users_sentinel_is_taken_as_it_is() {
    let (one, other) = (Bench::new(), Bench::new());
    let space = one.folder("space");
    let first = one.adopt(&["--local"], &space).data();
    let before = stamps(&space);
    let second = other.adopt(&["--local"], &space).data();
    assert_eq!((&first["id"], &second["written"]), (&second["id"], &false.into()));
    assert_eq!(stamps(&space), before);
}

#[test]
fn a_plain_directory_is_refused_unless_it_is_said_to_be_local() {
    let bench = Bench::new();
    let space = bench.folder("space");
    let refused = bench.adopt(&[], &space);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("--local"), "{}", refused.stderr);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    assert!(!space.join(SENTINEL).exists() && !bench.state().join("pins.json").exists());
}

#[test]
fn what_is_no_directory_is_wrong_usage() {
    let bench = Bench::new();
    std::fs::write(bench.path("file"), "").unwrap();
    for (name, what) in [("none", "no such directory"), ("file", "not a directory")] {
        let refused = bench.adopt(&["--local"], &bench.path(name));
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(what), "{}", refused.stderr);
    }
}

#[test]
fn another_volume_is_refused_without_repin_and_nothing_is_written_there() {
    let bench = Bench::new();
    let (first, second) = (bench.folder("first"), bench.folder("second"));
    assert_eq!(bench.adopt(&["--local"], &first).code, 0);
    let pins = stamps(&bench.state().join("pins.json"));
    let refused = bench.adopt(&["--local"], &second);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("--repin"), "{}", refused.stderr);
    assert!(!second.join(SENTINEL).exists());
    assert_eq!(stamps(&bench.state().join("pins.json")), pins);

    let repinned = bench.adopt(&["--local", "--repin"], &second);
    assert_eq!((repinned.code, &repinned.data()["former"]), (0, &id_in(&first)), "{repinned:?}");
    assert_eq!(bench.status(&first).state(), ("foreign-sentinel".to_owned(), 3));
    assert_eq!(bench.status(&second).state(), ("healthy".to_owned(), 0));
}

fn id_in(dir: &Path) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(&sentinel(dir)).unwrap()["id"].clone()
}

#[test]
fn a_sentinel_that_is_there_is_never_overwritten_whatever_it_is() {
    let huge = format!("{{\"schema\":1,{}", " ".repeat(100_000));
    let later = r#"{"schema":9,"pillar":"space","id":"018f3a1e-0000-7000-8000-000000000000","created":"2026-01-01T00:00:00Z"}"#;
    let flux = r#"{"schema":1,"pillar":"flux","id":"018f3a1e-0000-7000-8000-000000000000","created":"2026-01-01T00:00:00Z"}"#;
    for (text, state) in [
        ("", "foreign-sentinel"),
        ("{}", "foreign-sentinel"),
        ("\0\0\0", "foreign-sentinel"),
        (&huge, "foreign-sentinel"),
        (later, "foreign-sentinel"),
        (flux, "wrong-volume"),
    ] {
        let bench = Bench::new();
        let pinned = bench.folder("pinned");
        assert_eq!(bench.adopt(&["--local"], &pinned).code, 0);
        let space = bench.folder("space");
        std::fs::write(space.join(SENTINEL), text).unwrap();
        let before = stamps(&space);
        let refused = bench.adopt(&["--local", "--repin"], &space);
        assert_eq!(refused.code, 3, "{text:.40?}: {refused:?}");
        assert_eq!(bench.status(&space).state(), (state.to_owned(), 3), "{text:.40?}");
        assert_eq!(stamps(&space), before);
    }
}

#[test]
fn a_link_at_the_sentinels_name_is_not_followed() {
    let bench = Bench::new();
    let space = bench.folder("space");
    std::os::unix::fs::symlink(bench.path("elsewhere"), space.join(SENTINEL)).unwrap();
    assert_eq!(bench.adopt(&["--local"], &space).code, 3);
    assert!(!bench.path("elsewhere").exists());
}

#[test]
fn many_adoptions_at_once_end_with_one_sentinel_and_one_pin() {
    let benches = [Bench::new(), Bench::new()];
    let space = benches[0].folder("space");
    let dir = space.to_str().unwrap();
    let spawn = |bench: &Bench| {
        let mut command = bench.command(&["adopt", "--local", dir]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let running: Vec<_> = (0..12).map(|i| spawn(&benches[i % 2])).collect();
    let ended: Vec<_> = running
        .into_iter()
        .map(|child| crate::bench::Ended::of(child.wait_with_output().unwrap()))
        .collect();
    let id = id_in(&space);
    for one in &ended {
        assert_eq!((one.code, &one.data()["id"]), (0, &id), "{one:?}");
    }
    let writers = ended.iter().filter(|one| one.data()["written"] == true).count();
    assert_eq!(writers, 1, "one wrote it, the others read it");
    assert_eq!(std::fs::read_dir(&space).unwrap().count(), 1, "and no litter");
}

#[test]
fn of_several_volumes_at_once_one_is_pinned_and_the_others_stay_untouched() {
    let bench = Bench::new();
    let dirs: Vec<_> = (0..8).map(|i| bench.folder(&format!("space{i}"))).collect();
    let spawn = |dir: &std::path::PathBuf| {
        let mut command = bench.command(&["adopt", "--local", dir.to_str().unwrap()]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let running: Vec<_> = dirs.iter().map(spawn).collect();
    let codes: Vec<_> = running
        .into_iter()
        .map(|child| crate::bench::Ended::of(child.wait_with_output().unwrap()).code)
        .collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 3).count(), 7, "{codes:?}");
    let written = dirs.iter().filter(|dir| dir.join(SENTINEL).exists()).count();
    assert_eq!(written, 1);
}

#[test]
fn a_link_to_the_space_is_resolved_when_it_is_adopted() {
    let bench = Bench::new();
    let (space, link) = (bench.folder("real"), bench.path("link"));
    std::os::unix::fs::symlink(&space, &link).unwrap();
    let adopted = bench.adopt(&["--local"], &link);
    assert_eq!(adopted.data()["path"], space.to_str().unwrap());
    assert_eq!(bench.status(&link).state(), ("healthy".to_owned(), 0));
}
