//! Holes in files.

use std::fs::File;
use std::io;
use std::ops::Range;

/// The next stretch of a file from `from` on that holds data, in bytes; `None` when only a hole follows.
///
/// A file system that knows no holes tells one stretch up to the end (lseek(2), `SEEK_DATA`).
///
/// # Errors
/// When the system can't tell.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn next_data(file: &File, from: u64) -> io::Result<Option<Range<u64>>> {
    use rustix::fs::{SeekFrom, seek};
    use rustix::io::Errno;
    let start = match seek(file, SeekFrom::Data(from)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let end = seek(file, SeekFrom::Hole(start))?;
    Ok(Some(start..end))
}

/// The next stretch of a file from `from` on that holds data: all of it.
///
/// # Errors
/// When the file's length can't be asked.
#[cfg(windows)]
pub fn next_data(file: &File, from: u64) -> io::Result<Option<Range<u64>>> {
    let end = file.metadata()?.len();
    Ok((from < end).then_some(from..end))
}

/// Makes `to` share the blocks of `from`, where the file system can (ioctl_ficlone(2)).
///
/// # Errors
/// When it can't; `to` is unchanged then.
#[cfg(target_os = "linux")]
pub fn clone(from: &File, to: &File) -> io::Result<()> {
    rustix::fs::ioctl_ficlone(to, from).map_err(Into::into)
}

/// Makes `to` share the blocks of `from`: not on this system yet.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn clone(_from: &File, _to: &File) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::next_data;
    use std::os::unix::fs::FileExt;

    #[test]
    fn data_after_a_hole_is_found() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"x", 1 << 20).unwrap();
        file.set_len(4 << 20).unwrap();
        let data = next_data(&file, 0).unwrap().unwrap();
        assert!(data.start <= 1 << 20 && data.end > 1 << 20, "{data:?}");
        assert_eq!(next_data(&file, 3 << 20).unwrap(), None);
    }
}
