//! Approvals end by themselves: 24 hours after they were given.

use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::case::Expected;
use crate::runs;
use crate::world::World;

/// A world in which everything left the source, and that was refused and approved.
fn approved() -> (World, PathBuf) {
    let mut world = World::new(None);
    world.sandbox.write("source/a", "a");
    runs::ingest(&world, &Expected { any_totals: true, ..Expected::default() });
    fs::remove_file(world.source().join("a")).unwrap();
    world.plan = runs::ingest(&world, &refused());
    runs::approve(&world);
    let folder = world.sandbox.state().join("devices/bench/sam/ingest/docs/plans");
    let mut plans = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let plan = plans.next().unwrap();
    assert_eq!(plans.next(), None);
    (world, plan)
}

fn refused() -> Expected {
    Expected { exit: 3, problem: Some("root-empty".to_owned()), ..Expected::default() }
}

/// Lets the plan have been approved at another time.
fn approved_ago(plan: &PathBuf, ago: SignedDuration) {
    let mut kept: Value = serde_json::from_slice(&fs::read(plan).unwrap()).unwrap();
    assert!(kept["approved"].is_string(), "{kept}");
    kept["approved"] = (Timestamp::now() - ago).to_string().into();
    fs::write(plan, serde_json::to_vec(&kept).unwrap()).unwrap();
}

fn gone() -> Expected {
    Expected { totals: [("gone".to_owned(), 1)].into(), ..Expected::default() }
}

#[test]
fn an_approval_lasts_nearly_a_day() {
    let (world, plan) = approved();
    approved_ago(&plan, SignedDuration::from_mins(23 * 60 + 55));
    runs::ingest(&world, &gone());
    assert!(!plan.exists(), "it is spent");
}

#[test]
fn an_approval_lasts_no_longer_than_a_day_and_never_from_the_future() {
    for minutes in [24 * 60 + 1, -60] {
        let (mut world, plan) = approved();
        approved_ago(&plan, SignedDuration::from_mins(minutes));
        world.plan = runs::ingest(&world, &refused());
        runs::approve(&world);
        runs::ingest(&world, &gone());
    }
}

#[test]
fn the_beginning_of_an_id_is_enough_and_status_tells_the_refusal() {
    let (world, plan) = approved();
    let id = plan.file_stem().unwrap().to_str().unwrap().to_owned();
    let status = world.sandbox.run("phc-ingest").arg("status").end().ok();
    let told = status.event("phc.ingest.cloud.told");
    assert_eq!(told.at("refusals")[0]["plan"], id.as_str());
    assert_eq!(told.at("refusals")[0]["approved"], true);
    world.sandbox.run("phc-ingest").args(["approve", &id[..6]]).end().ok();
    world.sandbox.run("phc-ingest").args(["approve", "zz"]).end().refused(2, &["zz"]);
}
