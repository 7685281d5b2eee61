//! Errors of the operating system, with what was attempted and on what.

use std::io;
use std::path::{Path, PathBuf};

/// A failed call: the attempt, the path and the system's reason.
#[derive(Debug, thiserror::Error)]
#[error("can't {attempt} {}: {source}", path.display())]
pub struct Error {
    /// The verb: "open", "rename", "make folder".
    pub attempt: &'static str,
    /// What it was tried on.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

/// The result of a call to the operating system.
pub type Result<T> = std::result::Result<T, Error>;

/// What a failed call means for a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// Nothing of that name.
    Missing,
    /// Something of that name is there already.
    Exists,
    /// Not permitted.
    Forbidden,
    /// No room: disk or quota.
    Full,
    /// The file system can't be written.
    ReadOnly,
    /// The server or the mount is away.
    Away,
    /// The file system can't do that at all.
    Unsupported,
    /// Anything else.
    Other,
}

impl Error {
    /// What this failure means.
    pub fn meaning(&self) -> Meaning {
        meaning(&self.source)
    }
}

/// What a failed call's reason means.
pub fn meaning(error: &io::Error) -> Meaning {
    use io::ErrorKind as K;
    match error.kind() {
        K::NotFound => Meaning::Missing,
        K::AlreadyExists => Meaning::Exists,
        K::PermissionDenied => Meaning::Forbidden,
        K::StorageFull | K::QuotaExceeded => Meaning::Full,
        K::ReadOnlyFilesystem => Meaning::ReadOnly,
        K::NotConnected | K::HostUnreachable | K::NetworkUnreachable | K::NetworkDown => {
            Meaning::Away
        }
        K::StaleNetworkFileHandle | K::TimedOut | K::ConnectionAborted | K::ConnectionReset => {
            Meaning::Away
        }
        K::Unsupported | K::CrossesDevices | K::InvalidInput => Meaning::Unsupported,
        _ => raw_meaning(error),
    }
}

#[cfg(unix)]
fn raw_meaning(error: &io::Error) -> Meaning {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        Some(Errno::HOSTDOWN | Errno::SHUTDOWN | Errno::NODEV | Errno::NXIO) => Meaning::Away,
        // A link where a folder was asked for is never followed.
        Some(Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK | Errno::LOOP) => Meaning::Unsupported,
        _ => Meaning::Other,
    }
}

#[cfg(not(unix))]
fn raw_meaning(_error: &io::Error) -> Meaning {
    Meaning::Other
}

/// Attaches the attempt and the path to a system call's result.
pub trait Attempt<T> {
    /// The same result, with what was attempted and on what.
    fn attempt(self, attempt: &'static str, path: impl AsRef<Path>) -> Result<T>;
}

impl<T, E: Into<io::Error>> Attempt<T> for std::result::Result<T, E> {
    fn attempt(self, attempt: &'static str, path: impl AsRef<Path>) -> Result<T> {
        self.map_err(|e| Error { attempt, path: path.as_ref().to_owned(), source: e.into() })
    }
}
