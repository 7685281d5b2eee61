//! `_trash`: where former versions go, before anything takes their name (safety law 6).

use host::error::{Attempt, Meaning};
use host::{Dir, Kind, failpoint, sparse};
use model::relpath::RelPath;
use uuid::Uuid;

/// Folders in the trash tell names of a person's files: nobody else's business.
const FOLDER_MODE: u32 = 0o700;

/// The trash of one run and cloud.
#[derive(Debug)]
pub struct Trash<'a> {
    /// The space root.
    pub root: &'a Dir,
    /// `devices/<host>/<user>/_trash/<date>/<runid>/<cloud>`.
    pub of_run: RelPath,
    /// The same with another id, for a path that is put away twice in one run.
    pub of_run_again: RelPath,
    /// The same of runs that were killed or failed.
    pub of_cut_off: CutOff<'a>,
    /// True if each folder must be synced for itself.
    pub sync_each: bool,
}

/// What runs that were killed or failed put away, and may not have remembered.
#[derive(Debug)]
pub struct CutOff<'a> {
    /// The space root.
    pub root: &'a Dir,
    /// The trash of each such run, [`again`] included.
    pub runs: Vec<RelPath>,
}

impl CutOff<'_> {
    /// True if one of them moved what had this name.
    pub fn has(&self, folder: &RelPath, name: &[u8]) -> bool {
        self.runs.iter().any(|run| {
            let path = folder.names().fold(run.clone(), |path, name| path.join(name));
            self.root.beneath(&path).and_then(|trash| trash.facts(name)).is_ok()
        })
    }
}

/// The id under which a run puts a path away for the second time: told by its own, so that
/// whoever knows the run finds it.
pub fn again(run: Uuid) -> Uuid {
    Uuid::from_u128(run.as_u128().wrapping_add(1))
}

impl Trash<'_> {
    /// Keeps what has this name as a former version, so that its name may be replaced.
    ///
    /// A file gets a second name in the trash (a hard link, else a clone) and keeps its
    /// own; what can't, and what is no file, is moved.
    pub fn keep(&self, dir: &Dir, folder: &RelPath, name: &[u8], kind: Kind) -> host::Result<()> {
        if kind != Kind::File {
            return self.put_away(dir, folder, name);
        }
        let trash = self.folder(&self.of_run, folder)?;
        let linked = match dir.hard_link(name, &trash, name) {
            Err(e) if e.meaning() == Meaning::Exists => {
                let again = self.folder(&self.of_run_again, folder)?;
                dir.hard_link(name, &again, name)
            }
            other => other,
        };
        match linked {
            Ok(()) => self.synced(&trash)?,
            Err(_) if clone(dir, &trash, name).is_ok() => self.synced(&trash)?,
            Err(_) => return self.put_away(dir, folder, name),
        }
        failpoint::hit("trash.linked").attempt("keep a former version in", trash.path())
    }

    /// Moves what has this name to the trash.
    pub fn put_away(&self, dir: &Dir, folder: &RelPath, name: &[u8]) -> host::Result<()> {
        let trash = self.folder(&self.of_run, folder)?;
        match dir.rename_new(name, &trash, name) {
            Err(e) if e.meaning() == Meaning::Exists => {
                dir.rename_new(name, &self.folder(&self.of_run_again, folder)?, name)?;
            }
            other => other?,
        }
        self.synced(&trash)
    }

    /// Moves what this run put away to another name in the copy; false if it is not there.
    pub fn give_back(&self, folder: &RelPath, name: &[u8], copy: &Dir, to: &[u8]) -> bool {
        [&self.of_run, &self.of_run_again].into_iter().any(|run| {
            let path = folder.names().fold(run.clone(), |path, name| path.join(name));
            let trash = self.root.beneath(&path);
            trash.is_ok_and(|trash| trash.rename_new(name, copy, to).is_ok())
        })
    }

    fn folder(&self, run: &RelPath, folder: &RelPath) -> host::Result<Dir> {
        let path = folder.names().fold(run.clone(), |path, name| path.join(name));
        self.root.make_beneath(&path, FOLDER_MODE)
    }

    fn synced(&self, trash: &Dir) -> host::Result<()> {
        if self.sync_each { trash.sync() } else { Ok(()) }
    }
}

fn clone(dir: &Dir, trash: &Dir, name: &[u8]) -> host::Result<()> {
    let from = dir.read(name)?;
    let facts = host::facts::of(&from).attempt("stat", dir.path())?;
    let to = trash.create_new(name, facts.mode)?;
    let cloned =
        sparse::clone(&from, &to).and_then(|()| host::facts::set_mtime(&to, facts.mtime_ns));
    if cloned.is_err() {
        // What could not be cloned is moved instead; an empty file must not stand in its place.
        trash.remove_file(name)?;
    }
    cloned.attempt("clone", dir.path())
}
