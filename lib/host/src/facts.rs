//! What the system says of one file without reading it.

/// What a directory entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link or a junction.
    Symlink,
    /// A socket, FIFO or device.
    Special,
}

/// What the system says of one file without reading it (statx(2)).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// What it is.
    pub kind: Kind,
    /// Size in bytes.
    pub size: u64,
    /// Bytes that the file system has set aside for it.
    pub allocated: u64,
    /// Modification time in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Change time in nanoseconds since 1970; `None` where there is none.
    pub ctime_ns: Option<i64>,
    /// Birth time in nanoseconds since 1970; `None` where there is none.
    pub btime_ns: Option<i64>,
    /// Inode or file id.
    pub file_id: u64,
    /// Device number: only to tell mounts apart within one run, never kept.
    pub device: u64,
    /// Mount id; `None` where the kernel does not tell.
    pub mount_id: Option<u64>,
    /// Names that the file has.
    pub links: u64,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// True if the system says that its content is only in the cloud; see [`crate::placeholder`].
    pub away: bool,
}

impl Facts {
    /// A regular file of this size of which nothing else is told: stamps of 1970, one name, 0644.
    pub fn plain(size: u64) -> Facts {
        Facts {
            kind: Kind::File,
            size,
            allocated: size,
            mtime_ns: 0,
            ctime_ns: None,
            btime_ns: None,
            file_id: 0,
            device: 0,
            mount_id: None,
            links: 1,
            mode: 0o644,
            uid: 0,
            gid: 0,
            away: false,
        }
    }

    /// True if it has holes worth keeping.
    pub fn is_sparse(&self) -> bool {
        self.kind == Kind::File && self.allocated < self.size
    }

    /// True if both are facts of one unchanged file: kind, size, times and id are equal.
    pub fn same_version(&self, other: &Facts) -> bool {
        self.kind == other.kind
            && self.size == other.size
            && self.mtime_ns == other.mtime_ns
            && self.ctime_ns == other.ctime_ns
            && self.file_id == other.file_id
    }
}

/// Facts of an open file.
///
/// # Errors
/// When the system can't tell.
#[cfg(unix)]
pub fn of(file: &std::fs::File) -> std::io::Result<Facts> {
    use std::os::fd::AsFd;
    crate::dir::facts_of(file.as_fd()).map_err(Into::into)
}

/// Facts of an open file.
///
/// # Errors
/// When the system can't tell.
#[cfg(windows)]
pub fn of(file: &std::fs::File) -> std::io::Result<Facts> {
    crate::dir::facts_of(file)
}

/// Sets a file's modification time, in nanoseconds since 1970.
///
/// # Errors
/// When the file system refuses.
pub fn set_mtime(file: &std::fs::File, mtime_ns: i64) -> std::io::Result<()> {
    let since = std::time::Duration::from_nanos(mtime_ns.unsigned_abs());
    let time =
        if mtime_ns < 0 { std::time::UNIX_EPOCH - since } else { std::time::UNIX_EPOCH + since };
    file.set_times(std::fs::FileTimes::new().set_modified(time))
}

/// Sets a file's permission bits.
///
/// # Errors
/// When the file system refuses.
#[cfg(unix)]
pub fn set_mode(file: &std::fs::File, mode: u32) -> std::io::Result<()> {
    rustix::fs::fchmod(file, rustix::fs::Mode::from_raw_mode(mode as rustix::fs::RawMode))
        .map_err(Into::into)
}

/// Permission bits mean nothing here.
///
/// # Errors
/// None.
#[cfg(windows)]
pub fn set_mode(_file: &std::fs::File, _mode: u32) -> std::io::Result<()> {
    Ok(())
}
