//! `phc-ingest` through its command line: cases as data files, real trees, and what data can't say.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test program: a broken setup is a failure"
)]

mod approvals;
mod attributes;
mod case;
mod cases;
mod clouds;
mod earlier;
mod eyes;
mod facts;
mod hands;
mod inbox;
mod manifest;
mod mounts;
mod names;
mod nasty;
mod past;
mod provider;
mod reads;
mod real;
mod runs;
mod sharing;
mod streams;
mod verifies;
mod world;
