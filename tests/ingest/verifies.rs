//! Verifying beside runs and from afar: what a case can't say.

use std::path::Path;

use tests::{Ended, Sandbox};

use crate::case::Expected;
use crate::runs;
use crate::world::World;

fn stored() -> World {
    let world = World::new(None);
    for n in 0..20 {
        world.sandbox.write(&format!("source/f{n:02}"), format!("content {n}"));
    }
    let any = Expected { any_totals: true, ..Expected::default() };
    runs::ingest(&world, &any);
    world
}

fn verify(sandbox: &Sandbox, args: &[&str]) -> tests::Run {
    sandbox.run("phc-ingest").arg("verify").args(args).arg("--space").arg(sandbox.space())
}

fn rolled(ended: &Ended) -> serde_json::Value {
    ended.event("phc.ingest.copies.verified").at("rolling").clone()
}

#[test]
fn a_rolling_verify_reads_a_share_from_the_catalogs_and_is_judged() {
    let world = stored();
    let first = verify(&world.sandbox, &["--rolling", "--all"]).end().ok();
    let told = rolled(&first);
    assert_eq!((&told["copies"], &told["overdue"]), (&20.into(), &0.into()), "{told}");
    let read = first.event("phc.ingest.copies.verified").count("checked");
    assert_eq!(read, 1, "20 small copies in 90 days are less than one a day");
    let again = verify(&world.sandbox, &["--rolling"]).end().ok();
    let read = again.event("phc.ingest.copies.verified").count("checked");
    assert!(read <= 1, "no time has passed, {read} were read");
    world.sandbox.run("phc-health").args(["collect", "--space"]).arg(world.sandbox.space()).end();
    let status = world.sandbox.status();
    let components = status["components"].as_array().unwrap();
    let ours = components.iter().find(|c| c["name"] == "verify.docs").unwrap();
    assert_eq!((&ours["state"], ours["figures"]["oldest"].is_string()), (&"ok".into(), true));
}

#[test]
fn another_devices_copies_are_told_and_left_alone() {
    let world = stored();
    std::fs::write(world.copy().join("f03"), "CONTENT 3").unwrap();
    let server = world.sandbox.run("phc-ingest").env("PHC_HOST", "server");
    let server = server.env("PHC_STATE_DIR", world.sandbox.path("server-state"));
    let adopt = world.sandbox.run("phc-mount").env("PHC_HOST", "server");
    let adopt = adopt.env("PHC_STATE_DIR", world.sandbox.path("server-state"));
    adopt.args(["adopt", "--local"]).arg(world.sandbox.space()).end().ok();
    let run = server.args(["verify", "--device", "bench/sam", "--space"]);
    let ended = run.arg(world.sandbox.space()).end().with(1);
    assert_eq!(ended.event("phc.ingest.problem.reported").text("code"), "copy-damaged");
    assert_eq!(std::fs::read(world.copy().join("f03")).unwrap(), b"CONTENT 3");
    assert!(!world.sandbox.device().join("_trash").exists());
}

#[test]
fn beside_a_run_a_verify_reads_and_leaves_mending_for_later() {
    let world = stored();
    std::fs::write(world.copy().join("f03"), "CONTENT 3").unwrap();
    let state = world.sandbox.state().join("devices/bench/sam/ingest/docs/lock");
    let held = host::lock::take(&state, "run 7").unwrap();
    let ended = verify(&world.sandbox, &[]).end().with(1);
    let told = ended.event("phc.ingest.problem.reported");
    assert_eq!(told.text("code"), "copy-damaged");
    assert!(told.text("hint").contains("a run is at work"), "{}", told.data);
    assert_eq!(std::fs::read(world.copy().join("f03")).unwrap(), b"CONTENT 3");
    drop(held);
    let ended = verify(&world.sandbox, &[]).end().ok();
    assert_eq!(ended.event("phc.ingest.problem.reported").text("code"), "copy-repaired");
}

/// Killed wherever it makes a copy again, nothing is lost and the next verify or run ends whole.
#[test]
fn killed_while_it_mends_nothing_is_lost() {
    let points = [
        "publish.written",
        "trash.linked",
        "apply.publishing",
        "apply.published",
        "manifest.committing",
        "manifest.committed",
    ];
    for point in points {
        for times in 1..=2 {
            for gone in [false, true] {
                let at = format!("{point}@{times}=kill");
                killed(&at, gone);
            }
        }
    }
}

fn killed(at: &str, gone: bool) {
    let world = World::new(None);
    world.sandbox.write("source/a", "precious");
    world.sandbox.write("source/b", "precious");
    world.sandbox.write("source/c", "stays");
    let any = || Expected { any_totals: true, ..Expected::default() };
    runs::ingest(&world, &any());
    if gone {
        std::fs::remove_file(world.source().join("a")).unwrap();
        runs::ingest(&world, &any());
    }
    std::fs::write(world.copy().join("a"), "PRECIOUS and more").unwrap();
    verify(&world.sandbox, &[]).env("PHC_FAILPOINT", at).end();
    if gone {
        let _ = verify(&world.sandbox, &[]).end().ok();
        runs::ingest(&world, &any());
    } else {
        // Whichever comes next.
        runs::ingest(&world, &any());
        verify(&world.sandbox, &[]).end().ok();
    }
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(text(&world.copy().join("a")), "precious", "{at}, gone: {gone}");
    let kept = crate::eyes::versions(&world.sandbox.device());
    let rotten: Vec<&String> = kept.values().flatten().collect();
    assert!(rotten.iter().any(|text| *text == "PRECIOUS and more"), "{at}: {rotten:?}");
    assert!(crate::eyes::litter(&world.sandbox.space()).is_empty(), "{at}");
    runs::idle(&world);
}
