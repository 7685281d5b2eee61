//! The mount table on macOS (getfsstat(2)).

use std::ffi::CStr;
use std::path::PathBuf;

use super::Mount;
use crate::error::{Attempt, Result};

/// Asks the kernel for what it knows already, so that a dead server is not asked.
pub fn table() -> Result<Vec<Mount>> {
    // SAFETY: without a buffer the call only counts.
    let count = unsafe { libc::getfsstat(std::ptr::null_mut(), 0, libc::MNT_NOWAIT) };
    let room = usize::try_from(count).map_err(|_| std::io::Error::last_os_error());
    // A few more, for what is mounted between the two calls.
    let room = room.attempt("count the mounts of", "/")? + 8;
    let mut all: Vec<libc::statfs> = Vec::with_capacity(room);
    let bytes = i32::try_from(room * size_of::<libc::statfs>()).unwrap_or(i32::MAX);
    // SAFETY: the buffer has room for that many bytes, and each entry told is written whole.
    let told = unsafe { libc::getfsstat(all.as_mut_ptr(), bytes, libc::MNT_NOWAIT) };
    let told = usize::try_from(told).map_err(|_| std::io::Error::last_os_error());
    let told = told.attempt("read the mount table", "/")?;
    // SAFETY: the kernel has written that many entries, never more than there was room for.
    unsafe { all.set_len(told.min(room)) };
    Ok(all.iter().zip(0..).map(|(entry, id)| mount(entry, id)).collect())
}

fn mount(entry: &libc::statfs, id: u64) -> Mount {
    Mount {
        id,
        // The device is one number here, in f_fsid's first half; it only tells mounts apart.
        device: format!("{:?}", entry.f_fsid),
        root: PathBuf::from("/"),
        point: PathBuf::from(text(&entry.f_mntonname)),
        fs_type: text(&entry.f_fstypename),
        source: text(&entry.f_mntfromname),
        read_only: entry.f_flags & (libc::MNT_RDONLY as u32) != 0,
    }
}

/// The text of a C string in an array; what is not UTF-8 is replaced.
fn text(array: &[libc::c_char]) -> String {
    let bytes: Vec<u8> = array.iter().map(|c| c.to_ne_bytes()[0]).collect();
    CStr::from_bytes_until_nul(&bytes).map_or(String::new(), |c| c.to_string_lossy().into_owned())
}
