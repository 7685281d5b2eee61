//! Floor 2: what outlives a process.
//!
//! The proven space and its layout, the device's own folder and state, the spool of
//! events with its outbox and consumers, the manifest, the catalog, plans and approvals.

pub mod approvals;
pub mod catalog;
pub mod device;
pub mod layout;
pub mod manifest;
pub mod names;
pub mod scrub;
pub mod space;
pub mod spool;
pub mod state;
