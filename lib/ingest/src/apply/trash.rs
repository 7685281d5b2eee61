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
    /// The trash of what lies in one folder of the copy.
    pub fn of<'t>(&'t self, folder: &'t RelPath) -> FolderTrash<'t> {
        FolderTrash { trash: self, folder, first: None, again: None }
    }

    /// Moves what this run put away to another name in the copy; false if it is not there.
    pub fn give_back(&self, folder: &RelPath, name: &[u8], copy: &Dir, to: &[u8]) -> bool {
        [&self.of_run, &self.of_run_again].into_iter().any(|run| {
            let path = folder.names().fold(run.clone(), |path, name| path.join(name));
            let trash = self.root.beneath(&path);
            trash.is_ok_and(|trash| trash.rename_new(name, copy, to).is_ok())
        })
    }

    /// Opens a folder of the trash, making it and those above it when missing.
    fn make(&self, path: &RelPath) -> host::Result<Dir> {
        match self.root.beneath(path) {
            Err(e) if e.meaning() == Meaning::Missing => {}
            found => return found,
        }
        let Some((above, name)) = path.split() else { return self.root.again() };
        let parent = self.make(&above)?;
        parent.make_folder(name, FOLDER_MODE)?;
        self.synced(&parent)?;
        parent.sub(name)
    }

    fn synced(&self, trash: &Dir) -> host::Result<()> {
        if self.sync_each { trash.sync() } else { Ok(()) }
    }
}

/// Where former versions of what lies in one folder go; its folders are made when they are needed.
#[derive(Debug)]
pub struct FolderTrash<'t> {
    trash: &'t Trash<'t>,
    folder: &'t RelPath,
    first: Option<Dir>,
    again: Option<Dir>,
}

impl FolderTrash<'_> {
    /// Gives a file a second name in the trash (a hard link, else a clone), so that its own
    /// may be replaced after [`FolderTrash::sync`]; false if that can't be done.
    pub fn keep(&mut self, dir: &Dir, name: &[u8]) -> host::Result<bool> {
        let linked = match dir.hard_link(name, self.first()?, name) {
            Err(e) if e.meaning() == Meaning::Exists => dir.hard_link(name, self.again()?, name),
            other => other,
        };
        if linked.is_err() && clone(dir, self.first()?, name).is_err() {
            return Ok(false);
        }
        let trash = self.first()?;
        failpoint::hit("trash.linked").attempt("keep a former version in", trash.path())?;
        Ok(true)
    }

    /// Keeps what has this name, durably; true if it still has it and may be replaced, false if
    /// it was moved.
    pub fn keep_now(&mut self, dir: &Dir, name: &[u8], kind: Kind) -> host::Result<bool> {
        if kind == Kind::File && self.keep(dir, name)? {
            self.sync()?;
            return Ok(true);
        }
        self.put_away(dir, name)?;
        Ok(false)
    }

    /// Makes the second names durable, where each folder must be synced for itself.
    pub fn sync(&self) -> host::Result<()> {
        self.first.iter().chain(&self.again).try_for_each(|trash| self.trash.synced(trash))
    }

    /// Moves what has this name to the trash.
    pub fn put_away(&mut self, dir: &Dir, name: &[u8]) -> host::Result<()> {
        match dir.rename_new(name, self.first()?, name) {
            Err(e) if e.meaning() == Meaning::Exists => {
                dir.rename_new(name, self.again()?, name)?;
            }
            other => other?,
        }
        self.sync()
    }

    fn first(&mut self) -> host::Result<&Dir> {
        opened(&mut self.first, self.trash, &self.trash.of_run, self.folder)
    }

    fn again(&mut self) -> host::Result<&Dir> {
        opened(&mut self.again, self.trash, &self.trash.of_run_again, self.folder)
    }
}

fn opened<'d>(
    dir: &'d mut Option<Dir>,
    trash: &Trash<'_>,
    run: &RelPath,
    folder: &RelPath,
) -> host::Result<&'d Dir> {
    match dir {
        Some(dir) => Ok(dir),
        None => Ok(dir.insert(trash.make(&below(run, folder))?)),
    }
}

fn below(run: &RelPath, folder: &RelPath) -> RelPath {
    folder.names().fold(run.clone(), |path, name| path.join(name))
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
