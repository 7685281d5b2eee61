//! Facts: walks the source and the manifest together and tells where they differ.
//!
//! One stat per file; nothing is opened or read. The work unit is a folder, and each
//! thread has a connection to the manifest of its own. A folder that was found to be as
//! its rows say is remembered by a digest of its entries' facts: while these are the
//! same, its rows are not even read.

mod away;
mod compare;
mod folder;
mod look;
mod merge;
mod names;
mod start;
mod walk;

pub use compare::{Change, Racy, compare};
pub(crate) use names::CopyNames;
pub use walk::{Scan, scan};

use model::ingest::Totals;
use model::problem::Problem;
use store::manifest::Seen;

/// What a scan found, besides the differences.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    /// Files, folders, links, specials, mount points, excluded names, unchanged files.
    pub totals: Totals,
    /// What could not be read; nothing below such a place is taken for gone.
    pub problems: Vec<Problem>,
    /// True if the root itself lists nothing at all.
    pub root_is_empty: bool,
    /// Folders whose entries are all as their rows say, with the digests of these entries' facts.
    pub seen: Vec<(i64, Seen)>,
}

impl Found {
    /// Reports what can't be read, and counts it.
    fn unreadable(&mut self, error: &host::Error) {
        self.problems.push(crate::patience::problem(error));
        self.totals.failed += 1;
    }

    fn add(&mut self, other: Found) {
        let (t, o) = (&mut self.totals, other.totals);
        t.files += o.files;
        t.bytes += o.bytes;
        t.folders += o.folders;
        t.unchanged += o.unchanged;
        t.symlinks += o.symlinks;
        t.specials += o.specials;
        t.mount_points += o.mount_points;
        t.excluded += o.excluded;
        t.failed += o.failed;
        t.placeholders += o.placeholders;
        t.deferred += o.deferred;
        t.deferred_bytes += o.deferred_bytes;
        t.deferred_unsized += o.deferred_unsized;
        t.deferred_folders += o.deferred_folders;
        t.pointers += o.pointers;
        self.problems.extend(other.problems);
        self.root_is_empty |= other.root_is_empty;
        self.seen.extend(other.seen);
    }
}
