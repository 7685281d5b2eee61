//! `[spool]`: how long events are kept and how often they are tried.

use std::num::NonZeroU32;

use serde::Deserialize;

use super::period::Period;

/// The settings of `phc-spool`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spool {
    /// Age below which `prune` never removes a segment. Default 30 days.
    pub retention: Period,
    /// Time unseen after which a consumer no longer holds segments back. Default 30 days.
    pub consumer_idle: Period,
    /// Failures after which a segment is dead for a consumer. Default 5.
    pub attempts: NonZeroU32,
}

impl Default for Spool {
    fn default() -> Spool {
        let attempts = NonZeroU32::MIN.saturating_add(4);
        Spool { retention: Period::days(30), consumer_idle: Period::days(30), attempts }
    }
}
