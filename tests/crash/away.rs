//! The space or the source goes away while a run is at work.

use std::fs;

use rustix::process::Signal;
use tests::{Sandbox, trees};

use crate::bench::{Bench, finished, why};
use crate::law;
use crate::mounted::Mounted;
use crate::versions::Tree;

#[test]
fn needs_root_a_space_unmounted_in_mid_run_gets_the_rest_or_nothing_and_the_bare_mount_point_nothing()
 {
    let mut bench = Bench::bare(Sandbox::new());
    let (image, space) = (bench.sandbox.path("image"), bench.sandbox.space());
    let disk = Mounted::ext4(&image, &space);
    bench.sandbox.run("phc-mount").arg("adopt").arg(&space).end().ok();
    bench.write("before", "in the space before");
    bench.finish();
    let before = Tree::of(&bench.copy());

    bench.write_much();
    let source = bench.look();
    let running = bench.caught(bench.ingest());
    disk.detach();
    running.signal(Signal::CONT);
    let ended = running.end();
    assert!([Some(0), Some(75)].contains(&ended.code), "{:?}: {}", ended.code, ended.stderr);
    assert_eq!(trees::list(&space).len(), 0, "below the bare mount point");
    bench.ingest().end().with(75);
    assert_eq!(trees::list(&space).len(), 0, "below the bare mount point");

    let _disk = Mounted::image(&image, &space);
    law::untorn(&bench, &before);
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

#[test]
fn a_source_that_goes_away_in_mid_run_is_no_deletion_and_the_run_ends_when_it_is_back() {
    let mut bench = Bench::new();
    bench.write("before", "in the space before");
    bench.finish();
    let before = Tree::of(&bench.copy());
    bench.write_much();
    let source = bench.look();
    let (here, away) = (bench.source(), bench.sandbox.path("away"));

    let running = bench.caught(bench.ingest());
    fs::rename(&here, &away).unwrap();
    // What is still open goes on; what is opened by name is not there any more.
    for name in ["little", "much-3", "much-5"] {
        fs::rename(away.join(name), bench.sandbox.path(name)).unwrap();
    }
    running.signal(Signal::CONT);
    let ended = running.end();
    assert!([Some(0), Some(1)].contains(&ended.code), "{:?}: {}", ended.code, ended.stderr);
    assert_eq!(finished(&ended).count("totals/gone"), 0);
    law::untorn(&bench, &before);
    law::no_litter(&bench);

    let copies = trees::snapshot(&bench.copy());
    let ended = bench.ingest().end().with(3);
    assert_eq!((&*why(&ended), finished(&ended).text("outcome")), ("root-gone", "refused"));
    fs::create_dir(&here).unwrap();
    assert_eq!(why(&bench.ingest().end().with(3)), "root-empty");
    assert_eq!(copies, trees::snapshot(&bench.copy()), "a refused run touched copies");

    fs::remove_dir(&here).unwrap();
    for name in ["little", "much-3", "much-5"] {
        fs::rename(bench.sandbox.path(name), away.join(name)).unwrap();
    }
    fs::rename(&away, &here).unwrap();
    // Renames changed the change times of some; what they hold decides.
    assert_eq!(source, bench.look());
    bench.ingest().end().ok();
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}
