//! A consumer's database: the segments that it finished, has at hand, or gave up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::error::Meaning;
use jiff::{SignedDuration, Timestamp};
use model::problem::{Code, Problem};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use uuid::Uuid;

use super::super::segment::SegmentId;
use super::super::walk::Found;
use crate::state;

/// The longest lease. A later end comes from a clock that was wrong, and is not believed.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Marks the file as ours (`PRAGMA application_id`): "phcc".
const APPLICATION_ID: i64 = 0x7068_6363;
/// The version of the tables, kept in `PRAGMA user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segment (
    id       BLOB    NOT NULL,
    device   TEXT    NOT NULL,
    standing INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    lease    TEXT,
    counts   INTEGER NOT NULL,
    reason   TEXT,
    PRIMARY KEY (id, device)
) WITHOUT ROWID;
";

/// How a segment stands with a consumer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Still to be done.
    Open,
    /// Done for ever.
    Finished,
    /// Given up until somebody retries it.
    Dead,
}

impl Standing {
    fn number(self) -> i64 {
        match self {
            Standing::Open => 0,
            Standing::Finished => 1,
            Standing::Dead => 2,
        }
    }

    fn of(number: i64) -> Standing {
        match number {
            1 => Standing::Finished,
            2 => Standing::Dead,
            _ => Standing::Open,
        }
    }
}

/// What a consumer knows of a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// How it stands.
    pub standing: Standing,
    /// Failures, one that may be in the making included.
    pub attempts: u32,
    /// True if somebody has it at hand, until the lease ends.
    pub leased: bool,
    until: Timestamp,
}

impl Row {
    /// True if it may be taken now.
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.until <= now || self.until.duration_since(now) > LONGEST
    }
}

/// A segment at hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The segment.
    pub found: Found,
    /// Failures before this one, and this one if it is never ended.
    pub attempts: u32,
    token: Uuid,
    counts: bool,
}

/// A segment that was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dead {
    /// The segment.
    pub found: Found,
    /// Failures.
    pub attempts: u32,
    /// Why the last one failed.
    pub reason: String,
}

#[derive(Debug)]
pub(super) struct Ledger {
    connection: Connection,
    path: PathBuf,
}

impl Ledger {
    pub(super) fn open(path: &Path) -> Result<Ledger, Problem> {
        make_private(path)?;
        let connection = Connection::open(path).map_err(|e| unusable(path, &e))?;
        let ledger = Ledger { connection, path: path.to_owned() };
        ledger.sql(configure)?;
        let mark: i64 =
            ledger.sql(|c| c.pragma_query_value(None, "application_id", |r| r.get(0)))?;
        let version: i64 =
            ledger.sql(|c| c.pragma_query_value(None, "user_version", |r| r.get(0)))?;
        match (mark, version) {
            (0, 0) => ledger.create()?,
            (APPLICATION_ID, VERSION) => {}
            _ => return Err(foreign(path)),
        }
        Ok(ledger)
    }

    /// Makes the tables, unless another process did just now.
    fn create(&self) -> Result<(), Problem> {
        self.in_transaction(|t| {
            if t.pragma_query_value(None, "user_version", |r| r.get::<_, i64>(0))? == VERSION {
                return Ok(());
            }
            t.execute_batch(TABLES)?;
            t.pragma_update(None, "application_id", APPLICATION_ID)?;
            t.pragma_update(None, "user_version", VERSION)
        })
    }

    pub(super) fn meta(&self, key: &str) -> Result<Option<String>, Problem> {
        const SQL: &str = "SELECT value FROM meta WHERE key = ?1";
        self.sql(|c| c.query_row(SQL, [key], |row| row.get(0)).optional())
    }

    /// Remembers a value unless there is one; returns the one that holds.
    pub(super) fn settle(&self, key: &str, value: &str) -> Result<String, Problem> {
        self.sql(|c| c.execute("INSERT OR IGNORE INTO meta VALUES (?1, ?2)", [key, value]))?;
        Ok(self.meta(key)?.unwrap_or_default())
    }

    pub(super) fn rows(&self) -> Result<HashMap<Found, Row>, Problem> {
        const SQL: &str = "SELECT id, device, standing, attempts, until_ms, lease FROM segment";
        self.sql(|c| {
            let mut query = c.prepare_cached(SQL)?;
            let rows = query.query_map([], |r| Ok((found(r)?, row(r)?)))?;
            rows.filter_map(|pair| match pair {
                Ok((found, row)) => found.map(|found| Ok((found, row))),
                Err(e) => Some(Err(e)),
            })
            .collect()
        })
    }

    pub(super) fn lease(
        &self,
        found: &Found,
        counts: bool,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, Problem> {
        const FIND: &str = "SELECT id, device, standing, attempts, until_ms, lease FROM segment WHERE id = ?1 AND device = ?2";
        const TAKE: &str = "
            INSERT INTO segment VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, NULL)
            ON CONFLICT DO UPDATE SET attempts = ?3, until_ms = ?4, lease = ?5, counts = ?6";
        let (id, device) = key(found);
        let token = host::id::random();
        self.in_transaction(|t| {
            let known = t.query_row(FIND, params![id, device], row).optional()?;
            let open = |row: &Row| row.standing == Standing::Open && row.is_free(now);
            if !known.as_ref().is_none_or(open) {
                return Ok(None);
            }
            let attempts = known.map_or(0, |row| row.attempts) + u32::from(counts);
            let until = until.as_millisecond();
            t.execute(TAKE, params![id, device, attempts, until, token.to_string(), counts])?;
            Ok(Some(Lease { found: found.clone(), attempts, token, counts }))
        })
    }

    pub(super) fn finish(&self, found: &Found) -> Result<(), Problem> {
        const SQL: &str = "
            INSERT INTO segment VALUES (?1, ?2, 1, 0, 0, NULL, 0, NULL)
            ON CONFLICT DO UPDATE SET standing = 1, attempts = 0, until_ms = 0, lease = NULL, reason = NULL";
        let (id, device) = key(found);
        self.sql(|c| c.execute(SQL, params![id, device])).map(drop)
    }

    /// Ends a lease without a failure; the segment is free again from then on.
    pub(super) fn give_back(&self, lease: &Lease, free_from: Timestamp) -> Result<(), Problem> {
        let attempts = lease.attempts - u32::from(lease.counts);
        self.end(lease, Standing::Open, attempts, free_from, None)
    }

    pub(super) fn fail(
        &self,
        lease: &Lease,
        reason: &str,
        free_from: Timestamp,
    ) -> Result<(), Problem> {
        self.end(lease, Standing::Open, lease.attempts, free_from, Some(reason))
    }

    pub(super) fn die(&self, lease: &Lease, reason: &str) -> Result<(), Problem> {
        self.end(lease, Standing::Dead, lease.attempts, Timestamp::UNIX_EPOCH, Some(reason))
    }

    /// Ends a lease, if it is still ours.
    fn end(
        &self,
        lease: &Lease,
        standing: Standing,
        attempts: u32,
        free_from: Timestamp,
        reason: Option<&str>,
    ) -> Result<(), Problem> {
        const SQL: &str = "
            UPDATE segment SET standing = ?4, attempts = ?5, until_ms = ?6, lease = NULL,
                reason = coalesce(?7, reason)
            WHERE id = ?1 AND device = ?2 AND lease = ?3";
        let (id, device) = key(&lease.found);
        let token = lease.token.to_string();
        let until = free_from.as_millisecond();
        let values = params![id, device, token, standing.number(), attempts, until, reason];
        self.sql(|c| c.execute(SQL, values)).map(drop)
    }

    pub(super) fn dead(&self) -> Result<Vec<Dead>, Problem> {
        const SQL: &str = "SELECT id, device, attempts, reason FROM segment WHERE standing = 2 ORDER BY id, device";
        self.sql(|c| {
            let mut query = c.prepare_cached(SQL)?;
            let rows = query.query_map([], |r| {
                let reason = r.get::<_, Option<String>>(3)?.unwrap_or_default();
                Ok(found(r)?.map(|found| (found, r.get(2), reason)))
            })?;
            let dead = rows.filter_map(Result::transpose).map(|row| {
                let (found, attempts, reason) = row?;
                Ok(Dead { found, attempts: attempts?, reason })
            });
            dead.collect()
        })
    }

    pub(super) fn retry(&self, found: &Found) -> Result<(), Problem> {
        const SQL: &str = "
            UPDATE segment SET standing = 0, attempts = 0, until_ms = 0, lease = NULL
            WHERE id = ?1 AND device = ?2 AND standing = 2";
        let (id, device) = key(found);
        self.sql(|c| c.execute(SQL, params![id, device])).map(drop)
    }

    pub(super) fn forget(&self, gone: &[Found]) -> Result<(), Problem> {
        if gone.is_empty() {
            return Ok(());
        }
        const SQL: &str = "DELETE FROM segment WHERE id = ?1 AND device = ?2 AND standing <> 2";
        self.in_transaction(|t| {
            let mut statement = t.prepare(SQL)?;
            gone.iter().try_for_each(|found| {
                let (id, device) = key(found);
                statement.execute(params![id, device]).map(drop)
            })
        })
    }

    fn in_transaction<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Problem> {
        self.sql(|c| {
            let transaction =
                rusqlite::Transaction::new_unchecked(c, TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    fn sql<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Problem> {
        work(&self.connection).map_err(|e| unusable(&self.path, &e))
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")
}

fn key(found: &Found) -> ([u8; 16], String) {
    (found.id.uuid().into_bytes(), found.device.to_string())
}

/// The segment of columns 0 and 1; `None` for what this version can't name.
fn found(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Found>> {
    let (id, device): ([u8; 16], String) = (row.get(0)?, row.get(1)?);
    let id = SegmentId::new(Uuid::from_bytes(id));
    Ok(id.zip(device.parse().ok()).map(|(id, device)| Found { id, device: Arc::new(device) }))
}

/// The knowledge of columns 2 to 5.
fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        standing: Standing::of(row.get(2)?),
        attempts: row.get(3)?,
        until: Timestamp::from_millisecond(row.get(4)?).unwrap_or(Timestamp::UNIX_EPOCH),
        leased: row.get::<_, Option<String>>(5)?.is_some(),
    })
}

fn unusable(path: &Path, error: &rusqlite::Error) -> Problem {
    Problem::new(Code::StateUnusable, format!("can't use the consumer's memory: {error}"))
        .at(path)
        .hint("if it is damaged, remove it: all that is in the spool is then taken again")
}

fn foreign(path: &Path) -> Problem {
    Problem::new(Code::StateUnusable, "not a consumer's memory, or a later version's")
        .at(path)
        .hint("update the toolkit, or give another name with --consumer")
}

/// Makes the empty file first, since its log gets the same permission bits.
fn make_private(path: &Path) -> Result<(), Problem> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let made = state::open_folder(folder)?.create_new(host::name::bytes(name), state::FILE_MODE);
    match made {
        Err(e) if e.meaning() != Meaning::Exists => Err(state::unusable(e)),
        _ => Ok(()),
    }
}
