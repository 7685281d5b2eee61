//! The catalog: what is stored of one cloud, with digests, as files in the space.
//!
//! `base.jsonl.zst` holds the state up to one increment, `<uuidv7>.jsonl` each what
//! changed after it. Base and increments suffice to verify, restore and rebuild on
//! any machine. phc-manifest(5) describes the form.

mod base;
mod increment;

pub use increment::Increment;

use std::io::BufRead;

use host::error::Meaning;
use host::{Dir, Error, publish};
use model::cloud::CloudId;
use model::device::Device;
use model::ingest::FileNews;
use model::problem::{Code, Problem};
use uuid::Uuid;

use crate::layout;
use crate::space::SpaceRoot;

/// The catalog of one cloud; only the device itself writes it.
#[derive(Debug)]
pub struct Catalog {
    dir: Dir,
}

impl Catalog {
    /// Opens the catalog for writing, making its folder when missing.
    ///
    /// The caller holds the cloud's lock: what a killed run left unfinished is nobody's.
    ///
    /// # Errors
    /// When the folder can't be made, or not be cleared.
    pub fn open(space: &SpaceRoot, device: &Device, cloud: &CloudId) -> host::Result<Catalog> {
        let dir = space.dir().make_beneath(&layout::catalog(device, cloud), layout::FOLDER_MODE)?;
        publish::clear_unfinished(&dir)?;
        Ok(Catalog { dir })
    }

    /// Opens the catalog for reading; `None` when there is none.
    ///
    /// # Errors
    /// When the folder can't be opened.
    pub fn look(
        space: &SpaceRoot,
        device: &Device,
        cloud: &CloudId,
    ) -> host::Result<Option<Catalog>> {
        match space.dir().beneath(&layout::catalog(device, cloud)) {
            Ok(dir) => Ok(Some(Catalog { dir })),
            Err(e) if e.meaning() == Meaning::Missing => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// True if what this increment told is in the catalog: as its file or within the base.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn holds(&self, increment: Uuid) -> host::Result<bool> {
        match self.dir.facts(&increment::file_name(increment)) {
            Ok(_) => Ok(true),
            Err(e) if e.meaning() == Meaning::Missing => {
                Ok(base::upto(&self.dir)?.is_some_and(|upto| upto >= increment))
            }
            Err(e) => Err(e),
        }
    }

    /// True if nothing was ever told here.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn is_empty(&self) -> host::Result<bool> {
        Ok(increment::ids(&self.dir)?.is_empty() && base::upto(&self.dir)?.is_none())
    }

    /// Calls `each` for all that was told, oldest first; a later line of a path outdoes an earlier one.
    ///
    /// A line that can't be read is a problem, and the rest is told all the same.
    ///
    /// # Errors
    /// When the folder or a file in it can't be read.
    pub fn replay(&self, each: &mut dyn FnMut(FileNews)) -> host::Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut from = None;
        if let Some((upto, lines)) = base::open(&self.dir)? {
            from = Some(upto);
            self.tell(lines, "base.jsonl.zst", each, &mut problems);
        }
        for id in
            increment::ids(&self.dir)?.into_iter().filter(|id| from.is_none_or(|upto| *id > upto))
        {
            let lines = increment::open(&self.dir, id)?;
            self.tell(lines, &id.to_string(), each, &mut problems);
        }
        Ok(problems)
    }

    /// The increments that are kept, oldest first, also those that the base contains.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn increments(&self) -> host::Result<Vec<Uuid>> {
        increment::ids(&self.dir)
    }

    /// Calls `each` for the lines of one increment, oldest first; returns those that can't be read.
    ///
    /// # Errors
    /// When its file can't be opened.
    pub fn read(&self, id: Uuid, each: &mut dyn FnMut(FileNews)) -> host::Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let lines = increment::open(&self.dir, id)?;
        self.tell(lines, &id.to_string(), each, &mut problems);
        Ok(problems)
    }

    fn tell(
        &self,
        lines: impl BufRead,
        name: &str,
        each: &mut dyn FnMut(FileNews),
        problems: &mut Vec<Problem>,
    ) {
        for (number, line) in lines.lines().enumerate() {
            let told = line.map_err(|e| e.to_string()).and_then(|line| {
                serde_json::from_str::<FileNews>(&line).map_err(|e| e.to_string())
            });
            match told {
                Ok(news) => each(news),
                Err(why) => {
                    let what =
                        format!("can't read line {} of the catalog's {name}: {why}", number + 1);
                    problems.push(Problem::new(Code::CatalogDamaged, what).at(self.dir.path()));
                    // After a damaged stretch of a compressed file nothing more can be read.
                    if name.ends_with(".zst") {
                        return;
                    }
                }
            }
        }
    }

    /// The open folder.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }
}

/// The clouds of a device that have a catalog, sorted.
///
/// # Errors
/// What [`crate::device::away`] makes of a failed call.
pub fn clouds(space: &SpaceRoot, device: &Device) -> Result<Vec<CloudId>, Problem> {
    let dir = match space.dir().beneath(&layout::catalogs(device)) {
        Ok(dir) => dir,
        Err(e) if e.meaning() == Meaning::Missing => return Ok(Vec::new()),
        Err(e) => return Err(crate::device::away(e)),
    };
    let id = |name: &[u8]| std::str::from_utf8(name).ok().and_then(|name| CloudId::new(name).ok());
    let entries = dir.entries().map_err(crate::device::away)?;
    let mut clouds: Vec<CloudId> = entries.iter().filter_map(|entry| id(&entry.name)).collect();
    clouds.sort();
    Ok(clouds)
}

/// A failed line of a stream, as the error of its folder.
fn stream_error(dir: &Dir, source: std::io::Error) -> Error {
    Error { attempt: "read the catalog in", path: dir.path().to_owned(), source }
}

#[cfg(test)]
mod tests;
