//! The ingest engine: brings a cloud's source root into the space, one way.
//!
//! Facts ([`scan`]) → plan ([`plan`], pure but for the reading that [`plan::refine`]
//! does) → [`guard`] → [`apply`] → outcome; [`run::run`] is the whole of it.

pub mod apply;
pub mod attributes;
pub mod deferred;
pub mod discover;
pub mod duplicates;
pub mod excludes;
pub mod expire;
pub mod guard;
pub mod identity;
pub mod inbox;
pub mod name;
pub mod past;
pub mod placeholder;
pub mod plan;
pub mod run;
pub mod scan;
pub mod scope;
pub mod settings;
pub mod source;
pub mod status;
pub mod verify;
pub mod watch;

mod announce;
mod copy;
mod digest;
mod known;
mod parallel;
mod patience;
mod rebuild;
mod recover;
mod rollback;
mod share;
mod teller;
mod transfer;
mod work;

pub use known::MANIFEST;

#[cfg(test)]
#[cfg(unix)]
mod tests;
