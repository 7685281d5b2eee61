//! Opening the manifest, and telling a broken one from none.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{Error, Reader, Result, schema};

/// The open manifest of one cloud; there is one writer at a time, guarded by the cloud's lock.
#[derive(Debug)]
pub struct Manifest {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
}

/// What opening found.
#[derive(Debug)]
pub enum Opened {
    /// There was none; this one is empty.
    Fresh(Manifest),
    /// It is as the last run left it.
    Existing(Manifest),
}

/// Opens connections for reading; may be shared between threads, as a connection may not.
#[derive(Clone, Debug)]
pub struct Readers {
    path: PathBuf,
}

impl Readers {
    /// A connection for one thread.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn open(&self) -> Result<Reader> {
        Reader::open(&self.path)
    }
}

impl Manifest {
    /// Opens the manifest of this path, making an empty one when there is none.
    ///
    /// # Errors
    /// [`Error::Broken`] when the file is no manifest of ours, damaged, or of a later version.
    pub fn open(path: &Path) -> Result<Opened> {
        if path.is_dir() {
            let why = "it is a folder".to_owned();
            return Err(Error::Broken { path: path.to_owned(), why });
        }
        let exists = path.metadata().is_ok_and(|m| m.len() > 0);
        let connection = Connection::open(path).map_err(|e| Error::of(path, e))?;
        let manifest = Manifest { connection, path: path.to_owned() };
        if exists {
            manifest.check()?;
            manifest.sql(schema::configure)?;
            return Ok(Opened::Existing(manifest));
        }
        keep_private(path);
        manifest.sql(schema::create)?;
        Ok(Opened::Fresh(manifest))
    }

    /// Opens an existing manifest for looking only; `None` when there is none.
    ///
    /// One of an earlier version becomes one of the present, which changes nothing that it says.
    ///
    /// # Errors
    /// As [`Manifest::open`].
    pub fn look(path: &Path) -> Result<Option<Manifest>> {
        if !path.is_file() {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|e| Error::of(path, e))?;
        let manifest = Manifest { connection, path: path.to_owned() };
        manifest.check()?;
        manifest.sql(|c| c.pragma_update(None, "query_only", true))?;
        Ok(Some(manifest))
    }

    /// Moves a broken manifest aside, with its log; returns where it lies now.
    ///
    /// # Errors
    /// When it can't be renamed.
    pub fn set_aside(path: &Path, mark: &str) -> std::io::Result<PathBuf> {
        let with = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        for log in ["-wal", "-shm"] {
            if with(log).exists() {
                std::fs::rename(with(log), with(&format!(".broken-{mark}{log}")))?;
            }
        }
        let aside = with(&format!(".broken-{mark}"));
        std::fs::rename(path, &aside)?;
        Ok(aside)
    }

    /// A further connection for reading.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn reader(&self) -> Result<Reader> {
        Reader::open(&self.path)
    }

    /// What threads open connections of their own with.
    pub fn readers(&self) -> Readers {
        Readers { path: self.path.clone() }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A remembered value.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        self.sql(|c| {
            c.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
        })
    }

    /// Remembers a value.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        self.sql(|c| {
            c.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [key, value]).map(drop)
        })
    }

    /// Reads the whole database and its indexes; costs about a second per gigabyte.
    ///
    /// # Errors
    /// [`Error::Broken`] when it is damaged.
    pub fn check_deeply(&self) -> Result<()> {
        let found: String =
            self.sql(|c| c.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        if found == "ok" {
            Ok(())
        } else {
            Err(Error::Broken { path: self.path.clone(), why: found })
        }
    }

    fn check(&self) -> Result<()> {
        let pragma =
            |name: &str| self.sql(|c| c.pragma_query_value(None, name, |row| row.get::<_, i64>(0)));
        let broken = |why: String| Err(Error::Broken { path: self.path.clone(), why });
        if pragma("application_id")? != schema::APPLICATION_ID {
            return broken("it is no manifest of ours".to_owned());
        }
        match pragma("user_version")? {
            schema::VERSION => Ok(()),
            earlier if schema::is_earlier(earlier) => self.sql(schema::migrate),
            other => broken(format!("its version is {other}, known here is {}", schema::VERSION)),
        }
    }

    pub(super) fn sql<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        work(&self.connection).map_err(|e| Error::of(&self.path, e))
    }
}

/// Names of a person's files are nobody else's business; the folder above is 0700 already.
fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = path;
}
