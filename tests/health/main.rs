//! `phc-health` through its command line.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: a broken setup is a failure"
)]

mod collect;
mod config;
mod hang;
mod kill;
mod record;
mod show;

use serde_json::{Value, json};
use tests::Sandbox;

/// The configuration of a sandbox with one cloud.
const ONE_CLOUD: &str = "[cloud.scans]\npath = \"~/scans\"\nprovider = \"folder\"\n";

/// The event that ends a run of one cloud, on one line.
fn finished(cloud: &str, outcome: &str, time: &str) -> Value {
    let problem = json!({"code": "guard-exceeded", "what": "too much", "where": null, "hint": "look at the plan"});
    let ended_well = matches!(outcome, "done" | "partial");
    json!({
        "specversion": "1.0",
        "id": "01a20a75-dca3-72bf-b59e-55c1802ee123",
        "source": format!("/phc/{}/{}/ingest", tests::sandbox::HOST, tests::sandbox::USER),
        "type": "phc.ingest.run.finished",
        "time": time,
        "data": {
            "job": cloud,
            "outcome": outcome,
            "dry_run": false,
            "started": time,
            "duration_ms": 1200,
            "totals": {"files": 3, "bytes": 30, "novel": 1},
            "problems": if outcome == "partial" { 2 } else { 0 },
            "problem": if ended_well { Value::Null } else { problem },
            "plan": null,
        },
    })
}

/// Now, or so many hours ago, as events tell it.
fn hours_ago(hours: i64) -> String {
    let time = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    time.to_string()
}

/// A component of a status.
#[track_caller]
fn component<'s>(status: &'s Value, name: &str) -> &'s Value {
    let parts = status["components"].as_array().expect("a list of components");
    let found = parts.iter().find(|part| part["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {status}"))
}

/// The status that the state keeps.
fn kept(sandbox: &Sandbox) -> Value {
    let path = sandbox.state().join("devices/bench/sam/status.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
