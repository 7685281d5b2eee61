//! Support for the suites: a place to run the programs in, and eyes of its own.
//!
//! Nothing here uses the programs' types to read what they wrote: a change of a format
//! by accident must fail a test, not be followed by it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "support of tests: a broken setup is a failure"
)]

pub mod events;
pub mod programs;
pub mod sandbox;
pub mod schemas;
pub mod terminal;
pub mod trees;

pub use events::Event;
pub use programs::{Ended, Run, Running};
pub use sandbox::Sandbox;
