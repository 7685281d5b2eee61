//! Rows that are committed and not announced yet.

use model::ingest::{Change, FileNews, FileRecord, RecordKind};
use model::relpath::RelPath;
use rusqlite::{OptionalExtension, params};

use super::reader::{RECORD_COLUMNS, record};
use super::writer::change_of_name;
use super::{Error, Manifest, Reader, Result};
use crate::names::Mapped;

/// A stretch of rows that wait to be announced.
#[derive(Debug)]
pub struct Unannounced {
    /// What is to be told, oldest first.
    pub news: Vec<FileNews>,
    /// The last of them; given back to [`Manifest::forget_announced`].
    pub upto: i64,
}

struct Waiting {
    seq: i64,
    change: String,
    folder: i64,
    name: Vec<u8>,
    former: Option<Vec<u8>>,
    was: Option<String>,
}

impl Manifest {
    /// The oldest rows after `after` that wait to be announced, at most `limit`; `None` when none wait.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn unannounced(
        &self,
        cloud: &str,
        after: i64,
        limit: usize,
    ) -> Result<Option<Unannounced>> {
        let waiting = self.waiting(after, limit)?;
        let Some(upto) = waiting.last().map(|w| w.seq) else { return Ok(None) };
        let reader = self.reader()?;
        // One transaction for all: else SQLite locks and unlocks the file for each row.
        let together = self.connection.unchecked_transaction();
        let _together = together.map_err(|e| Error::of(&self.path, e))?;
        let mut news = Vec::with_capacity(waiting.len());
        let mut folder = (0, Mapped::root());
        for item in waiting {
            if folder.0 != item.folder {
                folder = (item.folder, reader.folder_path(item.folder)?);
            }
            let told = self.tell(cloud, &folder.1, item)?;
            let is_dead_folder = told.file.kind == RecordKind::Folder && !told.file.live;
            news.push(told);
            if is_dead_folder {
                news.extend(self.took_its_name(&reader, cloud, &folder.1.path)?);
            }
        }
        Ok(Some(Unannounced { news, upto }))
    }

    /// How many changes wait to be announced.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn pending(&self) -> Result<u64> {
        self.sql(|c| {
            c.query_row("SELECT COUNT(*) FROM unannounced", [], |row| row.get::<_, i64>(0))
        })
        .map(i64::cast_unsigned)
    }

    /// Forgets the announced rows up to this one and remembers the increment that told them.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn forget_announced(&mut self, upto: i64, increment: uuid::Uuid) -> Result<()> {
        let transaction = self.connection.transaction().map_err(|e| Error::of(&self.path, e))?;
        transaction
            .execute("DELETE FROM unannounced WHERE seq <= ?1", [upto])
            .and_then(|_| {
                transaction.execute(
                    "INSERT OR REPLACE INTO meta VALUES ('newest_increment', ?1)",
                    [increment.to_string()],
                )
            })
            .and_then(|_| transaction.commit())
            .map_err(|e| Error::of(&self.path, e))
    }

    fn waiting(&self, after: i64, limit: usize) -> Result<Vec<Waiting>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.sql(|c| {
            let sql =
                "SELECT seq, change, folder, name, former, was FROM unannounced WHERE seq > ?2 ORDER BY seq LIMIT ?1";
            let row = |r: &rusqlite::Row<'_>| {
                let (seq, change, folder, name, former) =
                    (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?);
                Ok(Waiting { seq, change, folder, name, former, was: r.get(5)? })
            };
            c.prepare_cached(sql)?.query_map([limit, after], row)?.collect()
        })
    }

    /// What is to be told of one waiting row: an empty name stands for the folder itself.
    fn tell(&self, cloud: &str, folder: &Mapped, item: Waiting) -> Result<FileNews> {
        let file = if item.name.is_empty() {
            self.folder_told(item.folder, folder)?
        } else {
            match self.record_of(item.folder, &item.name)? {
                Some(record) => record.told(folder, &item.name),
                // A later rename took the row out: it is not there any more.
                None => FileRecord::bare(folder.path.join(&item.name), RecordKind::File, false),
            }
        };
        let from = item.former.and_then(|bytes| RelPath::new(bytes).ok());
        let was = item.was.and_then(|text| serde_json::from_str(&text).ok());
        let change = change_of_name(&item.change);
        Ok(FileNews { cloud: cloud.to_owned(), file, change, from, was })
    }

    /// The file that has a dead folder's name now: told after it, since a later line of a path wins.
    fn took_its_name(
        &self,
        reader: &Reader,
        cloud: &str,
        path: &RelPath,
    ) -> Result<Option<FileNews>> {
        let Some((above, name)) = path.split() else { return Ok(None) };
        let Some(folder) = reader.folder_id(&above)? else { return Ok(None) };
        let Some(record) = self.record_of(folder, name)?.filter(|record| record.live) else {
            return Ok(None);
        };
        let file = record.told(&reader.folder_copy(&above)?, name);
        let (change, from, was) = (Change::Stored, None, None);
        Ok(Some(FileNews { cloud: cloud.to_owned(), file, change, from, was }))
    }

    fn record_of(&self, folder: i64, name: &[u8]) -> Result<Option<super::Record>> {
        let sql = format!("SELECT {RECORD_COLUMNS} FROM entry WHERE folder = ?1 AND name = ?2");
        self.sql(|c| {
            c.prepare_cached(&sql)?
                .query_row(params![folder, name], |row| record(row, 0))
                .optional()
        })
    }

    fn folder_told(&self, id: i64, at: &Mapped) -> Result<FileRecord> {
        self.sql(|c| {
            c.prepare_cached("SELECT live, mtime_ns, mode, uid, gid FROM folder WHERE id = ?1")?
                .query_row([id], |r| {
                    Ok(FileRecord {
                        live: r.get(0)?,
                        mtime_ns: r.get(1)?,
                        mode: r.get(2)?,
                        uid: r.get(3)?,
                        gid: r.get(4)?,
                        copy: at.copy.clone(),
                        ..FileRecord::bare(at.path.clone(), RecordKind::Folder, true)
                    })
                })
        })
    }
}
