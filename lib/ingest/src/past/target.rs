//! Where a restore may write: never below a source root (safety law 1), below the devices
//! of the space, or into the toolkit's own state, by any name.

use std::path::{Path, PathBuf};

use host::Dir;
use model::problem::{Code, Problem};
use store::layout;
use store::space::SpaceRoot;
use store::state::State;

/// Refuses a target folder that lies where nothing may be restored to; it need not be there yet.
///
/// # Errors
/// [`Code::Loop`], always an error and never a warning.
pub fn refuse(
    target: &Path,
    sources: &[PathBuf],
    space: &SpaceRoot,
    state: &State,
) -> Result<(), Problem> {
    let there = target.ancestors().find_map(|above| std::fs::canonicalize(above).ok());
    let there = there.unwrap_or_else(|| target.to_owned());
    let on_the_way: Vec<_> = there.ancestors().filter_map(identity).collect();
    let meets = |root: &Path| {
        let real = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        there.starts_with(&real) || identity(&real).is_some_and(|id| on_the_way.contains(&id))
    };
    let refused =
        |what: &str, hint: &str| Err(Problem::new(Code::Loop, what).at(target).hint(hint));
    if let Some(source) = sources.iter().find(|source| meets(source)) {
        let what = format!("nothing is ever written below a source, {}", source.display());
        return refused(&what, "give a folder elsewhere with --to");
    }
    let devices = space.dir().beneath(&layout::devices()).ok();
    let devices = devices.and_then(|dir| dir.own_facts().ok()).map(|f| (f.device, f.file_id));
    if devices.is_some_and(|id| on_the_way.contains(&id)) {
        let what = "only the toolkit writes in the devices of the space";
        return refused(what, "give a folder elsewhere with --to");
    }
    if meets(state.root()) {
        return refused("this is the toolkit's own state", "give a folder elsewhere with --to");
    }
    Ok(())
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let facts = Dir::open(path).ok()?.own_facts().ok()?;
    Some((facts.device, facts.file_id))
}
