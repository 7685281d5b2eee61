//! Judging a device against what the configuration promises, and showing it.
//!
//! [`facts`] gathers what is, [`mod@judge`] says how good that is (pure), [`mod@collect`] does
//! both and replaces `_status.json`; [`mod@record`] takes runs' outcomes from a pipe;
//! [`show`] is a status in words. Unknown is never ok.

pub mod collect;
pub mod config;
pub mod facts;
pub mod judge;
pub mod record;
pub mod runs;
pub mod scrubs;
pub mod show;

pub use collect::{Collect, collect};
pub use facts::{CloudFacts, Facts, Found, OutboxFacts, PillarFacts};
pub use judge::judge;
pub use record::{Recorded, record};

/// The tool's name in event types and sources.
pub const TOOL: &str = "health";
