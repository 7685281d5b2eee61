//! The tables, and how older ones become the present ones.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// The version of the tables, kept in `PRAGMA user_version`.
pub const VERSION: i64 = 2;

/// Marks the file as ours (`PRAGMA application_id`): "phcm".
pub const APPLICATION_ID: i64 = 0x7068_636d;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE folder (
    id     INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL,
    name   BLOB    NOT NULL,
    live   INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
    file_id INTEGER, btime_ns INTEGER, copy_name BLOB, seen BLOB,
    UNIQUE (parent, name)
);
CREATE TABLE entry (
    folder INTEGER NOT NULL,
    name   BLOB    NOT NULL,
    kind   INTEGER NOT NULL,
    live   INTEGER NOT NULL,
    suspect INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, ctime_ns INTEGER, file_id INTEGER NOT NULL,
    btime_ns INTEGER,
    mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
    digest BLOB, copy_mtime_ns INTEGER, target BLOB, xattrs TEXT, gone_ms INTEGER,
    copy_name BLOB,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE TRIGGER entry_updated AFTER UPDATE ON entry BEGIN
    UPDATE folder SET seen = NULL WHERE id = NEW.folder AND seen IS NOT NULL;
END;
CREATE TRIGGER entry_deleted AFTER DELETE ON entry BEGIN
    UPDATE folder SET seen = NULL WHERE id = OLD.folder AND seen IS NOT NULL;
END;
CREATE INDEX entry_buried ON entry (file_id) WHERE live = 0;
CREATE TABLE placeholder (
    folder INTEGER NOT NULL, name BLOB NOT NULL, is_folder INTEGER NOT NULL,
    size INTEGER, mtime_ns INTEGER NOT NULL, opens INTEGER NOT NULL, stub BLOB,
    since_ms INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE TABLE unannounced (
    seq INTEGER PRIMARY KEY, change TEXT NOT NULL, folder INTEGER NOT NULL, name BLOB NOT NULL, former BLOB,
    was TEXT
);
CREATE INDEX entry_large ON entry (size, digest) WHERE size >= 1048576;
CREATE TABLE inflight (
    run TEXT NOT NULL, folder BLOB NOT NULL, copy BLOB, PRIMARY KEY (run, folder)
) WITHOUT ROWID;
CREATE INDEX entry_renamed ON entry (copy_name) WHERE copy_name IS NOT NULL;
CREATE INDEX folder_renamed ON folder (copy_name) WHERE copy_name IS NOT NULL;
CREATE TABLE naming (
    folder BLOB NOT NULL, copy_name BLOB NOT NULL, name BLOB NOT NULL, PRIMARY KEY (folder, copy_name)
) WITHOUT ROWID;
CREATE TABLE run (
    id TEXT PRIMARY KEY, started_ms INTEGER NOT NULL, finished_ms INTEGER, outcome TEXT,
    gone INTEGER NOT NULL DEFAULT 0, rewritten INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
";

/// Sets how this connection works: write-ahead log, every commit on disk before it is believed.
pub fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "temp_store", "memory")
}

/// Makes the tables in an empty database.
pub fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    configure(connection)?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute("INSERT INTO folder (id, parent, name, live, mtime_ns, mode, uid, gid) VALUES (0, -1, x'', 1, 0, 0, 0, 0)", [])?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// What makes the tables of each earlier version those of the next, oldest first; none is ever taken out.
const MIGRATIONS: [&str; 1] = ["
ALTER TABLE folder ADD COLUMN file_id INTEGER;
ALTER TABLE folder ADD COLUMN btime_ns INTEGER;
ALTER TABLE folder ADD COLUMN copy_name BLOB;
ALTER TABLE folder ADD COLUMN seen BLOB;
ALTER TABLE entry ADD COLUMN copy_name BLOB;
CREATE INDEX entry_buried ON entry (file_id) WHERE live = 0;
ALTER TABLE unannounced ADD COLUMN was TEXT;
CREATE INDEX entry_large ON entry (size, digest) WHERE size >= 1048576;
CREATE TRIGGER entry_updated AFTER UPDATE ON entry BEGIN
    UPDATE folder SET seen = NULL WHERE id = NEW.folder AND seen IS NOT NULL;
END;
CREATE TRIGGER entry_deleted AFTER DELETE ON entry BEGIN
    UPDATE folder SET seen = NULL WHERE id = OLD.folder AND seen IS NOT NULL;
END;
ALTER TABLE inflight ADD COLUMN copy BLOB;
CREATE INDEX entry_renamed ON entry (copy_name) WHERE copy_name IS NOT NULL;
CREATE INDEX folder_renamed ON folder (copy_name) WHERE copy_name IS NOT NULL;
CREATE TABLE naming (
    folder BLOB NOT NULL, copy_name BLOB NOT NULL, name BLOB NOT NULL, PRIMARY KEY (folder, copy_name)
) WITHOUT ROWID;
CREATE TABLE placeholder (
    folder INTEGER NOT NULL, name BLOB NOT NULL, is_folder INTEGER NOT NULL,
    size INTEGER, mtime_ns INTEGER NOT NULL, opens INTEGER NOT NULL, stub BLOB,
    since_ms INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
"];

/// True for a version that [`migrate`] makes the present one.
pub fn is_earlier(version: i64) -> bool {
    (1..VERSION).contains(&version)
}

/// Makes a database of an earlier version one of the present, in one transaction.
pub fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    configure(connection)?;
    // Another process may have done it since: the version is read again under the lock.
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(version - 1).unwrap_or(MIGRATIONS.len());
    for step in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
