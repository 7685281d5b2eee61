//! A manifest that is lost or broken is made again, from the catalog and a look at the copies.
//!
//! Every row is suspect then, so its source is read before it is called unchanged, and
//! the guard judges against it as against any other: losing the manifest must not
//! switch the guard off.

use std::collections::{HashMap, HashSet};

use host::{Dir, Facts, Kind};
use model::ingest::{Change, FileNews, RecordKind};
use model::problem::Problem;
use model::relpath::RelPath;
use store::catalog::Catalog;
use store::manifest::{Batch, Manifest, News, Record, RowKind};
use store::names::{self, Mapped, Target};

/// Rows of one transaction.
const BATCH: usize = 10_000;

/// Fills an empty manifest; returns what could not be read on the way.
///
/// # Errors
/// When the catalog or the copies can't be read, or the manifest can't be written.
pub fn fill(
    manifest: &mut Manifest,
    catalog: Option<&Catalog>,
    copy: Option<(&Dir, Target)>,
) -> Result<Vec<Problem>, Problem> {
    let mut rows = Rows { manifest, waiting: Vec::new(), failed: None };
    let problems = match catalog {
        Some(catalog) => {
            catalog.replay(&mut |news| rows.take(news)).map_err(store::device::away)?
        }
        None => Vec::new(),
    };
    rows.flush();
    if let Some(e) = rows.failed.take() {
        return Err(e);
    }
    if let Some((copy, target)) = copy {
        add_unexplained(rows.manifest, copy, target)?;
    }
    Ok(problems)
}

struct Rows<'a> {
    manifest: &'a mut Manifest,
    waiting: Vec<FileNews>,
    failed: Option<Problem>,
}

impl Rows<'_> {
    fn take(&mut self, news: FileNews) {
        self.waiting.push(news);
        if self.waiting.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if self.failed.is_none() {
            self.failed = write(self.manifest, &waiting).err();
        }
    }
}

fn write(manifest: &mut Manifest, news: &[FileNews]) -> Result<(), Problem> {
    let mut batch = manifest.batch()?;
    for item in news {
        let file = &item.file;
        if file.kind == RecordKind::Folder {
            let owner = (file.uid.unwrap_or_default(), file.gid.unwrap_or_default());
            batch.put_folder(
                &file.path,
                file.live,
                file.mtime_ns,
                file.mode.unwrap_or_default(),
                owner,
            )?;
            name_folders(&mut batch, &file.path, file.copy.as_ref())?;
            continue;
        }
        if let Some((folder, name)) = item.from.as_ref().and_then(RelPath::split) {
            batch.remove(&folder, name)?;
        }
        let Some((folder, name)) = file.path.split() else { continue };
        if let Some(record) = Record::from_told(file) {
            batch.put(&folder, name, &record)?;
        }
        if let Some((copy, _)) = file.copy.as_ref().and_then(RelPath::split) {
            name_folders(&mut batch, &folder, Some(&copy))?;
        }
    }
    batch.commit()?;
    Ok(())
}

/// Says which names the copies of a folder and of those above it have.
pub(crate) fn name_folders(
    batch: &mut Batch<'_>,
    path: &RelPath,
    copy: Option<&RelPath>,
) -> Result<(), Problem> {
    let (mut path, mut copy) = (path.clone(), copy.cloned());
    while let (Some((above, name)), Some((copy_above, copy_name))) =
        (path.split(), copy.as_ref().and_then(RelPath::split))
    {
        if name != copy_name {
            batch.name_folder_copy(&path, Some(copy_name))?;
        }
        (path, copy) = (above, Some(copy_above));
    }
    Ok(())
}

/// Copies that no row explains become rows without a digest: they are read before anything is said of them.
fn add_unexplained(manifest: &mut Manifest, copy: &Dir, target: Target) -> Result<(), Problem> {
    let mut folders = vec![Mapped::root()];
    while let Some(at) = folders.pop() {
        let dir = copy.beneath(at.copy()).map_err(store::device::away)?;
        let known = Names::of(manifest, &at.path, target)?;
        let mut batch = manifest.batch()?;
        for entry in dir.entries().map_err(store::device::away)? {
            let facts = dir.facts(&entry.name).map_err(store::device::away)?;
            match facts.kind {
                Kind::Folder => {
                    let is_told = known.folders.contains_key(&entry.name);
                    let folder = known.folder(&at, &entry.name);
                    add_folder(&mut batch, &folder, &facts, is_told)?;
                    folders.push(folder);
                }
                Kind::File if !known.files.contains(&entry.name) => {
                    // A run that was killed left it there, and the note of that was lost as well.
                    if let Some(run) = crate::apply::run_of_temporary(&entry.name) {
                        batch.note_left_by(&run, &at)?;
                        continue;
                    }
                    let (name, copy_name) = names::of_copy(&target, &entry.name);
                    let row = Record { copy_name, ..unexplained(&facts) };
                    batch.put(&at.path, &name, &row)?;
                }
                _ => {}
            }
        }
        batch.commit()?;
    }
    Ok(())
}

fn add_folder(
    batch: &mut Batch<'_>,
    folder: &Mapped,
    facts: &Facts,
    is_told: bool,
) -> Result<(), Problem> {
    let owner = (facts.uid, facts.gid);
    batch.put_folder(&folder.path, true, facts.mtime_ns, facts.mode, owner)?;
    if !is_told {
        name_folders(batch, &folder.path, folder.copy.as_ref())?;
        batch.announce(&folder.path, b"", &News::of(Change::Adopted))?;
    }
    Ok(())
}

/// What rows say of the copies in one folder.
pub(crate) struct Names {
    target: Target,
    /// Copies of files, by their own names.
    files: HashSet<Box<[u8]>>,
    /// Copies of live folders, by their own names, with their sources'.
    folders: HashMap<Box<[u8]>, Box<[u8]>>,
}

impl Names {
    pub fn of(manifest: &Manifest, folder: &RelPath, target: Target) -> Result<Names, Problem> {
        let reader = manifest.reader()?;
        let Some(id) = reader.folder_id(folder)? else {
            return Ok(Names { target, files: HashSet::new(), folders: HashMap::new() });
        };
        let files = reader.entries(id)?.iter().map(|known| known.copy_name().into()).collect();
        let live = reader.folders(id)?.into_iter().filter(|row| row.live);
        let folders = live.map(|row| (row.copy_name().into(), row.name)).collect();
        Ok(Names { target, files, folders })
    }

    /// The folder whose copy has this name.
    pub fn folder(&self, at: &Mapped, copy_name: &[u8]) -> Mapped {
        let (name, own) = match self.folders.get(copy_name) {
            Some(name) => (name.to_vec(), (**name != *copy_name).then(|| copy_name.to_owned())),
            None => names::of_copy(&self.target, copy_name),
        };
        at.join(&name, own.as_deref())
    }
}

/// The row of a copy of which nothing is known but what lies there.
pub(crate) fn unexplained(copy: &Facts) -> Record {
    Record {
        kind: RowKind::File,
        live: true,
        suspect: true,
        size: copy.size,
        mtime_ns: copy.mtime_ns,
        ctime_ns: None,
        btime_ns: None,
        file_id: 0,
        mode: copy.mode,
        uid: copy.uid,
        gid: copy.gid,
        digest: None,
        copy_mtime_ns: Some(copy.mtime_ns),
        copy_name: None,
        target: None,
        xattrs: std::collections::BTreeMap::new(),
        gone_ms: None,
    }
}
