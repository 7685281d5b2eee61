//! Folders and files that the user may not read, tried as a user who is not root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use tests::{Run, programs};

use crate::bench::{Bench, finished};
use crate::law;
use crate::mounted::sh;

/// The user and group "nobody" of most systems; they need no entry anywhere.
const NOBODY: u32 = 65534;

/// The same run by nobody, with a copy of the program that nobody may execute.
fn by_nobody(bench: &Bench, command: &[&str]) -> Run {
    let program = bench.sandbox.path("phc-ingest");
    if !program.exists() {
        fs::copy(programs::path("phc-ingest"), &program).unwrap();
    }
    let run = bench.sandbox.any(&program).arg("--space").arg(bench.sandbox.space());
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    run.arg("--quiet").args(command).behind("setpriv", nobody)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn needs_root_what_may_not_be_read_is_reported_and_never_taken_for_gone() {
    let mut bench = Bench::new();
    bench.write("open/file", "everybody may");
    bench.write("locked/inside/file", "nobody may, at first");
    bench.write("locked/other", "nobody may, at first");
    bench.write("secret", "nobody may, at first");
    let root = bench.sandbox.path("");
    sh("chown", &["-R", "65534:65534", root.to_str().unwrap()]);
    let source = bench.look();
    let from = bench.source();
    let run = ["run", "--cloud", "cloud", "--source", from.to_str().unwrap()];
    by_nobody(&bench, &run).end().ok();

    for (name, locked) in [("locked", 0o000), ("secret", 0o000)] {
        chown(from.join(name), Some(0), Some(0)).unwrap();
        mode(&from.join(name), locked);
    }
    fs::write(from.join("open/file"), "a new version").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(25));
    let ended = by_nobody(&bench, &run).end().with(1);
    let end = finished(&ended);
    assert_eq!((end.text("outcome"), end.count("totals/gone")), ("partial", 0));
    assert_eq!(end.count("totals/replaced"), 1, "the rest is brought in: {}", ended.stdout);
    let reported = ended.events_of("phc.ingest.problem.reported");
    let codes: Vec<&str> = reported.iter().map(|event| event.text("code")).collect();
    assert_eq!(codes, ["entry-unreadable", "entry-unreadable"], "{}", ended.stdout);
    for (path, version) in &source.files {
        if !path.starts_with("open") {
            assert_eq!(law::version(&bench.copy().join(path)).as_ref(), Some(version));
        }
    }

    for (name, open) in [("locked", 0o755), ("secret", 0o644)] {
        mode(&from.join(name), open);
        chown(from.join(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let source = bench.look();
    let ended = by_nobody(&bench, &run).end().ok();
    let end = finished(&ended);
    assert_eq!((end.count("totals/gone"), end.count("totals/stored")), (0, 0));
    let copy = crate::versions::Tree::of(&bench.copy());
    assert_eq!(copy.files, source.files);
    by_nobody(&bench, &["verify"]).end().ok();
}
