//! The source root: opened, and proven to be no part of the space, of a copy or of the state (safety law 8).

use std::path::{Path, PathBuf};

use host::error::Meaning;
use host::mounts::{self, Mount};
use host::{Dir, volume};
use model::config::Os;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use model::sentinel::SENTINEL_NAME;
use store::layout;
use store::space::SpaceRoot;
use store::state::State;

use crate::inbox::Arrivals;
use crate::patience;

/// An open source root.
#[derive(Debug)]
pub struct Source {
    /// The root.
    pub dir: Dir,
    /// The lasting id of the volume it lies on; `None` where there is none to be had.
    pub volume: Option<String>,
    /// True if stamps on it are fine enough to trust young ones.
    pub fine_stamps: bool,
    /// The folder of the space that it is: an inbox beside the devices.
    pub in_space: Option<RelPath>,
    /// How it is brought in where it is an inbox.
    pub arrivals: Option<Arrivals>,
}

/// Opens a source root, following links to it.
///
/// # Errors
/// [`Code::SourceMissing`] when there is no such folder, [`Code::SourceUnreadable`] when
/// it can't be listed.
pub fn open(path: &Path) -> Result<Source, Problem> {
    let missing = |what: String| Problem::new(Code::SourceMissing, what).at(path);
    let unreadable = |e: host::Error| {
        let code = if e.meaning() == Meaning::Missing {
            Code::SourceMissing
        } else {
            Code::SourceUnreadable
        };
        let what = format!("can't {} as a source: {}", e.attempt, e.source);
        granted(Problem::new(code, what).at(path), &e.source)
    };
    let real = match std::fs::canonicalize(path) {
        Ok(real) => real,
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            let what = format!("can't reach the source: {e}");
            return Err(granted(Problem::new(Code::SourceUnreadable, what).at(path), &e));
        }
        Err(e) => return Err(missing(format!("no such source: {e}"))),
    };
    if !real.is_dir() {
        return Err(missing("the source is not a folder".to_owned()));
    }
    let dir = Dir::open(&real).map_err(unreadable)?;
    dir.entries().map_err(unreadable)?;
    let volume = volume::id(&dir);
    let fine_stamps = volume::has_fine_stamps(&dir);
    Ok(Source { dir, volume, fine_stamps, in_space: None, arrivals: None })
}

/// The problem with the grant that would help, where the system tells that one is missing.
fn granted(problem: Problem, error: &std::io::Error) -> Problem {
    let path = problem.place.as_ref().map(|place| host::name::os(place.as_bytes()).into_owned());
    match path.and_then(|path| patience::grant(Os::HERE, error, Path::new(&path))) {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// Refuses a source that contains the space or the state, or is contained by them, by any name.
///
/// # Errors
/// [`Code::Loop`], always an error and never a warning.
pub fn refuse_loops(source: &Source, space: &SpaceRoot, state: &State) -> Result<(), Problem> {
    refuse_loops_with(source, space.path(), Some(space.dir()), state, None)
}

/// The same for an inbox, which may lie in the space apart from `devices`; then it is opened
/// anew through the space's own handle.
///
/// # Errors
/// As [`refuse_loops`].
pub fn refuse_loops_of_inbox(
    source: Source,
    space: &SpaceRoot,
    state: &State,
) -> Result<Source, Problem> {
    let root = real(space.path());
    let below = source.dir.path().strip_prefix(&root).ok().and_then(relative);
    let Some(below) = below.filter(|below| !below.is_root()) else {
        refuse_loops(&source, space, state)?;
        return Ok(source);
    };
    let devices = space.dir().beneath(&layout::devices()).ok();
    refuse_loops_with(&source, &root.join("devices"), devices.as_ref(), state, Some(&root))?;
    let dir = space.dir().beneath(&below).map_err(store::device::away)?;
    let is = |dir: &Dir| dir.own_facts().ok().map(|f| (f.device, f.file_id));
    if is(&dir) != is(&source.dir) {
        let what = "the inbox at this path is not the one in the space";
        return Err(Problem::new(Code::Loop, what).at(source.dir.path()));
    }
    Ok(Source { dir, in_space: Some(below), ..source })
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn relative(path: &Path) -> Option<RelPath> {
    let names = path.components().map(|part| part.as_os_str().as_encoded_bytes());
    RelPath::new(names.collect::<Vec<_>>().join(&b'/')).ok()
}

/// Refuses a source that meets the folder `held`, or the state, or is a pillar or a copy itself;
/// `root` is the space's, when the source may lie below that.
fn refuse_loops_with(
    source: &Source,
    held: &Path,
    held_dir: Option<&Dir>,
    state: &State,
    root: Option<&Path>,
) -> Result<(), Problem> {
    let path = source.dir.path();
    let refused = |what: &str| Err(Problem::new(Code::Loop, what).at(path));
    let (space_path, state_path) = (real(held), real(state.root()));
    let on_the_way =
        held_dir.is_some_and(|dir| same_folder_on_the_way(&source.dir, dir, &space_path));
    if meet(path, &space_path) || on_the_way {
        return refused("the source and the space contain each other");
    }
    if meet(path, &state_path) {
        return refused("the source and the toolkit's own state contain each other");
    }
    let table = mounts::table().unwrap_or_default();
    if meet_by_mount(&table, path, &space_path) {
        return refused("the source and the space contain each other through a mount");
    }
    let others = |above: &&Path| root != Some(*above);
    if let Some(above) = path.ancestors().filter(others).find(|above| is_pillar_or_copy(above)) {
        let what =
            format!("the source lies in a pillar or in a device's copy, {}", above.display());
        return refused(&what);
    }
    Ok(())
}

fn meet(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// True if one folder is on the way from the root to the other, by device and inode.
fn same_folder_on_the_way(source: &Dir, space: &Dir, space_path: &Path) -> bool {
    let identity = |dir: &Dir| dir.own_facts().ok().map(|f| (f.device, f.file_id));
    let on_the_way = |path: &Path, to: Option<(u64, u64)>| {
        to.is_some()
            && path.ancestors().any(|above| Dir::open(above).is_ok_and(|dir| identity(&dir) == to))
    };
    on_the_way(source.path(), identity(space)) || on_the_way(space_path, identity(source))
}

/// True if the source, or a mount below it, shows a part of what the space is made of, or the reverse.
fn meet_by_mount(table: &[Mount], source: &Path, space: &Path) -> bool {
    let Some((space_device, space_inner)) = inner(table, space) else { return false };
    let below = table
        .iter()
        .filter(|m| m.point.starts_with(source))
        .map(|m| (m.device.clone(), m.root.clone()));
    let spaces_below = table
        .iter()
        .filter(|m| m.point.starts_with(space))
        .map(|m| (m.device.clone(), m.root.clone()));
    let meets =
        |(device, path): (String, PathBuf)| device == space_device && meet(&path, &space_inner);
    let source_meets = |(device, path): (String, PathBuf)| {
        inner(table, source).is_some_and(|(d, inner)| d == device && meet(&path, &inner))
    };
    inner(table, source).into_iter().chain(below).any(meets)
        || spaces_below.into_iter().any(source_meets)
}

/// The device of the file system that a path lies on, and the path within that file system.
fn inner(table: &[Mount], path: &Path) -> Option<(String, PathBuf)> {
    let mount = mounts::covering(table, path)?;
    let rest = path.strip_prefix(&mount.point).ok()?;
    Some((mount.device.clone(), mount.root.join(rest)))
}

/// True for a folder that carries a sentinel, or is a device's folder in some space or a copy of one.
fn is_pillar_or_copy(folder: &Path) -> bool {
    folder.join(SENTINEL_NAME).is_file()
        || (folder.join("_device.json").is_file()
            && (folder.join("_catalog").is_dir() || folder.join("_spool").is_dir()))
}

#[cfg(test)]
mod tests {
    use super::meet_by_mount;
    use host::mounts::parse;
    use std::path::Path;

    #[test]
    fn bind_mounts_of_either_in_the_other_are_seen() {
        let table = parse(
            b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
              2 1 8:2 / /space rw - btrfs /dev/sdb rw\n\
              3 1 8:2 /devices /home/u/iCloud/inner rw - btrfs /dev/sdb rw\n\
              4 2 8:1 /home/u/Dropbox /space/there rw - ext4 /dev/sda1 rw\n",
        );
        let space = Path::new("/space");
        assert!(meet_by_mount(&table, Path::new("/home/u/iCloud"), space));
        assert!(meet_by_mount(&table, Path::new("/home/u/Dropbox"), space));
        assert!(meet_by_mount(&table, Path::new("/home/u/iCloud/inner/x"), space));
        assert!(!meet_by_mount(&table, Path::new("/home/u/OneDrive"), space));
    }
}
