//! Where a scan begins: at the root, or at the folders of its scope.

use host::Dir;
use host::error::Meaning;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::{FolderRow, Reader};
use store::names::Mapped;

use super::walk::{Job, Scan, Task};
use crate::scope::{Folders, Scope};

/// The folders that a scan begins with.
///
/// A folder of the scope that is not there any more, or not known yet, is looked at from
/// its nearest parent that is both: what is new or gone in that one is followed to its bottom.
pub(super) fn jobs(what: &Scan<'_>) -> Result<Vec<Job>, Problem> {
    let Scope::Folders(folders) = what.scope else {
        let task = Task::Compare { is_new: false, mode: 0, below: true };
        let seen = what.manifest.open()?.seen(0)?;
        return Ok(vec![Job { at: Mapped::root(), row: Some(0), seen, task }]);
    };
    let reader = what.manifest.open()?;
    let mut begin = Folders::new();
    for (path, below) in folders.without(what.excludes).iter() {
        let nearest = known(&reader, there(what.source, path.clone()))?;
        begin.add(nearest.clone(), below && nearest == *path);
    }
    let job = |(path, below): (&RelPath, bool)| {
        let row = reader.folder(path)?;
        let mode = row.as_ref().map_or(0, |row| row.mode);
        let task = Task::Compare { is_new: false, mode, below };
        let seen = row.as_ref().and_then(|row| row.seen);
        let at = reader.folder_copy(path)?;
        Ok(Job { at, row: row.map(|row| row.id), seen, task })
    };
    begin.iter().map(job).collect()
}

/// True if a partial scan's root lists nothing but what is left out; a full one sees that by itself.
pub(super) fn root_is_empty(what: &Scan<'_>) -> bool {
    let left_out =
        |entry: &host::dir::Entry| what.excludes.leave_out(&RelPath::root(), &entry.name);
    what.scope.is_partial()
        && what.source.entries().is_ok_and(|entries| entries.iter().all(left_out))
}

/// The path, or the nearest above it that is a folder of this source.
fn there(source: &Dir, mut path: RelPath) -> RelPath {
    while let Err(e) = source.beneath(&path) {
        if !is_elsewhere(&e) {
            // It is there and can't be opened, which its visit tells.
            break;
        }
        let Some((above, _)) = path.split() else { break };
        path = above;
    }
    path
}

/// True for the failures of a path that names no folder of this source.
fn is_elsewhere(error: &host::Error) -> bool {
    // A link or another file system in its place can't be entered, and means what a file means.
    matches!(error.meaning(), Meaning::Missing | Meaning::Unsupported)
        || error.source.kind() == std::io::ErrorKind::NotADirectory
}

/// The path, or the nearest above it whose row, with all those on the way, is live.
fn known(reader: &Reader, path: RelPath) -> Result<RelPath, Problem> {
    let mut known = RelPath::root();
    for name in path.names() {
        let next = known.join(name);
        if !reader.folder(&next)?.is_some_and(|row: FolderRow| row.live) {
            break;
        }
        known = next;
    }
    Ok(known)
}
