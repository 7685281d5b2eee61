//! Status without mounts: it judges, and it writes nothing.

use crate::bench::{Bench, stamps};

#[test]
fn without_configuration_and_pins_everything_is_skipped_and_nothing_is_written() {
    let bench = Bench::new();
    let ended = bench.run(&["status"]);
    assert_eq!((ended.code, ended.stdout.lines().count()), (0, 3), "{ended:?}");
    assert!(ended.stdout.lines().all(|line| line.contains("\"skipped\"")), "{ended:?}");
    assert!(!bench.state().exists());
}

#[test]
fn a_directory_that_merely_exists_proves_nothing() {
    let bench = Bench::new();
    let state = |name: &str| bench.status(&bench.path(name)).state();
    bench.folder("empty");
    std::fs::write(bench.folder("full").join("file"), "").unwrap();
    std::fs::write(bench.path("file"), "").unwrap();
    assert_eq!(state("none"), ("no-mount-point".to_owned(), 75));
    assert_eq!(state("file"), ("no-mount-point".to_owned(), 75));
    assert_eq!(state("empty"), ("not-mounted".to_owned(), 75));
    assert_eq!(state("full"), ("shadow".to_owned(), 3));
    assert!(!bench.state().exists());
}

#[test]
fn a_sentinel_that_nobody_here_adopted_is_no_proof() {
    let (one, other) = (Bench::new(), Bench::new());
    let space = one.folder("space");
    assert_eq!(one.adopt(&["--local"], &space).code, 0);
    assert_eq!(other.status(&space).state(), ("unadopted".to_owned(), 75));
}

#[test]
fn a_sentinel_that_vanished_is_missed_and_looking_changes_nothing() {
    let bench = Bench::new();
    let space = bench.folder("space");
    assert_eq!(bench.adopt(&["--local"], &space).code, 0);
    let before = [stamps(&space), stamps(&bench.state())];
    let ended = bench.run(&["status"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!([stamps(&space), stamps(&bench.state())], before);
    std::fs::remove_file(space.join(".phc-space.json")).unwrap();
    assert_eq!(bench.status(&space).state(), ("no-sentinel".to_owned(), 75));
}

#[test]
fn broken_pins_are_told_and_never_taken_for_none() {
    let bench = Bench::new();
    let space = bench.folder("space");
    assert_eq!(bench.adopt(&["--local"], &space).code, 0);
    std::fs::write(bench.state().join("pins.json"), "{").unwrap();
    for ended in [bench.status(&space), bench.adopt(&["--local"], &space)] {
        assert_eq!(ended.code, 4, "{ended:?}");
        assert!(ended.stderr.contains("pins.json"), "{}", ended.stderr);
    }
}
