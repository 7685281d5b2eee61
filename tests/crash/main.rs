//! `phc-ingest` against the worst that can happen to it: killed anywhere, the disk full,
//! the space or the source gone, the state broken; and what it does watched call by call.
//!
//! Everything is judged by eyes of its own: what lies in the source and the space, what the
//! catalog and the spool say when they are read by the documented form alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program: a broken setup is a failure"
)]

mod acts;
mod away;
mod bench;
mod beside;
mod calls;
mod cases;
mod chance;
mod clocks;
mod forbidden;
mod full;
mod guarded;
mod inbox;
mod law;
mod lives;
mod matrix;
mod mounted;
mod order;
mod stopped;
mod told;
mod trace;
mod versions;
mod volumes;
