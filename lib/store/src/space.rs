//! The proven space: an open root below which everything in /space is reached.

use std::path::Path;

use host::Dir;
use model::sentinel::{Pillar, Sentinel};
use uuid::Uuid;

/// A pillar's root that was proven to be the real one, held open.
///
/// Whoever holds it reaches everything below it through its handle: should the mount
/// go away, nothing is ever redirected to the bare mount point (safety law 2). Only
/// `mount::prove` makes one in the programs.
#[derive(Debug)]
pub struct SpaceRoot {
    dir: Dir,
    sentinel: Sentinel,
    local: bool,
}

impl SpaceRoot {
    /// States that this open folder is the pillar of this sentinel; the caller has proven it.
    pub fn proven(dir: Dir, sentinel: Sentinel, local: bool) -> SpaceRoot {
        SpaceRoot { dir, sentinel, local }
    }

    /// The open root.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The path it was opened by; for messages and comparisons only.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The volume's id.
    pub fn id(&self) -> Uuid {
        self.sentinel.id
    }

    /// The pillar.
    pub fn pillar(&self) -> Pillar {
        self.sentinel.pillar
    }

    /// True on the machine whose own disk this is; copies are scrubbed only there.
    pub fn is_local(&self) -> bool {
        self.local
    }
}
