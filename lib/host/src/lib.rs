//! Floor 1: the one place that touches the operating system.
//!
//! Files, locks, child programs, the clock and the mount table, each with one
//! spelling. Unix is written and run; Windows and macOS differences are behind
//! `cfg` in the modules that have them. This is the only crate with `unsafe`.

pub mod barrier;
pub mod cache;
pub mod child;
pub mod clock;
pub mod dir;
pub mod error;
pub mod extents;
pub mod facts;
pub mod failpoint;
pub mod id;
pub mod identity;
pub mod lock;
pub mod mounts;
pub mod name;
pub mod obstacle;
pub mod placeholder;
pub mod places;
pub mod publish;
#[cfg(windows)]
pub mod registry;
pub mod service;
pub mod sparse;
pub mod stop;
pub mod taking;
pub mod volume;
pub mod xattr;

pub use dir::Dir;
pub use error::{Error, Result};
pub use facts::{Facts, Kind};
