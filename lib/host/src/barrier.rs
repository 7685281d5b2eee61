//! Making files durable: one barrier for many files where that is safe, one sync each where it is not.

use std::fs::File;

use crate::dir::Dir;
use crate::error::{Attempt, Result};

/// How files of one file system are made durable.
#[derive(Debug)]
pub enum Barrier {
    /// syncfs(2) on a handle that was open before the first write.
    ///
    /// Only on local ext4, xfs, btrfs and tmpfs: on cifs, smbfs and FUSE it sends the
    /// server nothing.
    Whole(Dir),
    /// Every file and folder for itself.
    Each,
}

impl Barrier {
    /// The barrier for the file system of a folder; make it before the first write.
    ///
    /// # Errors
    /// When no handle is left.
    pub fn for_writes_in(dir: &Dir) -> Result<Barrier> {
        if is_local_with_syncfs(dir) { Ok(Barrier::Whole(dir.again()?)) } else { Ok(Barrier::Each) }
    }

    /// True if each file must be synced by whoever wrote it.
    pub fn is_each(&self) -> bool {
        matches!(self, Barrier::Each)
    }

    /// Makes everything written before durable, where one call can; else nothing.
    ///
    /// # Errors
    /// When the system reports a failed write-back; what was written must not be trusted then.
    pub fn sync_all(&self) -> Result<()> {
        match self {
            Barrier::Whole(dir) => syncfs(dir).attempt("sync the file system of", dir.path()),
            Barrier::Each => Ok(()),
        }
    }
}

/// Makes one file's content durable (fsync(2); `F_FULLFSYNC` on macOS; FlushFileBuffers on Windows).
///
/// # Errors
/// When the system reports a failed write-back.
pub fn sync_file(file: &File) -> std::io::Result<()> {
    file.sync_all()
}

#[cfg(target_os = "linux")]
fn syncfs(dir: &Dir) -> std::io::Result<()> {
    rustix::fs::syncfs(dir.fd()).map_err(Into::into)
}

#[cfg(not(target_os = "linux"))]
fn syncfs(_dir: &Dir) -> std::io::Result<()> {
    Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
}

#[cfg(target_os = "linux")]
pub(crate) fn is_local_with_syncfs(dir: &Dir) -> bool {
    // Magic numbers of linux/magic.h.
    const EXT: i64 = 0xEF53;
    const XFS: i64 = 0x5846_5342;
    const BTRFS: i64 = 0x9123_683E;
    const TMPFS: i64 = 0x0102_1994;
    rustix::fs::fstatfs(dir.fd()).is_ok_and(|s| matches!(s.f_type, EXT | XFS | BTRFS | TMPFS))
}

#[cfg(not(target_os = "linux"))]
fn is_local_with_syncfs(_dir: &Dir) -> bool {
    false
}
