//! The scrub's book: when each copy of one cloud was read last, so that a rolling verify
//! reads each once within a period, whatever its schedule.
//!
//! It lies in the state of whoever verifies. Losing it loses no file: reading begins anew.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::names::Mapped;

/// Marks the file as ours (`PRAGMA application_id`): "phcv".
const APPLICATION_ID: i64 = 0x7068_6376;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE copy (
    path BLOB PRIMARY KEY, copy BLOB,
    size INTEGER NOT NULL, digest BLOB NOT NULL, live INTEGER NOT NULL,
    last_ms INTEGER NOT NULL, was_read INTEGER NOT NULL, bad INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX copy_last ON copy (last_ms);
CREATE INDEX copy_bad ON copy (bad) WHERE bad = 1;
";

/// What even the smallest copy counts for: opening it costs about as much as reading this.
const LEAST: &str = "MAX(size, 4096)";

/// One copy as the book has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copy {
    /// Its path in the source, and below the cloud's folder.
    pub at: Mapped,
    /// Size in bytes.
    pub size: u64,
    /// BLAKE3 digest of what was stored.
    pub digest: [u8; 32],
    /// False for a tombstone's.
    pub live: bool,
}

/// How far reading has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Copies.
    pub copies: u64,
    /// What reading all of them costs, in bytes.
    pub cost: u64,
    /// Copies that were never read since the book knows them.
    pub unread: u64,
    /// Copies that were found bad and not good since.
    pub bad: u64,
    /// When the copy that waits longest was read last, or first known.
    pub oldest: Option<Timestamp>,
}

/// The book of one cloud.
#[derive(Debug)]
pub struct Book {
    connection: Connection,
    path: PathBuf,
}

impl Book {
    /// Opens the book, making it when missing; one that makes no sense is begun anew.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn open(path: &Path) -> Result<Book, Problem> {
        match Book::existing(path) {
            Ok(book) => Ok(book),
            Err(_) => {
                for suffix in ["", "-wal", "-shm"] {
                    let mut name = path.as_os_str().to_owned();
                    name.push(suffix);
                    // What is not there is as good as removed; what stays fails below.
                    let _ = std::fs::remove_file(PathBuf::from(name));
                }
                Book::existing(path)
            }
        }
    }

    fn existing(path: &Path) -> Result<Book, Problem> {
        let connection = Connection::open(path).map_err(|e| unusable(path, &e))?;
        let book = Book { connection, path: path.to_owned() };
        book.sql(|c| {
            c.busy_timeout(std::time::Duration::from_secs(30))?;
            c.pragma_update(None, "journal_mode", "wal")?;
            c.pragma_update(None, "synchronous", "normal")?;
            c.pragma_update(None, "temp_store", "file")?;
            let id: i64 = c.pragma_query_value(None, "application_id", |row| row.get(0))?;
            if id != APPLICATION_ID {
                let transaction = c.unchecked_transaction()?;
                transaction.execute_batch(TABLES)?;
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.commit()?;
            }
            c.query_row("SELECT COUNT(*) FROM meta", [], |row| row.get::<_, i64>(0)).map(drop)
        })?;
        Ok(book)
    }

    /// Takes up what there is now: new and newly stored copies wait from `now`, others keep their times.
    ///
    /// `list` calls its argument with each copy, or with a path alone to take it out again.
    ///
    /// # Errors
    /// What `list` reports, and when the book can't be written.
    pub fn refresh(
        &mut self,
        now: Timestamp,
        list: impl FnOnce(&mut dyn FnMut(Listed<'_>)) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let path = self.path.clone();
        let failed = |e: rusqlite::Error| unusable(&path, &e);
        let transaction = self.connection.transaction().map_err(failed)?;
        transaction.execute_batch(LISTED).map_err(failed)?;
        let mut first = None;
        list(&mut |listed| {
            if first.is_none() {
                first = put(&transaction, listed).err();
            }
        })?;
        if let Some(e) = first {
            return Err(failed(e));
        }
        transaction
            .execute(TAKE_OUT, [])
            .and_then(|_| transaction.execute(TAKE_UP, [now.as_millisecond()]))
            .and_then(|_| transaction.execute_batch("DROP TABLE listed"))
            .and_then(|()| transaction.commit())
            .map_err(failed)
    }

    /// The copies that were found bad and not good since.
    ///
    /// # Errors
    /// When the book can't be read.
    pub fn bad(&self) -> Result<Vec<Copy>, Problem> {
        let sql = "SELECT path, size, digest, live, copy FROM copy WHERE bad = 1 ORDER BY path";
        self.sql(|c| c.prepare_cached(sql)?.query_map([], copy)?.collect())
    }

    /// The copies that wait longest and were read last before this time, at most `limit`.
    ///
    /// # Errors
    /// When the book can't be read.
    pub fn next(&self, before: Timestamp, limit: u32) -> Result<Vec<Copy>, Problem> {
        let sql = "SELECT path, size, digest, live, copy FROM copy \
                   WHERE last_ms < ?1 ORDER BY last_ms, path LIMIT ?2";
        let values = params![before.as_millisecond(), limit];
        self.sql(|c| c.prepare_cached(sql)?.query_map(values, copy)?.collect())
    }

    /// Notes which copies were read at this time, whether each was bad, and what is still owed.
    ///
    /// # Errors
    /// When the book can't be written.
    pub fn mark(
        &mut self,
        read: &[(RelPath, bool)],
        at: Timestamp,
        owed: u64,
    ) -> Result<(), Problem> {
        self.sql(|c| {
            let transaction = c.unchecked_transaction()?;
            for (path, bad) in read {
                let sql = "UPDATE copy SET last_ms = ?2, was_read = 1, bad = ?3 WHERE path = ?1";
                let values = params![path.as_bytes(), at.as_millisecond(), bad];
                transaction.prepare_cached(sql)?.execute(values)?;
            }
            set(&transaction, "owed", owed.cast_signed())?;
            transaction.commit()
        })
    }

    /// Everything is to be read again: what lies in the space is not what was read.
    ///
    /// # Errors
    /// When the book can't be written.
    pub fn forget(&mut self) -> Result<(), Problem> {
        self.sql(|c| c.execute("UPDATE copy SET last_ms = 0, was_read = 0", []).map(drop))
    }

    /// A remembered number.
    ///
    /// # Errors
    /// When the book can't be read.
    pub fn number(&self, key: &str) -> Result<Option<i64>, Problem> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        self.sql(|c| c.query_row(sql, [key], |row| row.get(0)).optional())
    }

    /// Remembers a number.
    ///
    /// # Errors
    /// When the book can't be written.
    pub fn set_number(&self, key: &str, value: i64) -> Result<(), Problem> {
        self.sql(|c| set(c, key, value))
    }

    /// How far reading has come.
    ///
    /// # Errors
    /// When the book can't be read.
    pub fn standing(&self) -> Result<Standing, Problem> {
        let sql = format!(
            "SELECT COUNT(*), COALESCE(SUM({LEAST}), 0), COALESCE(SUM(1 - was_read), 0), \
             COALESCE(SUM(bad), 0), MIN(last_ms) FROM copy"
        );
        let count = |row: &Row<'_>, at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        self.sql(|c| {
            c.query_row(&sql, [], |row| {
                let oldest: Option<i64> = row.get(4)?;
                Ok(Standing {
                    copies: count(row, 0)?,
                    cost: count(row, 1)?,
                    unread: count(row, 2)?,
                    bad: count(row, 3)?,
                    oldest: oldest.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
                })
            })
        })
    }

    /// How many copies were read last, or first known, before this time.
    ///
    /// # Errors
    /// When the book can't be read.
    pub fn overdue(&self, before: Timestamp) -> Result<u64, Problem> {
        let sql = "SELECT COUNT(*) FROM copy WHERE last_ms < ?1";
        let count = |row: &Row<'_>| row.get::<_, i64>(0).map(i64::cast_unsigned);
        self.sql(|c| c.query_row(sql, [before.as_millisecond()], count))
    }

    fn sql<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Problem> {
        work(&self.connection).map_err(|e| unusable(&self.path, &e))
    }
}

/// One line of a listing.
#[derive(Clone, Copy, Debug)]
pub enum Listed<'a> {
    /// There is such a copy.
    Copy(&'a Mapped, u64, &'a [u8; 32], bool),
    /// There is none under this path any more.
    None(&'a RelPath),
}

const LISTED: &str = "CREATE TEMP TABLE listed (path BLOB PRIMARY KEY, copy BLOB, size INTEGER NOT NULL, \
     digest BLOB NOT NULL, live INTEGER NOT NULL) WITHOUT ROWID";
const TAKE_OUT: &str = "DELETE FROM copy WHERE NOT EXISTS (SELECT 1 FROM listed \
     WHERE listed.path = copy.path AND listed.digest = copy.digest AND listed.live = copy.live \
     AND listed.copy IS copy.copy)";
const TAKE_UP: &str = "INSERT OR IGNORE INTO copy \
     SELECT path, copy, size, digest, live, ?1, 0, 0 FROM listed";

fn put(connection: &Connection, listed: Listed<'_>) -> rusqlite::Result<()> {
    match listed {
        Listed::Copy(at, size, digest, live) => connection
            .prepare_cached("INSERT OR REPLACE INTO listed VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                at.path.as_bytes(),
                at.copy.as_ref().map(RelPath::as_bytes),
                size.cast_signed(),
                digest,
                live
            ])
            .map(drop),
        Listed::None(path) => connection
            .prepare_cached("DELETE FROM listed WHERE path = ?1")?
            .execute([path.as_bytes()])
            .map(drop),
    }
}

fn set(connection: &Connection, key: &str, value: i64) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![key, value]).map(drop)
}

fn copy(row: &Row<'_>) -> rusqlite::Result<Copy> {
    let path = |bytes: Vec<u8>| {
        RelPath::new(bytes).map_err(|_| {
            let why = "no path".into();
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, why)
        })
    };
    let copy = row.get::<_, Option<Vec<u8>>>(4)?.map(path).transpose()?;
    let at = Mapped { path: path(row.get(0)?)?, copy };
    let size: i64 = row.get(1)?;
    Ok(Copy { at, size: size.cast_unsigned(), digest: row.get(2)?, live: row.get(3)? })
}

fn unusable(path: &Path, error: &rusqlite::Error) -> Problem {
    Problem::new(Code::StateUnusable, format!("can't use the scrub's book: {error}")).at(path)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use model::relpath::RelPath;

    use super::{Book, Listed};
    use crate::names::Mapped;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn refresh(book: &mut Book, now: i64, copies: &[(&str, u8)]) {
        let list = |each: &mut dyn FnMut(Listed<'_>)| {
            for (path, content) in copies {
                each(Listed::Copy(
                    &Mapped::same(RelPath::new(*path).unwrap()),
                    5000,
                    &[*content; 32],
                    true,
                ));
            }
            Ok(())
        };
        book.refresh(at(now), list).unwrap();
    }

    fn waiting(book: &Book, before: i64) -> Vec<String> {
        book.next(at(before), 10).unwrap().into_iter().map(|c| c.at.path.to_string()).collect()
    }

    #[test]
    fn the_longest_unread_comes_first_and_what_is_stored_anew_waits_from_then() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("book");
        let mut book = Book::open(&path).unwrap();
        refresh(&mut book, 100, &[("a", 1), ("b", 1), ("c", 1)]);
        assert_eq!(waiting(&book, 101), ["a", "b", "c"]);
        book.mark(&[(RelPath::new("a").unwrap(), false)], at(200), 7).unwrap();
        drop(book);
        let mut book = Book::open(&path).unwrap();
        assert_eq!(book.number("owed").unwrap(), Some(7));
        refresh(&mut book, 300, &[("a", 1), ("b", 2), ("d", 1)]);
        assert_eq!(waiting(&book, 999), ["a", "b", "d"]);
        assert_eq!(waiting(&book, 300), ["a"]);
        let standing = book.standing().unwrap();
        assert_eq!((standing.copies, standing.cost, standing.unread), (3, 15_000, 2));
        assert_eq!((standing.oldest, book.overdue(at(201)).unwrap()), (Some(at(200)), 1));
    }

    #[test]
    fn what_is_bad_stays_so_until_it_is_read_and_good() {
        let temp = tempfile::tempdir().unwrap();
        let mut book = Book::open(&temp.path().join("book")).unwrap();
        refresh(&mut book, 1, &[("a", 1)]);
        let a = RelPath::new("a").unwrap();
        book.mark(&[(a.clone(), true)], at(2), 0).unwrap();
        refresh(&mut book, 3, &[("a", 1)]);
        assert_eq!(book.bad().unwrap().len(), 1);
        book.mark(&[(a, false)], at(4), 0).unwrap();
        assert!(book.bad().unwrap().is_empty());
    }

    #[test]
    fn garbage_in_its_place_is_begun_anew() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("book");
        std::fs::write(&path, "garbage ".repeat(1000)).unwrap();
        assert_eq!(Book::open(&path).unwrap().standing().unwrap().copies, 0);
    }
}
