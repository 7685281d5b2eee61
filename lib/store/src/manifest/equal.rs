//! Equal content: within one manifest, by the index of large files; across several, in a
//! database of its own on disk, so that it takes little memory whatever their size.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::{Error, Manifest, Reader, Result};
use crate::names::Mapped;

/// Files from this size on are in the index of large files.
pub const LARGE: u64 = 1024 * 1024;

impl Reader {
    /// Files with a copy of this size, [`LARGE`] at least, and content; a few of them.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn large_equals(&self, size: u64, digest: [u8; 32]) -> Result<Vec<Mapped>> {
        let sql = "SELECT folder, name, copy_name FROM entry INDEXED BY entry_large \
                   WHERE size >= 1048576 AND size = ?1 AND digest = ?2 \
                   AND kind = 1 AND copy_mtime_ns IS NOT NULL LIMIT 8";
        let rows: Vec<(i64, Vec<u8>, Option<Vec<u8>>)> = self.with(sql, |s| {
            let values = params![size.cast_signed(), digest];
            s.query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })?;
        let mapped = |(id, name, copy): (i64, Vec<u8>, Option<Vec<u8>>)| {
            Ok(self.folder_path(id)?.join(&name, copy.as_deref()))
        };
        rows.into_iter().map(mapped).collect()
    }
}

/// One of several copies with the same content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Equal {
    /// BLAKE3 of the content.
    pub digest: [u8; 32],
    /// Size in bytes.
    pub size: u64,
    /// Which of the gathered manifests, counted from 0.
    pub of: usize,
    /// The folder's id in it.
    pub folder: i64,
    /// The name in that folder.
    pub name: Vec<u8>,
    /// The copy's name, where it is another.
    pub copy_name: Option<Vec<u8>>,
}

/// Gathers the copies of several manifests.
#[derive(Debug)]
pub struct Gathered {
    connection: Connection,
    path: PathBuf,
    manifests: usize,
}

impl Gathered {
    /// Begins in a new file of this path.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn new(path: &Path) -> Result<Gathered> {
        let failed = |e| Error::of(path, e);
        let connection = Connection::open(path).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA temp_store = file;
                 CREATE TABLE copy (digest BLOB, size INTEGER, of INTEGER, folder INTEGER, name BLOB, copy_name BLOB);",
            )
            .map_err(failed)?;
        Ok(Gathered { connection, path: path.to_owned(), manifests: 0 })
    }

    /// Takes up the copies of one manifest, of this size at least.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn add(&mut self, manifest: &Manifest, least: u64) -> Result<()> {
        let failed = |e| Error::of(manifest.path(), e);
        let path = manifest.path().to_string_lossy();
        self.connection.execute("ATTACH ?1 AS one", [path]).map_err(failed)?;
        let sql = "INSERT INTO copy SELECT digest, size, ?1, folder, name, copy_name FROM one.entry \
                   WHERE kind = 1 AND digest IS NOT NULL AND copy_mtime_ns IS NOT NULL AND size >= ?2";
        let number = i64::try_from(self.manifests).unwrap_or(i64::MAX);
        let least = i64::try_from(least).unwrap_or(i64::MAX);
        self.connection.execute(sql, params![number, least]).map_err(failed)?;
        self.connection.execute("DETACH one", []).map_err(failed)?;
        self.manifests += 1;
        Ok(())
    }

    /// Calls `each` for every copy that is not the only one of its content: the largest first, equal ones together.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn each(&self, each: &mut dyn FnMut(Equal)) -> Result<()> {
        let failed = |e| Error::of(&self.path, e);
        let sql = "SELECT digest, size, of, folder, name, copy_name FROM copy WHERE digest IN \
                   (SELECT digest FROM copy GROUP BY digest HAVING COUNT(*) > 1) \
                   ORDER BY size DESC, digest, of, folder, name";
        self.connection.execute_batch("CREATE INDEX by_digest ON copy (digest)").map_err(failed)?;
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let equal = || -> rusqlite::Result<Equal> {
                let (size, of): (i64, i64) = (row.get(1)?, row.get(2)?);
                Ok(Equal {
                    digest: row.get(0)?,
                    size: size.cast_unsigned(),
                    of: usize::try_from(of).unwrap_or_default(),
                    folder: row.get(3)?,
                    name: row.get(4)?,
                    copy_name: row.get(5)?,
                })
            };
            each(equal().map_err(failed)?);
        }
        Ok(())
    }
}
