//! Folders of the copy that a move left empty.

use std::collections::{BTreeMap, BTreeSet};

use host::error::Meaning;
use model::problem::Problem;
use model::relpath::RelPath;

use super::Ground;
use crate::plan::{PlanLog, Todo};

/// Removes the copies of folders that left the source by a move, as far as nothing lies in
/// them any more: a tombstone's copy, or what is nobody's, keeps its folder.
///
/// A folder that simply left keeps its copy, empty or not. What can't be removed stays:
/// that is litter at most.
pub(super) fn remove(ground: &Ground<'_>, plan: &mut PlanLog) -> Result<(), Problem> {
    let (mut gone, mut from) = (BTreeMap::new(), BTreeSet::new());
    for part in plan.read()? {
        let part = part?;
        if part.is_gone {
            gone.insert(part.path.clone(), part.copy().clone());
        }
        let renames = part.items.iter().filter(|item| matches!(item.todo, Todo::Rename { .. }));
        from.extend(renames.filter_map(|item| Some(item.from()?.split()?.0)));
    }
    let moved: BTreeSet<RelPath> = from.iter().filter_map(|path| topmost(&gone, path)).collect();
    // What is in a folder comes after it: from the end, the innermost is the first.
    for (path, copy) in gone.iter().rev() {
        if !topmost(&gone, path).is_some_and(|top| moved.contains(&top)) {
            continue;
        }
        remove_one(ground, copy);
    }
    // Of what left with an earlier run, only what was renamed out of it now tells.
    let reader = ground.readers.open()?;
    for path in from.into_iter().rev().filter(|path| topmost(&gone, path).is_none()) {
        let mut at = Some(path);
        while let Some(path) = at.filter(|path| left(ground, path)) {
            let copy = reader.folder_copy(&path)?;
            at = path.split().map(|(above, _)| above).filter(|_| remove_one(ground, copy.copy()));
        }
    }
    Ok(())
}

/// True if a folder of the copy was removed.
fn remove_one(ground: &Ground<'_>, path: &RelPath) -> bool {
    let Some((above, name)) = path.split() else { return false };
    ground.copy.beneath(&above).and_then(|dir| dir.remove_folder(name)).is_ok()
}

/// True if a folder is not in the source any more.
fn left(ground: &Ground<'_>, path: &RelPath) -> bool {
    ground.source.beneath(path).is_err_and(|e| e.meaning() == Meaning::Missing)
}

/// The outermost of the folders that a path is, or lies in.
fn topmost(folders: &BTreeMap<RelPath, RelPath>, path: &RelPath) -> Option<RelPath> {
    let mut at = RelPath::root();
    path.names().find_map(|name| {
        at = at.join(name);
        folders.contains_key(&at).then(|| at.clone())
    })
}
