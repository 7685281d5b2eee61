//! `[ingest.guard]` and `[cloud.NAME.guard]`: what a plan may take away.

use serde::Deserialize;

use super::period::Period;
use super::share::Share;
use super::size::Size;

/// The limits of what one plan may take away or rewrite, together with the window before it.
///
/// A plan is refused when it exceeds `files` and `share` both, or `bytes`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// Files gone or rewritten that are always let through. Default 100.
    pub files: u64,
    /// Share of the known files gone or rewritten that is always let through. Default 25 %.
    pub share: Share,
    /// Bytes gone or rewritten beyond which a plan is refused whatever its count. Default: no limit.
    pub bytes: Option<Size>,
    /// How long what was applied before counts in. Default 24 hours.
    pub window: Period,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard { files: 100, share: Share::percent(25), bytes: None, window: Period::hours(24) }
    }
}

/// A cloud's own limits; what it leaves out is the fleet's.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GuardFragment {
    files: Option<u64>,
    share: Option<Share>,
    bytes: Option<Size>,
    window: Option<Period>,
}

impl GuardFragment {
    /// These limits, laid over others.
    pub(super) fn over(&self, base: Guard) -> Guard {
        Guard {
            files: self.files.unwrap_or(base.files),
            share: self.share.unwrap_or(base.share),
            bytes: self.bytes.or(base.bytes),
            window: self.window.unwrap_or(base.window),
        }
    }
}
