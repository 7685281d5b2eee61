//! Runs, as the manifest remembers them: for the guard's memory of a day, and for status.

use jiff::Timestamp;
use rusqlite::params;
use uuid::Uuid;

use super::{Manifest, Result};

/// What runs destroyed within a time: files gone, files rewritten, bytes of both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// Files that became tombstones.
    pub gone: u64,
    /// Files whose copy was replaced.
    pub rewritten: u64,
    /// Bytes of the versions concerned.
    pub bytes: u64,
}

/// A remembered run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunRow {
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` for one that was killed or still works.
    pub finished: Option<Timestamp>,
    /// Its outcome's name.
    pub outcome: Option<String>,
}

/// How many runs are remembered beyond the guard's day.
const KEPT: i64 = 200;

impl Manifest {
    /// Notes that a run begins.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn begin_run(&self, id: Uuid, started: Timestamp) -> Result<()> {
        self.sql(|c| {
            c.execute(
                "INSERT INTO run (id, started_ms) VALUES (?1, ?2)",
                params![id.to_string(), started.as_millisecond()],
            )
            .map(drop)
        })
    }

    /// Notes something of a run that has not ended, in place of its outcome.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn note_outcome(&self, id: Uuid, outcome: &str) -> Result<()> {
        self.sql(|c| {
            c.execute("UPDATE run SET outcome = ?2 WHERE id = ?1", params![id.to_string(), outcome])
                .map(drop)
        })
    }

    /// Notes how a run ended, and forgets runs of long ago.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn end_run(&self, id: Uuid, finished: Timestamp, outcome: &str) -> Result<()> {
        self.sql(|c| {
            let values = params![id.to_string(), finished.as_millisecond(), outcome];
            c.execute("UPDATE run SET finished_ms = ?2, outcome = ?3 WHERE id = ?1", values)?;
            let week_ago = finished.as_millisecond() - 7 * 24 * 3_600_000;
            let old = "DELETE FROM run WHERE started_ms < ?1 AND id NOT IN \
                       (SELECT id FROM run ORDER BY started_ms DESC LIMIT ?2)";
            c.execute(old, params![week_ago, KEPT]).map(drop)
        })
    }

    /// What was destroyed since a time, without what an approval let through.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn applied_since(&self, since: Timestamp) -> Result<Applied> {
        self.sql(|c| {
            let sql = "SELECT COALESCE(SUM(gone), 0), COALESCE(SUM(rewritten), 0), COALESCE(SUM(bytes), 0) \
                       FROM run WHERE COALESCE(finished_ms, started_ms) >= ?1";
            c.query_row(sql, [since.as_millisecond()], |row| {
                let count = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
                Ok(Applied { gone: count(0)?, rewritten: count(1)?, bytes: count(2)? })
            })
        })
    }

    /// The remembered runs, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn runs(&self, limit: u32) -> Result<Vec<RunRow>> {
        self.sql(|c| {
            let sql = "SELECT id, started_ms, finished_ms, outcome FROM run ORDER BY started_ms DESC, id DESC LIMIT ?1";
            let time = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or_default();
            let row = |r: &rusqlite::Row<'_>| {
                let id: String = r.get(0)?;
                Ok(RunRow {
                    id: Uuid::parse_str(&id).unwrap_or_default(),
                    started: time(r.get(1)?),
                    finished: r.get::<_, Option<i64>>(2)?.map(time),
                    outcome: r.get(3)?,
                })
            };
            c.prepare_cached(sql)?.query_map([limit], row)?.collect()
        })
    }
}
