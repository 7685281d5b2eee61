//! Where a file's blocks lie, and letting two equal files share them.

use std::fs::File;
use std::io;

/// Where a file lies on its disk, as far as telling two files apart takes; stretches that
/// follow one another are told as one.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Layout(Vec<(u64, u64, u64)>);

impl Layout {
    /// Adds a stretch: its place in the file, its place on the disk, its length.
    #[cfg(any(target_os = "linux", test))]
    fn push(&mut self, logical: u64, physical: u64, length: u64) {
        match self.0.last_mut() {
            Some((from, at, long)) if *from + *long == logical && *at + *long == physical => {
                *long += length;
            }
            _ => self.0.push((logical, physical, length)),
        }
    }
}

/// Where a file's blocks lie (ioctl_fiemap(2)); `None` where nothing of it has a place of its own yet.
///
/// # Errors
/// When the file system can't tell.
#[cfg(target_os = "linux")]
pub fn layout(file: &File) -> io::Result<Option<Layout>> {
    linux::layout(file)
}

/// Where a file's blocks lie: not told on this system.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn layout(_file: &File) -> io::Result<Option<Layout>> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Lets `to` share the blocks of `from` if both hold the same (ioctl_fideduperange(2)): the
/// kernel compares them. Returns the bytes that are shared now.
///
/// # Errors
/// When the file system can't, or they differ; what was shared by then stays so.
#[cfg(target_os = "linux")]
pub fn share(from: &File, to: &File, length: u64) -> io::Result<u64> {
    linux::share(from, to, length)
}

/// Lets `to` share the blocks of `from`: not on this system.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn share(_from: &File, _to: &File, _length: u64) -> io::Result<u64> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;

    use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

    use super::Layout;

    const AT_ONCE: usize = 64;
    /// btrfs compares at most so much in one call.
    const MOST: u64 = 16 * 1024 * 1024;

    /// `struct fiemap` of linux/fiemap.h without its extents.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Head {
        start: u64,
        length: u64,
        flags: u32,
        mapped: u32,
        count: u32,
        reserved: u32,
    }

    /// `struct fiemap_extent`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Extent {
        logical: u64,
        physical: u64,
        length: u64,
        reserved: [u64; 2],
        flags: u32,
        reserved2: [u32; 3],
    }

    #[repr(C)]
    struct Map {
        head: Head,
        extents: [Extent; AT_ONCE],
    }

    const FIEMAP: Opcode = opcode::read_write::<Head>(b'f', 11);
    /// `FIEMAP_FLAG_SYNC`: what is not written yet has no place.
    const SYNC: u32 = 1;
    const LAST: u32 = 0x1;
    /// Unknown place, not written yet, encoded, encrypted, not aligned, inline, in a tail.
    const NO_PLACE: u32 = 0x2 | 0x4 | 0x8 | 0x80 | 0x100 | 0x200 | 0x400;

    pub fn layout(file: &File) -> io::Result<Option<Layout>> {
        let mut layout = Layout::default();
        let mut start = 0;
        loop {
            let none = Extent {
                logical: 0,
                physical: 0,
                length: 0,
                reserved: [0; 2],
                flags: 0,
                reserved2: [0; 3],
            };
            let count = AT_ONCE as u32;
            let head = Head {
                start,
                length: u64::MAX - start,
                flags: SYNC,
                mapped: 0,
                count,
                reserved: 0,
            };
            let mut map = Map { head, extents: [none; AT_ONCE] };
            // SAFETY: the opcode is FS_IOC_FIEMAP, and the kernel fills at most `count` extents
            // behind the head, which is just as many as there are.
            unsafe { ioctl(file, Updater::<FIEMAP, Map>::new(&mut map)) }?;
            let told = (map.head.mapped as usize).min(AT_ONCE);
            for extent in &map.extents[..told] {
                if extent.flags & NO_PLACE != 0 {
                    return Ok(None);
                }
                layout.push(extent.logical, extent.physical, extent.length);
            }
            match map.extents[..told].last() {
                Some(last) if last.flags & LAST == 0 => start = last.logical + last.length,
                _ => return Ok((!layout.0.is_empty()).then_some(layout)),
            }
        }
    }

    /// `struct file_dedupe_range` of linux/fs.h without what it is to be done with.
    #[repr(C)]
    struct Range {
        offset: u64,
        length: u64,
        count: u16,
        reserved: u16,
        reserved2: u32,
    }

    /// The same with one `struct file_dedupe_range_info`.
    #[repr(C)]
    struct Dedupe {
        range: Range,
        fd: i64,
        offset: u64,
        shared: u64,
        status: i32,
        reserved: u32,
    }

    const FIDEDUPERANGE: Opcode = opcode::read_write::<Range>(0x94, 54);

    pub fn share(from: &File, to: &File, length: u64) -> io::Result<u64> {
        let mut done = 0;
        while done < length {
            let part = (length - done).min(MOST);
            let range = Range { offset: done, length: part, count: 1, reserved: 0, reserved2: 0 };
            let fd = i64::from(to.as_raw_fd());
            let mut dedupe = Dedupe { range, fd, offset: done, shared: 0, status: 0, reserved: 0 };
            // SAFETY: the opcode is FIDEDUPERANGE, the count is one, and one is behind the range.
            unsafe { ioctl(from, Updater::<FIDEDUPERANGE, Dedupe>::new(&mut dedupe)) }?;
            match dedupe.status {
                0 if dedupe.shared > 0 => done += dedupe.shared,
                0 => break,
                1 => return Err(io::Error::other("their contents differ")),
                errno => return Err(io::Error::from_raw_os_error(-errno)),
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn stretches_that_follow_one_another_are_one() {
        let (mut one, mut two) = (Layout::default(), Layout::default());
        one.push(0, 4096, 8192);
        two.push(0, 4096, 4096);
        two.push(4096, 8192, 4096);
        assert_eq!(one, two);
        two.push(8192, 4096, 4096);
        assert_ne!(one, two);
    }
}
