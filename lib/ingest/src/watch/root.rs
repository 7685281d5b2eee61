//! Which folder a root is.

use std::path::{Path, PathBuf};

use host::Dir;

/// Which folder the root is, by more than its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct RootId {
    /// Where it lies, links followed.
    pub path: PathBuf,
    device: u64,
    file_id: u64,
    mount: Option<u64>,
}

impl RootId {
    /// What lies there now; `None` where no folder can be opened.
    pub fn now(source: &Path) -> Option<RootId> {
        let path = std::fs::canonicalize(source).ok()?;
        let facts = Dir::open(&path).and_then(|dir| dir.own_facts()).ok()?;
        Some(RootId { path, device: facts.device, file_id: facts.file_id, mount: facts.mount_id })
    }
}
