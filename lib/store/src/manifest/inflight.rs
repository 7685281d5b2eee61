//! What a batch is about to do in the copy, noted before it does it: after a kill just that is looked at.

use model::relpath::RelPath;
use rusqlite::params;
use uuid::Uuid;

use super::{Batch, Manifest, Result};
use crate::names::Mapped;

/// A folder in which a run works, or worked until it was cut off.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Busy {
    /// The folder.
    pub folder: Mapped,
    /// Names that copies get there and that are not their sources': the copy's, then the source's.
    pub names: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Busy {
    /// A folder in which copies have their sources' names.
    pub fn in_folder(folder: Mapped) -> Busy {
        Busy { folder, names: Vec::new() }
    }

    /// The source's name of a copy with this name.
    pub fn name_of<'a>(&'a self, copy_name: &'a [u8]) -> &'a [u8] {
        let noted = self.names.iter().find(|(copy, _)| copy == copy_name);
        noted.map_or(copy_name, |(_, name)| name)
    }
}

impl Batch<'_> {
    /// Notes the folders in which this run may leave temporaries; those of an earlier batch are forgotten.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn note_inflight(&mut self, run: Uuid, folders: &[Busy]) -> Result<()> {
        self.forget_inflight()?;
        for busy in folders {
            self.note_left_by(&run.to_string(), &busy.folder)?;
            for (copy_name, name) in &busy.names {
                let folder = busy.folder.path.as_bytes();
                let sql = "INSERT OR REPLACE INTO naming VALUES (?1, ?2, ?3)";
                self.sql(sql, params![folder, copy_name, name])?;
            }
        }
        Ok(())
    }

    /// Notes a folder in which temporaries of some run were found, beside what is noted already.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn note_left_by(&mut self, run: &str, folder: &Mapped) -> Result<()> {
        let copy = folder.copy.as_ref().map(RelPath::as_bytes);
        self.sql(
            "INSERT OR IGNORE INTO inflight VALUES (?1, ?2, ?3)",
            params![run, folder.path.as_bytes(), copy],
        )
    }

    /// Forgets which folders may hold temporaries: they are known to hold none.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn forget_inflight(&mut self) -> Result<()> {
        self.sql("DELETE FROM inflight", [])?;
        self.sql("DELETE FROM naming", [])
    }
}

impl Manifest {
    /// The folders in which a run that was killed may have left something, each with that run's id.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn inflight(&self) -> Result<Vec<(String, Busy)>> {
        let rows: Vec<(String, Vec<u8>, Option<Vec<u8>>)> = self.sql(|c| {
            c.prepare_cached("SELECT run, folder, copy FROM inflight")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })?;
        let mut noted = Vec::with_capacity(rows.len());
        for (run, folder, copy) in rows {
            let names = self.naming(&folder)?;
            let Ok(path) = RelPath::new(folder) else { continue };
            let copy = copy.and_then(|copy| RelPath::new(copy).ok());
            noted.push((run, Busy { folder: Mapped { path, copy }, names }));
        }
        Ok(noted)
    }

    fn naming(&self, folder: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.sql(|c| {
            c.prepare_cached("SELECT copy_name, name FROM naming WHERE folder = ?1")?
                .query_map([folder], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }
}
