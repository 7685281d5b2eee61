//! The past of a cloud: what each path held, when, and where that lies now.
//!
//! Facts are the increments of the catalog, the manifest (made again from the catalog where
//! it is lost) and the listing of `_trash`. [`history`] tells one path's life, `restore`
//! gives a version back.

mod ago;
mod given;
mod history;
mod plan;
mod restore;
mod target;
mod trash;

pub use given::{Given, Root, known_as};
pub use history::{Step, VersionTold, history};
pub use restore::{FileRestored, FilesRestored, Restore, restore};
pub use target::refuse;

use std::path::Path;

use jiff::Timestamp;
use model::cloud::CloudId;
use model::device::Device;
use model::ingest::{FileNews, FileRecord};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::catalog::Catalog;
use store::device;
use store::manifest::{Manifest, Opened, Reader, RowKind};
use store::space::SpaceRoot;

use crate::known::MANIFEST;
use crate::rebuild;
use trash::Trashed;

/// What the past of one cloud is told from.
#[derive(Debug)]
pub struct Past<'a> {
    /// Whose cloud.
    pub device: &'a Device,
    /// Which.
    pub cloud: &'a CloudId,
    /// The space.
    pub space: &'a SpaceRoot,
    manifest: Manifest,
    catalog: Option<Catalog>,
    _scratch: Option<tempfile::TempDir>,
}

/// Where a version lies now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Lies {
    /// In the copy, under this path.
    Copy(RelPath),
    /// In `_trash`, at this path below it.
    Trash(RelPath),
    /// Nowhere any more.
    Nowhere,
}

/// What a path held at some time.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Held {
    pub lies: Lies,
    /// What was known of it, if anything was.
    pub record: Option<FileRecord>,
    /// False if it had left the source.
    pub live: bool,
}

impl<'a> Past<'a> {
    /// Opens the past of a cloud; `folder` is its folder in the state of the device that has one.
    ///
    /// # Errors
    /// When neither manifest nor catalog can be read.
    pub fn open(
        space: &'a SpaceRoot,
        device: &'a Device,
        cloud: &'a CloudId,
        folder: Option<&Path>,
    ) -> Result<Past<'a>, Problem> {
        let catalog = Catalog::look(space, device, cloud).map_err(device::away)?;
        let kept = folder.map(|folder| Manifest::look(&folder.join(MANIFEST)));
        if let Some(Ok(Some(manifest))) = kept {
            return Ok(Past { device, cloud, space, manifest, catalog, _scratch: None });
        }
        if catalog.is_none() {
            let what = format!("nothing was ever stored of {cloud} of {device}");
            return Err(Problem::new(Code::NotFound, what));
        }
        let scratch = tempfile::tempdir().map_err(|e| {
            Problem::new(Code::StateUnusable, format!("can't make a temporary folder: {e}"))
        })?;
        let mut manifest = match Manifest::open(&scratch.path().join(MANIFEST))? {
            Opened::Fresh(manifest) | Opened::Existing(manifest) => manifest,
        };
        rebuild::fill(&mut manifest, catalog.as_ref(), None)?;
        Ok(Past { device, cloud, space, manifest, catalog, _scratch: Some(scratch) })
    }

    /// Rows by path.
    pub(crate) fn rows(&self) -> Result<Rows, Problem> {
        Ok(Rows { reader: self.manifest.reader()? })
    }

    /// What lies in `_trash` of this cloud.
    pub(crate) fn trashed(&self) -> Result<Trashed, Problem> {
        Trashed::of(self.space, self.device, self.cloud)
    }

    /// Every line of the increments that are kept, the newest first, with the time it was told.
    pub(crate) fn newest_first(
        &self,
        each: &mut dyn FnMut(Timestamp, FileNews),
    ) -> Result<(), Problem> {
        let Some(catalog) = &self.catalog else { return Ok(()) };
        let mut ids = catalog.increments().map_err(device::away)?;
        ids.reverse();
        for id in ids {
            let mut lines = Vec::new();
            // A line that can't be read is verify's and the next run's to tell.
            catalog.read(id, &mut |news| lines.push(news)).map_err(device::away)?;
            let time = time_of(id);
            lines.into_iter().rev().for_each(|news| each(time, news));
        }
        Ok(())
    }
}

/// Where the copy of a told file lies below the cloud's folder.
pub(crate) fn copy_of(record: &FileRecord) -> &RelPath {
    record.copy.as_ref().unwrap_or(&record.path)
}

/// The time in an id of version 7 (RFC 9562).
fn time_of(id: uuid::Uuid) -> Timestamp {
    let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |time| time.to_unix());
    let seconds = i64::try_from(seconds).unwrap_or_default();
    Timestamp::new(seconds, i32::try_from(nanos).unwrap_or_default()).unwrap_or_default()
}

/// The manifest, asked by paths.
pub(crate) struct Rows {
    pub reader: Reader,
}

impl Rows {
    /// What a path holds by its row.
    pub fn held(&self, path: &RelPath, trashed: &Trashed) -> Result<Option<Held>, Problem> {
        let Some((folder, name)) = path.split() else { return Ok(None) };
        let Some(id) = self.reader.folder_id(&folder)? else { return Ok(None) };
        let Some(row) = self.reader.record(id, name)? else { return Ok(None) };
        let folder = self.reader.folder_copy(&folder)?;
        let record = row.told(&folder, name);
        let lies = match row.copy_mtime_ns {
            Some(_) => Lies::Copy(copy_of(&record).clone()),
            None if row.kind == RowKind::Symlink => Lies::Nowhere,
            None => trashed.newest(copy_of(&record)),
        };
        Ok(Some(Held { lies, live: row.live, record: Some(record) }))
    }

    /// Where the copy of a path lies, or would lie: versions in `_trash` have that one, too.
    pub fn copy_of(&self, path: &RelPath) -> Result<RelPath, Problem> {
        let Some((folder, name)) = path.split() else { return Ok(path.clone()) };
        let row = match self.reader.folder_id(&folder)? {
            Some(id) => self.reader.record(id, name)?,
            None => None,
        };
        // A folder's row maps its own name as well.
        let mapped = match row {
            Some(row) => self.reader.folder_copy(&folder)?.join(name, row.copy_name.as_deref()),
            None => self.reader.folder_copy(path)?,
        };
        Ok(mapped.copy().clone())
    }

    /// The source's path of a typed one that may have the copy's names.
    pub fn meant(&self, path: &RelPath) -> Result<RelPath, Problem> {
        let (mut meant, mut at) = (RelPath::root(), Some(0));
        for name in path.names() {
            let below = meant.join(name);
            let Some(id) = at else {
                meant = below;
                continue;
            };
            let folders = self.reader.folders(id)?;
            let own = folders.iter().find(|row| &*row.name == name);
            let folder = own.or_else(|| folders.iter().find(|row| row.copy_name() == name));
            at = folder.map(|row| row.id);
            meant = match folder {
                Some(row) => meant.join(&row.name),
                None if self.reader.record(id, name)?.is_some() => below,
                None => {
                    let rows = self.reader.entries(id)?;
                    let row = rows.iter().find(|row| row.copy_name() == name);
                    row.map_or(below, |row| meant.join(&row.name))
                }
            };
        }
        Ok(meant)
    }

    /// True if a folder of this path is known.
    pub fn has_folder(&self, path: &RelPath) -> Result<bool, Problem> {
        Ok(path.is_root() || self.reader.folder_id(path)?.is_some())
    }

    /// Calls `each` for every row below a folder, whatever it is.
    pub fn below(&self, folder: &RelPath, each: &mut dyn FnMut(RelPath)) -> Result<(), Problem> {
        let Some(id) = self.reader.folder_id(folder)? else { return Ok(()) };
        let mut waiting = vec![(id, folder.clone())];
        while let Some((id, path)) = waiting.pop() {
            self.reader.entries(id)?.iter().for_each(|row| each(path.join(&row.name)));
            let below = self.reader.folders(id)?;
            waiting.extend(below.into_iter().map(|row| (row.id, path.join(&row.name))));
        }
        Ok(())
    }
}
