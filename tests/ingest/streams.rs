//! Who reads what a run says, or stops reading, changes nothing of what it does.

use std::process::{Command, Stdio};

use tests::{programs, trees};

use crate::world::World;

fn filled() -> World {
    let world = World::new(None);
    for n in 0..2_000 {
        world.sandbox.write(&format!("source/{}/{n}", n % 20), format!("{n}"));
    }
    world
}

/// A shell's pipeline with `phc-ingest` in it, for `$RUN`.
fn shell(world: &World, pipeline: &str) -> std::process::Output {
    let arguments = format!(
        "{:?} run --cloud docs --source {:?} --space {:?}",
        programs::path("phc-ingest"),
        world.source(),
        world.sandbox.space()
    );
    let mut command = Command::new("bash");
    command.args(["-c", &pipeline.replace("RUN", &arguments)]).env_clear();
    command.env("HOME", world.sandbox.home()).env("PATH", std::env::var_os("PATH").unwrap());
    command.env("PHC_HOST", "bench").env("PHC_USER", "sam").stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let world = filled();
    let ended = shell(&world, "RUN --format json | head -1; exit ${PIPESTATUS[0]}");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    trees::assert_copied(&world.source(), &world.copy());
}

#[test]
fn closed_streams_do_not_end_the_run() {
    for pipeline in ["RUN >&-", "RUN 2>&-", "RUN >&- 2>&- <&-"] {
        let world = filled();
        let ended = shell(&world, pipeline);
        assert_eq!(ended.status.code(), Some(0), "{pipeline}: {ended:?}");
        trees::assert_copied(&world.source(), &world.copy());
    }
}

#[test]
fn a_full_stdout_is_told_after_the_work_is_done() {
    let world = filled();
    let ended = shell(&world, "RUN >/dev/full");
    assert_eq!(ended.status.code(), Some(4), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("can't write to stdout"));
    trees::assert_copied(&world.source(), &world.copy());
}

#[test]
fn words_for_people_are_no_json_and_quiet_is_quiet() {
    let world = filled();
    let ended = shell(&world, "RUN --format human");
    let words = String::from_utf8(ended.stdout).unwrap();
    assert!(words.starts_with("docs: done") && words.contains("2000 files"), "{words}");
    let ended = shell(&world, "RUN -q --format human");
    assert_eq!((ended.stdout.len(), ended.stderr.len()), (0, 0), "{ended:?}");
}
