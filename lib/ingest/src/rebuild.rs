//! A manifest that is lost or broken is made again, from the catalog and a look at the copies.
//!
//! Every row is suspect then, so its source is read before it is called unchanged, and
//! the guard judges against it as against any other: losing the manifest must not
//! switch the guard off.

use std::collections::HashSet;

use host::{Dir, Facts, Kind};
use model::ingest::{Change, FileNews, RecordKind};
use model::problem::Problem;
use model::relpath::RelPath;
use store::catalog::Catalog;
use store::manifest::{Manifest, News, Record, RowKind};

/// Rows of one transaction.
const BATCH: usize = 10_000;

/// Fills an empty manifest; returns what could not be read on the way.
///
/// # Errors
/// When the catalog or the copies can't be read, or the manifest can't be written.
pub fn fill(
    manifest: &mut Manifest,
    catalog: Option<&Catalog>,
    copy: Option<&Dir>,
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
    if let Some(copy) = copy {
        add_unexplained(rows.manifest, copy)?;
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
            continue;
        }
        if let Some((folder, name)) = item.from.as_ref().and_then(RelPath::split) {
            batch.remove(&folder, name)?;
        }
        let Some((folder, name)) = file.path.split() else { continue };
        if let Some(record) = Record::from_told(file) {
            batch.put(&folder, name, &record)?;
        }
    }
    batch.commit()?;
    Ok(())
}

/// Copies that no row explains become rows without a digest: they are read before anything is said of them.
fn add_unexplained(manifest: &mut Manifest, copy: &Dir) -> Result<(), Problem> {
    let mut folders = vec![RelPath::root()];
    while let Some(path) = folders.pop() {
        let dir = copy.beneath(&path).map_err(store::device::away)?;
        let known = known_names(manifest, &path)?;
        let told = live_folders(manifest, &path)?;
        let mut batch = manifest.batch()?;
        for entry in dir.entries().map_err(store::device::away)? {
            let facts = dir.facts(&entry.name).map_err(store::device::away)?;
            match facts.kind {
                Kind::Folder => {
                    let folder = path.join(&entry.name);
                    batch.put_folder(
                        &folder,
                        true,
                        facts.mtime_ns,
                        facts.mode,
                        (facts.uid, facts.gid),
                    )?;
                    if !told.contains(&*entry.name) {
                        let news = News::of(Change::Adopted);
                        batch.announce(&folder, b"", &news)?;
                    }
                    folders.push(folder);
                }
                Kind::File if !known.contains(&*entry.name) => {
                    // A run that was killed left it there, and the note of that was lost as well.
                    match crate::apply::run_of_temporary(&entry.name) {
                        Some(run) => batch.note_left_by(&run, &path)?,
                        None => batch.put(&path, &entry.name, &unexplained(&facts))?,
                    }
                }
                _ => {}
            }
        }
        batch.commit()?;
    }
    Ok(())
}

fn known_names(manifest: &Manifest, folder: &RelPath) -> Result<HashSet<Box<[u8]>>, Problem> {
    let reader = manifest.reader()?;
    let Some(id) = reader.folder_id(folder)? else { return Ok(HashSet::new()) };
    Ok(reader.entries(id)?.into_iter().map(|known| known.name).collect())
}

fn live_folders(manifest: &Manifest, folder: &RelPath) -> Result<HashSet<Box<[u8]>>, Problem> {
    let reader = manifest.reader()?;
    let Some(id) = reader.folder_id(folder)? else { return Ok(HashSet::new()) };
    Ok(reader.folders(id)?.into_iter().filter(|row| row.live).map(|row| row.name).collect())
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
        target: None,
        xattrs: std::collections::BTreeMap::new(),
        gone_ms: None,
    }
}
