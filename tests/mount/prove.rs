//! Proof, as the other programs ask for it (safety law 2).

use std::path::Path;

use host::publish;
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::sentinel::Pillar;
use mount::pins::Pins;
use mount::{Prober, Wanted, prove, prove_to_read};
use store::space::SpaceRoot;

use crate::bench::{Bench, phc_mount};

fn proven(bench: &Bench, dir: &Path) -> Result<SpaceRoot, Problem> {
    let pins = Pins::load(&bench.state()).unwrap();
    let prober = Prober::program(phc_mount());
    let root = prove(&Wanted::of(Pillar::Space).at(dir), &pins, &prober);
    if let Err(problem) = &root {
        assert_eq!(problem.exit(), Exit::TryLater, "{problem}");
    }
    root
}

fn proven_to_read(bench: &Bench, dir: &Path) -> Result<SpaceRoot, Problem> {
    let pins = Pins::load(&bench.state()).unwrap();
    let wanted = Wanted::of(Pillar::Space).at(dir);
    prove_to_read(&wanted, &pins, &Prober::program(phc_mount()))
}

fn refused(bench: &Bench, dir: &Path) -> Code {
    proven(bench, dir).unwrap_err().code
}

#[test]
fn a_local_space_is_proven_by_its_pin_and_by_nothing_less() {
    let bench = Bench::new();
    let space = bench.folder("space");
    assert_eq!(refused(&bench, &space), Code::SpaceUnadopted);
    assert_eq!(refused(&bench, &bench.path("none")), Code::SpaceAway);
    let adopted = bench.adopt(&["--local"], &space).data();
    let root = proven(&bench, &space).unwrap();
    assert_eq!(
        (root.id().to_string().as_str(), root.is_local()),
        (adopted["id"].as_str().unwrap(), true)
    );

    let other = bench.folder("other");
    assert_eq!(refused(&bench, &other), Code::SpaceUnadopted);
    std::fs::write(other.join(".phc-space.json"), "").unwrap();
    assert_eq!(refused(&bench, &other), Code::SpaceForeign);
}

#[test]
fn the_configured_id_wins_over_the_pinned_one() {
    let (bench, other) = (Bench::new(), Bench::new());
    let space = bench.folder("space");
    let id = other.adopt(&["--local"], &space).data()["id"].as_str().unwrap().parse().unwrap();
    let prober = Prober::program(phc_mount());
    let wanted =
        |id| Wanted { id: Some(id), local: Some(true), ..Wanted::of(Pillar::Space).at(&space) };
    let none = Pins::default();
    assert!(prove(&wanted(id), &none, &prober).is_ok(), "it serves a user who never adopted");
    let pins = Pins::load(&other.state()).unwrap();
    let foreign = prove(&wanted(host::id::random()), &pins, &prober).unwrap_err();
    assert_eq!(foreign.code, Code::SpaceForeign);
}

#[test]
fn needs_root_what_was_proven_is_what_is_written_even_when_the_mount_goes_away() {
    let mut bench = Bench::new();
    let space = bench.folder("space");
    bench.tmpfs(&space);
    assert_eq!(bench.adopt(&[], &space).code, 0);
    let root = proven(&bench, &space).unwrap();
    assert!(!root.is_local());

    bench.unmount(&space);
    publish::replace(root.dir(), b"late", b"x", 0o640).unwrap();
    assert_eq!(std::fs::read_dir(&space).unwrap().count(), 0, "written below the bare mount point");
    assert_eq!(refused(&bench, &space), Code::SpaceAway);
}

#[test]
fn needs_root_read_only_foreign_and_stacked_mounts_are_refused() {
    let mut bench = Bench::new();
    let other = Bench::new();
    let space = bench.folder("space");
    bench.tmpfs(&space);
    assert_eq!(bench.adopt(&[], &space).code, 0);
    let dir = space.to_str().unwrap();
    crate::bench::sh("mount", &["-o", "remount,ro", dir]);
    assert_eq!(refused(&bench, &space), Code::SpaceReadOnly);
    assert!(proven_to_read(&bench, &space).unwrap().is_read_only());
    bench.tmpfs(&space);
    assert_eq!(refused(&bench, &space), Code::SpaceUnadopted);
    assert_eq!(other.adopt(&[], &space).code, 0);
    assert_eq!(refused(&bench, &space), Code::SpaceForeign);
    crate::bench::sh("mount", &["-o", "remount,ro", dir]);
    let foreign = proven_to_read(&bench, &space).unwrap_err();
    assert_eq!(foreign.code, Code::SpaceForeign, "to read is no way around the pin");
    let typed = Wanted { fs_types: vec!["ext4".into()], ..Wanted::of(Pillar::Space).at(&space) };
    let pins = Pins::load(&other.state()).unwrap();
    for way in [prove, prove_to_read] {
        let wrong = way(&typed, &pins, &Prober::program(phc_mount())).unwrap_err();
        assert_eq!(wrong.code, Code::SpaceWrongMount);
    }
}
