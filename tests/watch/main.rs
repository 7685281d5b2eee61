//! `phc-ingest watch`: what changes arrives, whatever happens meanwhile.
#![cfg(target_os = "linux")]

mod changes;
mod guard;
mod mounts;
mod outages;
mod signals;
mod watcher;
