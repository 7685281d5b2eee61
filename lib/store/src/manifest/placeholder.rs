//! Files of the source whose content is only in the cloud and not captured.

use model::relpath::RelPath;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::reader::unsigned;
use super::{Batch, Reader, Result};

/// What is known of a placeholder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Placeholder {
    /// True for a folder whose entries are not there.
    pub is_folder: bool,
    /// The content's size; `None` where the client does not tell.
    pub size: Option<u64>,
    /// Its modification time, ns.
    pub mtime_ns: i64,
    /// True if opening it brings its content in.
    pub opens: bool,
    /// The stub's own name, where that is another.
    pub stub: Option<Vec<u8>>,
}

/// A placeholder's row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceholderRow {
    /// The name that it stands for, in its folder.
    pub name: Box<[u8]>,
    /// What is known of it.
    pub what: Placeholder,
    /// When it was first seen so, ms since 1970.
    pub since_ms: i64,
    /// How often bringing it in has failed.
    pub tries: u64,
    /// True if a former version of it is stored.
    pub is_stale: bool,
}

/// How much of a source is captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Away {
    /// Files that are not.
    pub files: u64,
    /// Bytes of those whose size is known.
    pub bytes: u64,
    /// Those whose size is not known.
    pub unsized_files: u64,
    /// Folders whose entries are not there.
    pub folders: u64,
    /// Bytes of the former versions that are stored of them.
    pub stale_bytes: u64,
}

const COLUMNS: &str = "p.name, p.is_folder, p.size, p.mtime_ns, p.opens, p.stub, p.since_ms, p.tries, \
    EXISTS (SELECT 1 FROM entry e WHERE e.folder = p.folder AND e.name = p.name AND e.live AND e.kind = 1)";

impl Reader {
    /// True if there is any placeholder at all.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn has_placeholders(&self) -> Result<bool> {
        let found = self.with("SELECT 1 FROM placeholder LIMIT 1", |s| {
            s.query_row([], |row| row.get::<_, i64>(0)).optional()
        })?;
        Ok(found.is_some())
    }

    /// The placeholders of a folder, in the order of their names.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn placeholders(&self, folder: i64) -> Result<Vec<PlaceholderRow>> {
        let sql =
            format!("SELECT {COLUMNS} FROM placeholder p WHERE p.folder = ?1 ORDER BY p.name");
        self.with(&sql, |s| s.query_map([folder], |row| placeholder(row, 0))?.collect())
    }

    /// Calls `each` for every placeholder, those that waited longest first, those that failed last; false ends it.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn each_placeholder(
        &self,
        each: &mut dyn FnMut(RelPath, PlaceholderRow) -> bool,
    ) -> Result<()> {
        let sql = format!(
            "SELECT p.folder, {COLUMNS} FROM placeholder p \
             ORDER BY p.tries, p.since_ms, p.mtime_ns, p.folder, p.name"
        );
        let rows: Vec<(i64, PlaceholderRow)> = self.with(&sql, |s| {
            s.query_map([], |row| Ok((row.get(0)?, placeholder(row, 1)?)))?.collect()
        })?;
        for (folder, row) in rows {
            if !each(self.folder_path(folder)?.path, row) {
                break;
            }
        }
        Ok(())
    }

    /// How much is not captured.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn away(&self) -> Result<Away> {
        let sql = "SELECT COALESCE(SUM(1 - p.is_folder), 0), COALESCE(SUM(p.size), 0), \
             COALESCE(SUM(p.size IS NULL AND NOT p.is_folder), 0), COALESCE(SUM(p.is_folder), 0), \
             COALESCE(SUM(CASE WHEN e.live AND e.kind = 1 THEN e.size ELSE 0 END), 0) \
             FROM placeholder p LEFT JOIN entry e ON e.folder = p.folder AND e.name = p.name";
        self.with(sql, |s| {
            s.query_row([], |row| {
                Ok(Away {
                    files: unsigned(row, 0)?,
                    bytes: unsigned(row, 1)?,
                    unsized_files: unsigned(row, 2)?,
                    folders: unsigned(row, 3)?,
                    stale_bytes: unsigned(row, 4)?,
                })
            })
        })
    }
}

impl Batch<'_> {
    /// Puts a placeholder; one that is there already keeps the time since when it is one.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn put_placeholder(
        &mut self,
        folder: &RelPath,
        name: &[u8],
        what: &Placeholder,
        since_ms: i64,
    ) -> Result<()> {
        let folder = self.folder_id(folder)?;
        self.sql(
            "INSERT INTO placeholder (folder, name, is_folder, size, mtime_ns, opens, stub, since_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (folder, name) DO UPDATE SET \
             is_folder = ?3, size = ?4, mtime_ns = ?5, opens = ?6, stub = ?7, tries = 0",
            params![
                folder,
                name,
                what.is_folder,
                what.size.map(u64::cast_signed),
                what.mtime_ns,
                what.opens,
                what.stub,
                since_ms
            ],
        )
    }

    /// Takes a placeholder out: its content is there, or it is gone.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn drop_placeholder(&mut self, folder: &RelPath, name: &[u8]) -> Result<()> {
        let folder = self.folder_id(folder)?;
        self.sql("DELETE FROM placeholder WHERE folder = ?1 AND name = ?2", params![folder, name])
    }

    /// Notes that bringing one in failed, so that others come first.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn note_try(&mut self, folder: &RelPath, name: &[u8]) -> Result<()> {
        let folder = self.folder_id(folder)?;
        self.sql(
            "UPDATE placeholder SET tries = tries + 1 WHERE folder = ?1 AND name = ?2",
            params![folder, name],
        )
    }
}

fn placeholder(row: &Row<'_>, at: usize) -> rusqlite::Result<PlaceholderRow> {
    let size: Option<i64> = row.get(at + 2)?;
    Ok(PlaceholderRow {
        name: row.get_ref(at)?.as_blob()?.into(),
        what: Placeholder {
            is_folder: row.get(at + 1)?,
            size: size.map(i64::cast_unsigned),
            mtime_ns: row.get(at + 3)?,
            opens: row.get(at + 4)?,
            stub: row.get(at + 5)?,
        },
        since_ms: row.get(at + 6)?,
        tries: unsigned(row, at + 7)?,
        is_stale: row.get(at + 8)?,
    })
}
