//! `[trash]`: how long former versions are kept.

use serde::Deserialize;

use super::period::Period;
use super::share::Share;
use super::size::Size;
use super::table;

/// What `phc-ingest expire` may destroy: a version that exceeds any of the three limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trash {
    /// Age from which a former version may go. Default 90 days.
    pub keep_age: Period,
    /// Former versions of one file that are kept, the newest ones. Default: all.
    pub keep_versions: Option<u64>,
    /// Bytes that one device's `_trash` may hold; the oldest go first. Default: no limit.
    pub max_bytes: Option<Size>,
    /// The limits of what one run may destroy.
    #[serde(deserialize_with = "table::one")]
    pub guard: TrashGuard,
}

/// The limits of what one run of `expire` may destroy; it is refused when it exceeds both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrashGuard {
    /// Files that are always let through. Default 100.
    pub files: u64,
    /// Share of the files in `_trash` that is always let through. Default 50 %.
    pub share: Share,
}

impl Default for Trash {
    fn default() -> Trash {
        Trash {
            keep_age: Period::days(90),
            keep_versions: None,
            max_bytes: None,
            guard: TrashGuard::default(),
        }
    }
}

impl Default for TrashGuard {
    fn default() -> TrashGuard {
        TrashGuard { files: 100, share: Share::percent(50) }
    }
}
