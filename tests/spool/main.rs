//! `phc-spool` through its command line: nothing lost, nothing twice, nobody blocked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: a broken setup is a failure"
)]

mod bench;
mod expand;
mod follow;
mod kill;
mod pages;
mod prune;
mod put;
mod read;
