//! Volumes: which file system a folder lies on, and how much room it has.

use crate::dir::Dir;
use crate::error::{Attempt, Result};

/// Room on a file system, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// All of it.
    pub total: u64,
    /// What this user may still fill.
    pub free: u64,
}

/// The room on the file system of a folder (statvfs(3)).
///
/// # Errors
/// When the system can't tell.
#[cfg(unix)]
pub fn room(dir: &Dir) -> Result<Room> {
    let s = rustix::fs::fstatvfs(dir.fd()).attempt("ask the free space of", dir.path())?;
    Ok(Room {
        total: s.f_blocks.saturating_mul(s.f_frsize),
        free: s.f_bavail.saturating_mul(s.f_frsize),
    })
}

/// The room on the file system of a folder (GetDiskFreeSpaceExW).
///
/// # Errors
/// When the system can't tell.
#[cfg(windows)]
pub fn room(dir: &Dir) -> Result<Room> {
    use std::os::windows::ffi::OsStrExt;
    let path: Vec<u16> = dir.path().as_os_str().encode_wide().chain(std::iter::once(0)).collect();
    let (mut free, mut total) = (0u64, 0u64);
    // SAFETY: the path ends in NUL, both out pointers are valid, the third may be null.
    let told = unsafe {
        windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW(
            path.as_ptr(),
            &mut free,
            &mut total,
            std::ptr::null_mut(),
        )
    };
    if told == 0 {
        return Err(std::io::Error::last_os_error()).attempt("ask the free space of", dir.path());
    }
    Ok(Room { total, free })
}

/// True if the file system of a folder can't be written (`ST_RDONLY` of statvfs(3)).
///
/// # Errors
/// When the system can't tell.
#[cfg(unix)]
pub fn is_read_only(dir: &Dir) -> Result<bool> {
    let s = rustix::fs::fstatvfs(dir.fd()).attempt("ask the file system of", dir.path())?;
    Ok(s.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// True if the file system of a folder can't be written; not asked for on Windows, where writing tells.
///
/// # Errors
/// Never.
#[cfg(windows)]
pub fn is_read_only(_dir: &Dir) -> Result<bool> {
    Ok(false)
}

/// A volume's own lasting id, where one can be had; never the device number, which changes with each mount.
///
/// Linux: the file system's UUID, from the kernel (`FS_IOC_GETFSUUID`, Linux 6.9) or,
/// on ext2/3/4 and btrfs, from statfs(2), whose `f_fsid` is made of it.
#[cfg(target_os = "linux")]
pub fn id(dir: &Dir) -> Option<String> {
    kernel_uuid(dir).or_else(|| fsid(dir))
}

#[cfg(target_os = "linux")]
fn kernel_uuid(dir: &Dir) -> Option<String> {
    use rustix::ioctl::{Getter, ioctl, opcode};
    /// `struct fsuuid2` of linux/fs.h.
    #[repr(C)]
    struct FsUuid2 {
        len: u8,
        uuid: [u8; 16],
    }
    const GET_FS_UUID: rustix::ioctl::Opcode = opcode::read::<FsUuid2>(0x15, 0);
    // SAFETY: the opcode is FS_IOC_GETFSUUID, which fills exactly a struct fsuuid2.
    let told = unsafe { ioctl(dir.fd(), Getter::<GET_FS_UUID, FsUuid2>::new()) }.ok()?;
    let bytes = told.uuid.get(..usize::from(told.len))?;
    (!bytes.is_empty() && bytes.iter().any(|b| *b != 0)).then(|| hex(bytes))
}

#[cfg(target_os = "linux")]
fn fsid(dir: &Dir) -> Option<String> {
    const EXT: i64 = 0xEF53;
    const BTRFS: i64 = 0x9123_683E;
    let kind = rustix::fs::fstatfs(dir.fd()).ok()?.f_type;
    let id = rustix::fs::fstatvfs(dir.fd()).ok()?.f_fsid;
    (matches!(kind, EXT | BTRFS) && id != 0).then(|| format!("fsid-{id:016x}"))
}

#[cfg(target_os = "linux")]
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A volume's own lasting id: its UUID (getattrlist(2), `ATTR_VOL_UUID`).
#[cfg(target_os = "macos")]
pub fn id(dir: &Dir) -> Option<String> {
    use std::os::fd::AsRawFd;
    /// What the kernel fills: its own length, then the UUID.
    #[repr(C)]
    struct Told {
        length: u32,
        uuid: [u8; 16],
    }
    let mut wanted = libc::attrlist {
        bitmapcount: libc::ATTR_BIT_MAP_COUNT,
        reserved: 0,
        commonattr: 0,
        volattr: libc::ATTR_VOL_INFO | libc::ATTR_VOL_UUID,
        dirattr: 0,
        fileattr: 0,
        forkattr: 0,
    };
    let mut told = Told { length: 0, uuid: [0; 16] };
    // SAFETY: both structures are as getattrlist(2) has them, and the length is the second's own.
    let failed = unsafe {
        libc::fgetattrlist(
            dir.fd().as_raw_fd(),
            (&raw mut wanted).cast(),
            (&raw mut told).cast(),
            size_of::<Told>(),
            0,
        )
    };
    let known = failed == 0 && told.length as usize == size_of::<Told>();
    let hex = || told.uuid.iter().map(|b| format!("{b:02x}")).collect();
    (known && told.uuid.iter().any(|b| *b != 0)).then(hex)
}

/// A volume's own lasting id: the serial number.
#[cfg(windows)]
pub fn id(dir: &Dir) -> Option<String> {
    dir.own_facts().ok().map(|facts| format!("{:08x}", facts.device))
}

/// True if the volume keeps times to a kernel tick or finer: ext4, xfs, btrfs, tmpfs.
#[cfg(target_os = "linux")]
pub fn has_fine_stamps(dir: &Dir) -> bool {
    // The very file systems on which one syncfs is a barrier.
    crate::barrier::is_local_with_syncfs(dir)
}

/// True if the volume keeps times to a kernel tick or finer; not told on this system.
#[cfg(not(target_os = "linux"))]
pub fn has_fine_stamps(_dir: &Dir) -> bool {
    false
}

/// True if this system hears of every change on the volume; of one that a server or another
/// program keeps, it hears what it did itself.
#[cfg(target_os = "linux")]
pub fn hears_changes(dir: &Dir) -> bool {
    /// Of linux/magic.h and its like: NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, AFS, Coda, Lustre,
    /// OCFS2, GFS2, the shared folders of VirtualBox and VMware.
    const KEPT_ELSEWHERE: [i64; 14] = [
        0x6969,
        0x517B,
        0xFF53_4D42,
        0xFE53_4D42,
        0x6573_5546,
        0x0102_1997,
        0x00C3_6400,
        0x5346_414F,
        0x7375_7245,
        0x0BD0_0BD0,
        0x7461_636F,
        0x0116_1970,
        0x786F_4256,
        0xBACB_ACBC,
    ];
    rustix::fs::fstatfs(dir.fd()).is_ok_and(|s| !KEPT_ELSEWHERE.contains(&s.f_type))
}

/// True if this system hears of every change on the volume: a local one (`MNT_LOCAL`).
#[cfg(target_os = "macos")]
pub fn hears_changes(dir: &Dir) -> bool {
    let local = libc::MNT_LOCAL.cast_unsigned();
    rustix::fs::fstatfs(dir.fd()).is_ok_and(|s| s.f_flags & local != 0)
}

/// True if this system hears of every change on the volume: one that is no network drive.
#[cfg(windows)]
pub fn hears_changes(dir: &Dir) -> bool {
    use std::path::{Component, Prefix};
    const DRIVE_REMOTE: u32 = 4;
    let Some(Component::Prefix(prefix)) = dir.path().components().next() else { return true };
    let (Prefix::Disk(letter) | Prefix::VerbatimDisk(letter)) = prefix.kind() else {
        return !matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..));
    };
    let root = [u16::from(letter), u16::from(b':'), u16::from(b'\\'), 0];
    // SAFETY: the path ends in NUL.
    let kind = unsafe { windows_sys::Win32::Storage::FileSystem::GetDriveTypeW(root.as_ptr()) };
    kind != DRIVE_REMOTE
}

/// True if a folder of a local file system takes names for one that differ in case (`FS_CASEFOLD_FL`).
#[cfg(target_os = "linux")]
pub fn folds_case(dir: &Dir) -> bool {
    const CASEFOLD: u32 = 0x4000_0000;
    rustix::fs::ioctl_getflags(dir.fd()).is_ok_and(|flags| flags.bits() & CASEFOLD != 0)
}

/// True if a folder of a local file system takes names for one that differ in case; not told on this system.
#[cfg(not(target_os = "linux"))]
pub fn folds_case(_dir: &Dir) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{id, room};
    use crate::dir::Dir;

    #[test]
    fn a_volume_has_one_id_wherever_it_is_asked() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("sub")).unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        assert_eq!(id(&dir), id(&dir.sub(b"sub").unwrap()));
        let room = room(&dir).unwrap();
        assert!(room.total >= room.free);
    }
}
