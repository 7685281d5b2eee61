//! Reading the manifest, each thread with a connection of its own.

use std::path::{Path, PathBuf};

use model::relpath::RelPath;
use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension, Row, Rows};

use super::row::{Known, Record, RowKind, xattrs_of_text};
use super::{Error, Result};
use crate::names::Mapped;

/// A connection for reading.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// A folder's row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderRow {
    /// Its id; 0 is the root.
    pub id: i64,
    /// The name in its parent.
    pub name: Box<[u8]>,
    /// False once it left the source.
    pub live: bool,
    /// The source's permission bits.
    pub mode: u32,
    /// The copy's name, where it is not `name`.
    pub copy_name: Option<Box<[u8]>>,
    /// The digest of its entries' facts, when all of them were as their rows say.
    pub seen: Option<Seen>,
}

/// A digest of the facts of everything in a folder.
pub type Seen = [u8; 32];

/// The rows of one folder, one after the other.
pub struct Entries<'a> {
    rows: Rows<'a>,
    path: &'a Path,
}

impl Entries<'_> {
    /// The next row, in the order of names; `None` after the last.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn next_row(&mut self) -> Result<Option<Known>> {
        let row = self.rows.next().and_then(|row| row.map(known).transpose());
        row.map_err(|e| Error::of(self.path, e))
    }
}

impl FolderRow {
    /// The name that its copy has.
    pub fn copy_name(&self) -> &[u8] {
        self.copy_name.as_deref().unwrap_or(&self.name)
    }
}

const KNOWN: &str = "SELECT name, kind, live, suspect, size, mtime_ns, ctime_ns, file_id, copy_mtime_ns, copy_name FROM entry WHERE folder = ?1 ORDER BY name";
pub(super) const RECORD_COLUMNS: &str = "kind, live, suspect, size, mtime_ns, ctime_ns, btime_ns, file_id, \
     mode, uid, gid, digest, copy_mtime_ns, target, xattrs, gone_ms, copy_name";

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Reader> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|c| c.busy_timeout(std::time::Duration::from_secs(30)).map(|()| c))
            .and_then(|c| c.pragma_update(None, "query_only", true).map(|()| c))
            .map_err(|e| Error::of(path, e))?;
        connection.set_prepared_statement_cache_capacity(16);
        Ok(Reader { connection, path: path.to_owned() })
    }

    /// Holds on to what the database says now, until this connection is closed.
    ///
    /// Whoever asks for many folders spares the locks of every single question.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn hold(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN").map_err(|e| Error::of(&self.path, e))
    }

    /// Hands the rows of a folder over one by one, in the order of their names.
    ///
    /// # Errors
    /// What the work returns, and when the database can't be read.
    pub fn each_entry<T, E: From<Error>>(
        &self,
        folder: i64,
        work: impl FnOnce(&mut Entries<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let failed = |e| Error::of(&self.path, e);
        let mut statement = self.connection.prepare_cached(KNOWN).map_err(failed)?;
        let rows = statement.query([folder]).map_err(failed)?;
        work(&mut Entries { rows, path: &self.path })
    }

    /// True if any copy has another name than its source.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn has_copy_names(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE copy_name IS NOT NULL) \
                   OR EXISTS (SELECT 1 FROM folder WHERE copy_name IS NOT NULL)";
        self.with(sql, |statement| statement.query_row([], |row| row.get(0)))
    }

    /// The rows of a folder, in the order of their names.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn entries(&self, folder: i64) -> Result<Vec<Known>> {
        self.with(KNOWN, |statement| statement.query_map([folder], known)?.collect())
    }

    /// The folders in a folder, in the order of their names.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn folders(&self, parent: i64) -> Result<Vec<FolderRow>> {
        let sql = "SELECT id, name, live, mode, seen, copy_name FROM folder \
                   WHERE parent = ?1 ORDER BY name";
        self.with(sql, |statement| statement.query_map([parent], folder_row)?.collect())
    }

    /// The digest of a folder's entries, when all of them were as their rows say.
    ///
    /// # Errors
    /// When the database can't be read, or the folder is not in it.
    pub fn seen(&self, folder: i64) -> Result<Option<Seen>> {
        self.with("SELECT seen FROM folder WHERE id = ?1", |statement| {
            statement.query_row([folder], |row| row.get(0))
        })
    }

    /// A whole row; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn record(&self, folder: i64, name: &[u8]) -> Result<Option<Record>> {
        let sql = format!("SELECT {RECORD_COLUMNS} FROM entry WHERE folder = ?1 AND name = ?2");
        self.with(&sql, |statement| {
            statement.query_row((folder, name), |row| record(row, 0)).optional()
        })
    }

    /// The row of a folder; `None` when it is not known.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn folder(&self, path: &RelPath) -> Result<Option<FolderRow>> {
        let sql = "SELECT id, name, live, mode, seen, copy_name FROM folder WHERE id = ?1";
        match self.folder_id(path)? {
            Some(id) => self.with(sql, |s| s.query_row([id], folder_row).optional()),
            None => Ok(None),
        }
    }

    /// True if there is any tombstone.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn has_buried(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE live = 0)";
        self.with(sql, |s| s.query_row([], |row| row.get(0)))
    }

    /// The tombstones of files that had this id in the source: folder, name and row.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn buried_as(&self, file_id: u64) -> Result<Vec<(i64, Vec<u8>, Record)>> {
        let sql = format!(
            "SELECT folder, name, {RECORD_COLUMNS} FROM entry WHERE live = 0 AND file_id = ?1"
        );
        self.with(&sql, |s| {
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, record(row, 2)?));
            s.query_map([file_id.cast_signed()], row)?.collect()
        })
    }

    /// The id of a folder; `None` when it is not known.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn folder_id(&self, path: &RelPath) -> Result<Option<i64>> {
        let mut id = 0;
        for name in path.names() {
            let sql = "SELECT id FROM folder WHERE parent = ?1 AND name = ?2";
            match self.with(sql, |s| s.query_row((id, name), |row| row.get(0)).optional())? {
                Some(found) => id = found,
                None => return Ok(None),
            }
        }
        Ok(Some(id))
    }

    /// The path of a folder, in the source and in the copy.
    ///
    /// # Errors
    /// When the database can't be read, or the folder is not in it.
    pub fn folder_path(&self, id: i64) -> Result<Mapped> {
        let mut names: Vec<(Vec<u8>, Option<Vec<u8>>)> = Vec::new();
        let mut at = id;
        while at != 0 {
            let sql = "SELECT parent, name, copy_name FROM folder WHERE id = ?1";
            let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, (row.get(1)?, row.get(2)?)));
            let (parent, name) = self.with(sql, |s| s.query_row([at], row))?;
            names.push(name);
            at = parent;
        }
        let join = |folder: Mapped, (name, copy): &(Vec<u8>, Option<Vec<u8>>)| {
            folder.join(name, copy.as_deref())
        };
        Ok(names.iter().rev().fold(Mapped::root(), join))
    }

    /// Where the copy of a folder of the source lies; what no row tells has the same name there.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn folder_copy(&self, path: &RelPath) -> Result<Mapped> {
        let mut at = Some(0);
        let mut mapped = Mapped::root();
        for name in path.names() {
            let sql = "SELECT id, copy_name FROM folder WHERE parent = ?1 AND name = ?2";
            let row =
                |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
            let found = match at {
                Some(id) => self.with(sql, |s| s.query_row((id, name), row).optional())?,
                None => None,
            };
            mapped = mapped.join(name, found.as_ref().and_then(|(_, copy)| copy.as_deref()));
            at = found.map(|(id, _)| id);
        }
        Ok(mapped)
    }

    /// Calls `each` for every row, folder by folder: the folder, the name in it, the row.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn each_record(&self, each: &mut dyn FnMut(&Mapped, &[u8], Record)) -> Result<()> {
        let mut waiting = vec![(0, Mapped::root())];
        while let Some((id, folder)) = waiting.pop() {
            for (name, record) in self.records_of(id)? {
                each(&folder, &name, record);
            }
            let below = self.folders(id)?.into_iter();
            waiting.extend(
                below.map(|row| (row.id, folder.join(&row.name, row.copy_name.as_deref()))),
            );
        }
        Ok(())
    }

    /// Calls `each` for every folder but the root: its path, whether it is live, mtime in ns, mode.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn each_folder(&self, each: &mut dyn FnMut(&Mapped, bool, i64, u32)) -> Result<()> {
        let sql = "SELECT id, name, live, mtime_ns, mode, copy_name FROM folder \
                   WHERE parent = ?1 ORDER BY name";
        let mut waiting = vec![(0i64, Mapped::root())];
        while let Some((id, path)) = waiting.pop() {
            let row = |r: &Row<'_>| {
                let path = path.join(&r.get::<_, Vec<u8>>(1)?, blob(r, 5)?.as_deref());
                Ok((r.get(0)?, path, r.get(2)?, r.get(3)?, r.get(4)?))
            };
            let rows: Vec<(i64, Mapped, bool, i64, u32)> =
                self.with(sql, |s| s.query_map([id], row)?.collect())?;
            for (child, path, live, mtime_ns, mode) in rows {
                each(&path, live, mtime_ns, mode);
                waiting.push((child, path));
            }
        }
        Ok(())
    }

    /// The whole rows of a folder, in the order of their names.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn records_of(&self, folder: i64) -> Result<Vec<(Vec<u8>, Record)>> {
        let sql =
            format!("SELECT name, {RECORD_COLUMNS} FROM entry WHERE folder = ?1 ORDER BY name");
        self.with(&sql, |s| {
            s.query_map([folder], |row| Ok((row.get(0)?, record(row, 1)?)))?.collect()
        })
    }

    /// Files with a copy of this content, a few of them; reads every row.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn equal_copies(&self, digest: [u8; 32]) -> Result<Vec<Mapped>> {
        let sql = "SELECT folder, name, copy_name FROM entry \
                   WHERE digest = ?1 AND kind = 1 AND copy_mtime_ns IS NOT NULL LIMIT 8";
        let rows: Vec<(i64, Vec<u8>, Option<Vec<u8>>)> = self.with(sql, |s| {
            s.query_map([digest], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })?;
        let mapped = |(id, name, copy): (i64, Vec<u8>, Option<Vec<u8>>)| {
            Ok(self.folder_path(id)?.join(&name, copy.as_deref()))
        };
        rows.into_iter().map(mapped).collect()
    }

    /// Live files and their bytes, and tombstones.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn counts(&self) -> Result<(u64, u64, u64)> {
        let sql = "SELECT COALESCE(SUM(live), 0), COALESCE(SUM(size * live), 0), COALESCE(SUM(1 - live), 0) \
                   FROM entry WHERE kind = 1";
        self.with(sql, |s| {
            s.query_row([], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?, unsigned(row, 2)?)))
        })
    }

    pub(super) fn with<T>(
        &self,
        sql: &str,
        work: impl FnOnce(&mut CachedStatement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| work(&mut statement))
            .map_err(|e| Error::of(&self.path, e))
    }
}

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        name: row.get_ref(0)?.as_blob()?.into(),
        kind: RowKind::of_number(row.get(1)?)?,
        live: row.get(2)?,
        suspect: row.get(3)?,
        size: unsigned(row, 4)?,
        mtime_ns: row.get(5)?,
        ctime_ns: row.get(6)?,
        file_id: row.get::<_, i64>(7)?.cast_unsigned(),
        copy_mtime_ns: row.get(8)?,
        copy_name: blob(row, 9)?,
    })
}

fn folder_row(row: &Row<'_>) -> rusqlite::Result<FolderRow> {
    Ok(FolderRow {
        id: row.get(0)?,
        name: row.get_ref(1)?.as_blob()?.into(),
        live: row.get(2)?,
        mode: row.get(3)?,
        seen: row.get(4)?,
        copy_name: blob(row, 5)?,
    })
}

pub(super) fn record(row: &Row<'_>, at: usize) -> rusqlite::Result<Record> {
    Ok(Record {
        kind: RowKind::of_number(row.get(at)?)?,
        live: row.get(at + 1)?,
        suspect: row.get(at + 2)?,
        size: unsigned(row, at + 3)?,
        mtime_ns: row.get(at + 4)?,
        ctime_ns: row.get(at + 5)?,
        btime_ns: row.get(at + 6)?,
        file_id: row.get::<_, i64>(at + 7)?.cast_unsigned(),
        mode: row.get(at + 8)?,
        uid: row.get(at + 9)?,
        gid: row.get(at + 10)?,
        digest: row.get(at + 11)?,
        copy_mtime_ns: row.get(at + 12)?,
        target: row.get(at + 13)?,
        xattrs: xattrs_of_text(row.get(at + 14)?),
        gone_ms: row.get(at + 15)?,
        copy_name: row.get(at + 16)?,
    })
}

fn blob(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Box<[u8]>>> {
    Ok(row.get_ref(at)?.as_blob_or_null()?.map(Box::from))
}

pub(super) fn unsigned(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number))
}
