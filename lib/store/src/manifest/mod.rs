//! The manifest: the SQLite database that knows every ingested file of one cloud.
//!
//! It lies in the state, never in the space. A row says "stored" only after the
//! copy's data and name are on disk (safety law 4). phc-manifest(5) describes it.

mod announce;
mod equal;
mod inflight;
mod open;
mod placeholder;
mod reader;
mod row;
mod runs;
mod schema;
mod writer;

pub use announce::Unannounced;
pub use equal::{Equal, Gathered, LARGE};
pub use inflight::Busy;
pub use open::{Manifest, Opened, Readers};
pub use placeholder::{Away, Placeholder, PlaceholderRow};
pub use reader::{Entries, FolderRow, Reader, Seen};
pub use row::{Known, Record, RowKind, copy_name_told};
pub use runs::{Applied, RunRow};
pub use writer::{Batch, News};

use std::path::{Path, PathBuf};

use model::problem::{Code, Problem};

/// Why the manifest can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its content makes no sense; it must be set aside and rebuilt.
    #[error("the manifest is broken: {}: {why}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// It can't be read or written now.
    #[error("can't use the manifest: {}: {source}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
}

/// The result of a call on the manifest.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn of(path: &Path, source: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode as C;
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(C::DatabaseCorrupt | C::NotADatabase) => {
                Error::Broken { path, why: source.to_string() }
            }
            _ if is_wrong_content(&source) => Error::Broken { path, why: source.to_string() },
            _ => Error::Failed { path, source },
        }
    }

    /// True if it must be set aside and rebuilt.
    pub fn is_broken(&self) -> bool {
        matches!(self, Error::Broken { .. })
    }
}

/// A column that is missing or of another type means that the file is not ours any more.
fn is_wrong_content(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    matches!(
        error,
        E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::InvalidColumnIndex(..)
    )
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let (path, why) = match &error {
            Error::Broken { path, why } => (path, why.clone()),
            Error::Failed { path, source } => (path, source.to_string()),
        };
        Problem::new(Code::StateUnusable, format!("can't use the manifest: {why}"))
            .at(path.as_path())
    }
}

#[cfg(test)]
mod tests;
