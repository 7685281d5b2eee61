//! Writing the manifest: whole batches, each one transaction.

use std::collections::{HashMap, HashSet};

use model::ingest::{Change, FileRecord};
use model::relpath::RelPath;
use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::row::{Record, xattrs_text};
use super::{Error, Manifest, Result, Seen};

/// What is to be announced of a row: the change, and the former path of a rename.
#[derive(Clone, PartialEq, Debug)]
pub struct News {
    /// What was done.
    pub change: Change,
    /// The former path of a rename.
    pub from: Option<RelPath>,
    /// The version that was put away for it, as far as it is known.
    pub was: Option<Box<FileRecord>>,
}

impl News {
    /// News of a change that put no version away.
    pub fn of(change: Change) -> News {
        News { change, from: None, was: None }
    }
}

/// The folder ?1 and all below it.
const BELOW: &str = "WITH RECURSIVE below(id) AS \
     (SELECT ?1 UNION SELECT folder.id FROM folder JOIN below ON folder.parent = below.id)";

/// One transaction; nothing of it is there until [`Batch::commit`].
#[derive(Debug)]
pub struct Batch<'a> {
    transaction: Transaction<'a>,
    path: &'a std::path::Path,
    folders: HashMap<RelPath, i64>,
    /// Folders of which a row changed: what was seen of them says nothing any more.
    touched: HashSet<i64>,
}

impl Manifest {
    /// Begins a batch.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn batch(&mut self) -> Result<Batch<'_>> {
        let path = self.path.as_path();
        let transaction = self.connection.transaction().map_err(|e| Error::of(path, e))?;
        Ok(Batch { transaction, path, folders: HashMap::new(), touched: HashSet::new() })
    }

    /// Remembers of folders that their entries have these facts and are as their rows say.
    ///
    /// Any later change to a row in such a folder forgets it.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn remember_seen(&mut self, folders: &[(i64, Seen)]) -> Result<()> {
        let batch = self.batch()?;
        for (folder, seen) in folders {
            batch.sql("UPDATE folder SET seen = ?2 WHERE id = ?1", params![folder, seen])?;
        }
        batch.commit()
    }
}

impl Batch<'_> {
    /// Puts a row in place of whatever had its name.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn put(&mut self, folder: &RelPath, name: &[u8], record: &Record) -> Result<()> {
        let folder = self.touched(folder)?;
        self.sql(
            "INSERT OR REPLACE INTO entry (folder, name, kind, live, suspect, size, mtime_ns, ctime_ns, btime_ns, \
             file_id, mode, uid, gid, digest, copy_mtime_ns, target, xattrs, gone_ms, copy_name) \
             VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)",
            params![
                folder,
                name,
                record.kind.number(),
                record.live,
                record.suspect,
                record.size.cast_signed(),
                record.mtime_ns,
                record.ctime_ns,
                record.btime_ns,
                record.file_id.cast_signed(),
                record.mode,
                record.uid,
                record.gid,
                record.digest,
                record.copy_mtime_ns,
                record.target,
                xattrs_text(&record.xattrs),
                record.gone_ms,
                record.copy_name,
            ],
        )
    }

    /// Makes a row a tombstone; its copy stays, or is in `_trash` by now.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn bury(
        &mut self,
        folder: &RelPath,
        name: &[u8],
        gone_ms: i64,
        trashed: bool,
    ) -> Result<()> {
        let folder = self.touched(folder)?;
        self.sql(
            "UPDATE entry SET live = 0, gone_ms = ?3, copy_mtime_ns = CASE WHEN ?4 THEN NULL ELSE copy_mtime_ns END \
             WHERE folder = ?1 AND name = ?2",
            params![folder, name, gone_ms, trashed],
        )
    }

    /// Says that a file must be read before it is called unchanged; with `copy`, that its
    /// copy was found damaged or missing as well.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn doubt(&mut self, folder: &RelPath, name: &[u8], copy: bool) -> Result<()> {
        let folder = self.folder_id(folder)?;
        self.sql(
            "UPDATE entry SET suspect = 1, copy_mtime_ns = CASE WHEN ?3 THEN ?4 ELSE copy_mtime_ns END \
             WHERE folder = ?1 AND name = ?2",
            params![folder, name, copy, Record::DOUBTED],
        )?;
        self.sql("UPDATE folder SET seen = NULL WHERE id = ?1", [folder])
    }

    /// Notes that the copies of everything below a folder are in `_trash`.
    ///
    /// A row that is live all the same becomes a tombstone, and is told as one: its file was
    /// taken for renamed, and what has its folder's name now kept the rename from being done.
    /// The folders themselves have left with what was in them.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn trashed_below(&mut self, folder: &RelPath, gone_ms: i64) -> Result<()> {
        let id = self.touched(folder)?;
        self.sql(
            &format!(
                "{BELOW} INSERT INTO unannounced (change, folder, name) \
                 SELECT ?2, folder, name FROM entry WHERE folder IN below AND live = 1"
            ),
            params![id, change_name(Change::Gone)],
        )?;
        self.sql(
            &format!(
                "{BELOW} UPDATE entry SET live = 0, copy_mtime_ns = NULL, \
                 gone_ms = COALESCE(gone_ms, ?2) WHERE folder IN below"
            ),
            params![id, gone_ms],
        )?;
        self.sql(
            &format!(
                "{BELOW} INSERT INTO unannounced (change, folder, name) \
                 SELECT ?2, id, x'' FROM folder WHERE id IN below AND live = 1"
            ),
            params![id, change_name(Change::Gone)],
        )?;
        self.sql(
            &format!("{BELOW} UPDATE folder SET live = 0, seen = NULL WHERE id IN below"),
            [id],
        )?;
        self.sql(&format!("{BELOW} DELETE FROM placeholder WHERE folder IN below"), [id])?;
        self.touched_above(folder).map(drop)
    }

    /// Takes a row out, as a rename does with the former name.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn remove(&mut self, folder: &RelPath, name: &[u8]) -> Result<()> {
        let folder = self.touched(folder)?;
        self.sql("DELETE FROM entry WHERE folder = ?1 AND name = ?2", params![folder, name])
    }

    /// Puts a folder's row.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn put_folder(
        &mut self,
        path: &RelPath,
        live: bool,
        mtime_ns: i64,
        mode: u32,
        owner: (u32, u32),
    ) -> Result<()> {
        let id = self.touched_above(path)?;
        self.sql(
            "UPDATE folder SET live = ?2, mtime_ns = ?3, mode = ?4, uid = ?5, gid = ?6 WHERE id = ?1",
            params![id, live, mtime_ns, mode, owner.0, owner.1],
        )
    }

    /// Says which name a folder's copy has; `None` if it is the source's.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn name_folder_copy(&mut self, path: &RelPath, copy_name: Option<&[u8]>) -> Result<()> {
        let id = self.folder_id(path)?;
        self.sql("UPDATE folder SET copy_name = ?2 WHERE id = ?1", params![id, copy_name])
    }

    /// Says that a folder left the source, if all that is known to be in it has left; true if so.
    ///
    /// A folder that left is not looked into again: nothing live may be left in it.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn bury_folder(&mut self, path: &RelPath) -> Result<bool> {
        let id = self.touched_above(path)?;
        let sql = "UPDATE folder SET live = 0 WHERE id = ?1 AND live = 1 \
                   AND NOT EXISTS (SELECT 1 FROM entry WHERE folder = ?1 AND live = 1) \
                   AND NOT EXISTS (SELECT 1 FROM folder WHERE parent = ?1 AND live = 1)";
        let changed =
            self.transaction.prepare_cached(sql).and_then(|mut statement| statement.execute([id]));
        let buried = changed.map_err(|e| Error::of(self.path, e))? > 0;
        if buried {
            self.sql("DELETE FROM placeholder WHERE folder = ?1", [id])?;
        }
        Ok(buried)
    }

    /// Notes what is to be announced of a row.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn announce(&mut self, folder: &RelPath, name: &[u8], news: &News) -> Result<()> {
        let folder = self.folder_id(folder)?;
        let change = change_name(news.change);
        let former = news.from.as_ref().map(RelPath::as_bytes);
        let was = news.was.as_ref().and_then(|was| serde_json::to_string(was).ok());
        self.sql(
            "INSERT INTO unannounced (change, folder, name, former, was) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![change, folder, name, former, was],
        )
    }

    /// Adds to what a run has destroyed so far; the guard counts it for a day.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn count_applied(
        &mut self,
        run: Uuid,
        gone: u64,
        rewritten: u64,
        bytes: u64,
    ) -> Result<()> {
        self.sql(
            "UPDATE run SET gone = gone + ?2, rewritten = rewritten + ?3, bytes = bytes + ?4 WHERE id = ?1",
            params![run.to_string(), gone.cast_signed(), rewritten.cast_signed(), bytes.cast_signed()],
        )
    }

    /// Makes everything of this batch lasting.
    ///
    /// # Errors
    /// When the database can't be written; nothing of the batch is there then.
    pub fn commit(self) -> Result<()> {
        let path = self.path;
        for folder in &self.touched {
            let forget = "UPDATE folder SET seen = NULL WHERE id = ?1 AND seen IS NOT NULL";
            self.sql(forget, [folder])?;
        }
        host::failpoint::hit("manifest.committing").map_err(|e| io_error(path, &e))?;
        self.transaction.commit().map_err(|e| Error::of(path, e))?;
        host::failpoint::hit("manifest.committed").map_err(|e| io_error(path, &e))
    }

    /// The id of a folder in which a row is about to change.
    fn touched(&mut self, path: &RelPath) -> Result<i64> {
        let id = self.folder_id(path)?;
        self.touched.insert(id);
        Ok(id)
    }

    /// The id of a folder whose own row is about to change, which its parent's entries tell of.
    fn touched_above(&mut self, path: &RelPath) -> Result<i64> {
        if let Some((parent, _)) = path.split() {
            self.touched(&parent)?;
        }
        self.folder_id(path)
    }

    pub(super) fn folder_id(&mut self, path: &RelPath) -> Result<i64> {
        if let Some(id) = self.folders.get(path) {
            return Ok(*id);
        }
        let id = match path.split() {
            None => 0,
            Some((parent, name)) => {
                let parent = self.folder_id(&parent)?;
                match self.find_folder(parent, name)? {
                    Some(id) => id,
                    None => {
                        self.touched.insert(parent);
                        self.add_folder(parent, name)?
                    }
                }
            }
        };
        self.folders.insert(path.clone(), id);
        Ok(id)
    }

    fn find_folder(&self, parent: i64, name: &[u8]) -> Result<Option<i64>> {
        self.transaction
            .prepare_cached("SELECT id FROM folder WHERE parent = ?1 AND name = ?2")
            .and_then(|mut s| s.query_row(params![parent, name], |row| row.get(0)).optional())
            .map_err(|e| Error::of(self.path, e))
    }

    fn add_folder(&self, parent: i64, name: &[u8]) -> Result<i64> {
        self.sql(
            "INSERT INTO folder (parent, name, live, mtime_ns, mode, uid, gid) VALUES (?1, ?2, 1, 0, 0, 0, 0)",
            params![parent, name],
        )?;
        Ok(self.transaction.last_insert_rowid())
    }

    pub(super) fn sql(&self, sql: &str, values: impl rusqlite::Params) -> Result<()> {
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map(drop)
            .map_err(|e| Error::of(self.path, e))
    }
}

fn io_error(path: &std::path::Path, error: &std::io::Error) -> Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR);
    Error::Failed {
        path: path.to_owned(),
        source: rusqlite::Error::SqliteFailure(code, Some(error.to_string())),
    }
}

pub(super) fn change_name(change: Change) -> &'static str {
    match change {
        Change::Stored => "stored",
        Change::Replaced => "replaced",
        Change::Adopted => "adopted",
        Change::Renamed => "renamed",
        Change::Linked => "linked",
        Change::Touched => "touched",
        Change::Gone => "gone",
        Change::Repaired => "repaired",
    }
}

pub(super) fn change_of_name(name: &str) -> Change {
    const ALL: [Change; 8] = [
        Change::Stored,
        Change::Replaced,
        Change::Adopted,
        Change::Renamed,
        Change::Linked,
        Change::Touched,
        Change::Gone,
        Change::Repaired,
    ];
    ALL.into_iter().find(|c| change_name(*c) == name).unwrap_or(Change::Stored)
}
