//! `[ingest]`: how clouds are brought in.

use serde::Deserialize;

use super::attribute::AttributeName;
use super::exclude::Exclude;
use super::guard::Guard;
use super::period::Period;
use super::share::{Free, Share};
use super::size::Size;
use super::table;

/// The fleet's settings of `phc-ingest`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// What is left out of every cloud; a list here replaces the default one.
    pub exclude: Vec<Exclude>,
    /// Free space of the space below which a run ends with 75. Default 1 %.
    pub min_free: Free,
    /// Time between two looks of a watch at everything. Default 24 h.
    pub full_scan: Period,
    /// Time between two looks of a watch at what it can't be told of. Default 1 min.
    pub poll: Period,
    /// Bytes that a run brings in of what is only in the cloud. Default: nothing.
    pub hydrate: Option<Size>,
    /// Extended attributes that copies carry; a list here replaces the default one.
    pub keep_xattrs: Vec<AttributeName>,
    /// The guard's limits.
    #[serde(deserialize_with = "table::one")]
    pub guard: Guard,
}

impl Default for Ingest {
    fn default() -> Ingest {
        Ingest {
            exclude: DEFAULT_EXCLUDES.map(Exclude::fixed).to_vec(),
            min_free: Free::Share(Share::percent(1)),
            full_scan: Period::hours(24),
            poll: Period::seconds(60),
            hydrate: None,
            keep_xattrs: DEFAULT_XATTRS.map(AttributeName::fixed).to_vec(),
            guard: Guard::default(),
        }
    }
}

/// Names that systems, editors and sync clients leave behind and nobody misses.
const DEFAULT_EXCLUDES: [&str; 5] =
    [".DS_Store", "desktop.ini", "Thumbs.db", "~$*", ".tmp.driveupload"];

/// What people and their programs note of a file: tags, comments, Finder's facts, resource forks.
const DEFAULT_XATTRS: [&str; 2] = ["user.*", "com.apple.*"];
