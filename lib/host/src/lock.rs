//! Locks that the kernel releases when their holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Attempt, Result};

/// A held lock; released when dropped or when the process dies, however it dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// What came of trying to take a lock.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Held(Lock),
    /// Somebody else has it; what they wrote about themselves, if it could be read.
    Busy(Option<String>),
}

/// Takes the lock of this path without waiting, and writes `who` beside it for others to read.
///
/// # Errors
/// When the lock's file can't be made; a held lock is no error.
pub fn take(path: &Path, who: &str) -> Result<Taken> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(path)
        .attempt("open the lock", path)?;
    match file.try_lock() {
        Ok(()) => {
            std::fs::write(holder_path(path), who).attempt("write", holder_path(path))?;
            Ok(Taken::Held(Lock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            Ok(Taken::Busy(std::fs::read_to_string(holder_path(path)).ok()))
        }
        Err(TryLockError::Error(e)) => Err(e).attempt("lock", path),
    }
}

fn holder_path(lock: &Path) -> PathBuf {
    let mut name = lock.as_os_str().to_owned();
    name.push(".holder");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::{Taken, take};

    #[test]
    fn the_second_taker_learns_who_holds_it_and_a_dropped_lock_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = take(&path, "run 1").unwrap();
        assert!(matches!(first, Taken::Held(_)));
        assert!(matches!(take(&path, "run 2").unwrap(), Taken::Busy(Some(who)) if who == "run 1"));
        drop(first);
        assert!(matches!(take(&path, "run 3").unwrap(), Taken::Held(_)));
    }
}
