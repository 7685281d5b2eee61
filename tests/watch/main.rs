//! `phc-ingest watch`: what changes arrives, whatever happens meanwhile.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: a broken setup is a failure"
)]

mod changes;
mod guard;
mod inbox;
mod mounts;
mod outages;
mod signals;
mod watcher;
