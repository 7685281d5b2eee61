//! The proven space: an open root below which everything in /space is reached.

use std::path::Path;

use host::Dir;
use host::error::Meaning;
use model::relpath::RelPath;
use model::sentinel::{Pillar, Sentinel};
use uuid::Uuid;

/// A pillar's root that was proven to be the real one, held open.
///
/// Whoever holds it reaches everything below it through its handle: should the mount
/// go away, nothing is ever redirected to the bare mount point (safety law 2). Only
/// `mount::prove` and `mount::prove_to_read` make one in the programs.
#[derive(Debug)]
pub struct SpaceRoot {
    dir: Dir,
    sentinel: Sentinel,
    local: bool,
    read_only: bool,
}

impl SpaceRoot {
    /// States that this open folder is the pillar of this sentinel; the caller has proven it.
    pub fn proven(dir: Dir, sentinel: Sentinel, local: bool) -> SpaceRoot {
        SpaceRoot { dir, sentinel, local, read_only: false }
    }

    /// The same of a pillar that can only be read; given to nobody who writes there.
    pub fn proven_to_read(dir: Dir, sentinel: Sentinel, local: bool) -> SpaceRoot {
        SpaceRoot { read_only: true, ..SpaceRoot::proven(dir, sentinel, local) }
    }

    /// The open root.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Opens a folder that the devices share, making it and those above it when missing.
    ///
    /// It gets the root's own permission bits, whatever the umask: who may write at the
    /// root decides who may have a device here, and not who came first.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn make_shared(&self, path: &RelPath) -> host::Result<Dir> {
        match self.dir.beneath(path) {
            Err(e) if e.meaning() == Meaning::Missing => {}
            found => return found,
        }
        let Some((above, name)) = path.split() else { return self.dir.again() };
        let mode = self.dir.own_facts()?.mode;
        let parent = self.make_shared(&above)?;
        parent.make_folder(name, mode)?;
        let made = parent.sub(name)?;
        // Another user may have made it meanwhile, with the same bits.
        if made.own_facts()?.mode != mode {
            made.set_own_mode(mode)?;
        }
        Ok(made)
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

    /// True if it could only be read when it was proven.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// True on the machine whose own disk this is; copies are scrubbed only there.
    pub fn is_local(&self) -> bool {
        self.local
    }
}
