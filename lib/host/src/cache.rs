//! The system's cache of file contents.

use std::fs::File;

/// Lets the system forget what it has cached of a file, so that reading it reads the disk.
///
/// A hint (posix_fadvise(2)): what can't be forgotten, or not on this system, stays.
#[cfg(target_os = "linux")]
pub fn forget(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

/// Lets the system forget what it has cached of a file: not asked for on this system.
#[cfg(not(target_os = "linux"))]
pub fn forget(_file: &File) {}
