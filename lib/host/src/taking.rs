//! Taking a file away from where it lies: only while it is the very one that was looked at,
//! and nobody writes to it.

use std::fs::File;

use crate::dir::Dir;
use crate::error::{Meaning, Result};
use crate::facts::{self, Facts};

/// What came of trying to take a file away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It was taken.
    Yes,
    /// Its name is another file's by now, or its facts are not those that were looked at.
    Changed,
    /// Somebody has it open for writing.
    Busy,
}

/// Takes a file away by `take`, if its name still stands for the file with these facts.
///
/// The file is held open meanwhile. Where the system tells, nobody may have it open for
/// writing, and whoever opens it then waits until this is over.
///
/// # Errors
/// When the file can't be opened or looked at, and what `take` reports.
pub fn take(
    dir: &Dir,
    name: &[u8],
    expected: &Facts,
    take: impl FnOnce() -> Result<()>,
) -> Result<Taken> {
    let file = match dir.read(name) {
        Err(e) if e.meaning() == Meaning::Missing => return Ok(Taken::Changed),
        other => other?,
    };
    let Some(held) = hold(&file) else { return Ok(Taken::Busy) };
    let open = facts::of(&file).ok();
    let named = dir.facts(name).ok();
    let is_it = |facts: Option<Facts>| {
        facts.is_some_and(|f| f.same_version(expected) && f.device == expected.device)
    };
    if !is_it(open) || !is_it(named) {
        return Ok(Taken::Changed);
    }
    take()?;
    drop(held);
    Ok(Taken::Yes)
}

/// True if somebody has the file open for writing; false where the system does not tell.
pub fn is_being_written(file: &File) -> bool {
    hold(file).is_none()
}

/// asm-generic/fcntl.h; the crate libc lacks it.
#[cfg(target_os = "linux")]
const F_SETSIG: libc::c_int = 10;

/// A read lease (fcntl(2), `F_SETLEASE`), given back when it is dropped.
#[cfg(target_os = "linux")]
struct Held<'f>(Option<&'f File>);

/// Holds writers off; `None` if there is one. File systems without leases, and files of
/// others, can't be held: then nothing is known, and nothing is held.
#[cfg(target_os = "linux")]
fn hold(file: &File) -> Option<Held<'_>> {
    use std::os::fd::AsRawFd;
    let fd = file.as_raw_fd();
    // SAFETY: fcntl on an open descriptor with integer arguments touches no memory. Whoever
    // wants to write makes the kernel send us a signal: SIGURG, which is ignored unless
    // somebody asks for it; the default, SIGIO, would end the process.
    let leased = unsafe {
        libc::fcntl(fd, F_SETSIG, libc::SIGURG) == 0
            && libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK) == 0
    };
    if leased {
        return Some(Held(Some(file)));
    }
    let refused = std::io::Error::last_os_error().raw_os_error();
    (refused != Some(libc::EAGAIN)).then_some(Held(None))
}

#[cfg(target_os = "linux")]
impl Drop for Held<'_> {
    fn drop(&mut self) {
        use std::os::fd::AsRawFd;
        if let Some(file) = self.0 {
            // SAFETY: as above; the file is open as long as this borrows it.
            unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
        }
    }
}

#[cfg(not(target_os = "linux"))]
struct Held;

#[cfg(not(target_os = "linux"))]
fn hold(_file: &File) -> Option<Held> {
    Some(Held)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Taken, take};
    use crate::dir::Dir;

    #[test]
    fn only_the_file_that_was_looked_at_is_taken_and_only_when_nobody_writes_it() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let path = temp.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let facts = dir.facts(b"a").unwrap();
        let remove = || dir.remove_file(b"a");
        let writer = std::fs::File::options().write(true).open(&path).unwrap();
        assert_eq!(take(&dir, b"a", &facts, remove).unwrap(), Taken::Busy);
        drop(writer);
        std::fs::write(temp.path().join("b"), "two").unwrap();
        std::fs::rename(temp.path().join("b"), &path).unwrap();
        assert_eq!(take(&dir, b"a", &facts, remove).unwrap(), Taken::Changed);
        assert!(path.exists());
        let facts = dir.facts(b"a").unwrap();
        assert_eq!(take(&dir, b"a", &facts, remove).unwrap(), Taken::Yes);
        assert!(!path.exists());
    }
}
