//! Floor 0: the pure vocabulary of the toolkit.
//!
//! Events, outcomes, problems, names and the configuration's types. Nothing here
//! reads a file, asks the time or prints: every function is a value from values.

pub mod cloud;
pub mod config;
pub mod device;
pub mod emit;
pub mod event;
pub mod exit;
pub mod ingest;
pub mod problem;
pub mod relpath;
pub mod run;
pub mod sentinel;
pub mod spool;
pub mod status;
pub mod text;
