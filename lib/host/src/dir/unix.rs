//! Open folders on Unix (openat(2) and its family).

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use model::relpath::RelPath;
use rustix::fs::{self as sys, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{Entry, Listing};
use crate::error::{Attempt, Result};
use crate::facts::{Facts, Kind};
use crate::name::os;

/// An open folder.
///
/// Names are single names as bytes; a link is never followed except by [`Dir::open`].
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const INNER: OFlags = FOLDER.union(OFlags::NOFOLLOW);
#[cfg(target_os = "linux")]
const LIST_BUFFER: usize = 64 * 1024;

impl Dir {
    /// Opens a folder by its path, following links.
    ///
    /// # Errors
    /// When it is not there, not a folder, or may not be opened.
    pub fn open(path: &Path) -> Result<Dir> {
        let fd = sys::open(path, FOLDER, Mode::empty()).attempt("open folder", path)?;
        Ok(Dir { fd, path: path.to_owned() })
    }

    /// The path it was opened by; for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A second handle of the same folder.
    ///
    /// # Errors
    /// When the system has no handle left.
    pub fn again(&self) -> Result<Dir> {
        let fd = self.fd.try_clone().attempt("open folder", &self.path)?;
        Ok(Dir { fd, path: self.path.clone() })
    }

    /// Opens a folder in it.
    ///
    /// # Errors
    /// When it is missing, a link, no folder, or may not be opened.
    pub fn sub(&self, name: &[u8]) -> Result<Dir> {
        let path = self.path_of(name);
        let fd = sys::openat(&self.fd, &*os(name), INNER, Mode::empty())
            .attempt("open folder", &path)?;
        Ok(Dir { fd, path })
    }

    /// Opens a folder below it, following no link and crossing no mount point.
    ///
    /// # Errors
    /// As [`Dir::sub`], for each name on the way.
    pub fn beneath(&self, path: &RelPath) -> Result<Dir> {
        if path.is_root() {
            return self.again();
        }
        match self.beneath_at_once(path) {
            Some(result) => result,
            None => self.beneath_by_names(path),
        }
    }

    /// openat2(2) in one call; `None` where the kernel does not have it.
    #[cfg(target_os = "linux")]
    fn beneath_at_once(&self, path: &RelPath) -> Option<Result<Dir>> {
        use rustix::fs::ResolveFlags as R;
        let full = crate::name::below(&self.path, path);
        let resolve = R::BENEATH | R::NO_SYMLINKS | R::NO_MAGICLINKS | R::NO_XDEV;
        match sys::openat2(&self.fd, path.as_bytes(), FOLDER, Mode::empty(), resolve) {
            // A path longer than PATH_MAX goes name by name.
            Err(Errno::NOSYS | Errno::NAMETOOLONG) => None,
            Ok(fd) => Some(Ok(Dir { fd, path: full })),
            Err(e) => Some(Err(e).attempt("open folder", full)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn beneath_at_once(&self, _path: &RelPath) -> Option<Result<Dir>> {
        None
    }

    fn beneath_by_names(&self, path: &RelPath) -> Result<Dir> {
        let mut dir = self.again()?;
        for name in path.names() {
            dir = dir.sub(name)?;
        }
        Ok(dir)
    }

    /// Opens a folder below it and makes what is missing on the way, with these permission bits.
    ///
    /// # Errors
    /// As [`Dir::beneath`], and when a folder can't be made.
    pub fn make_beneath(&self, path: &RelPath, mode: u32) -> Result<Dir> {
        match self.beneath(path) {
            Err(e) if e.source.kind() == std::io::ErrorKind::NotFound => {}
            found => return found,
        }
        let mut dir = self.again()?;
        for name in path.names() {
            dir = match dir.sub(name) {
                Err(e) if e.source.kind() == std::io::ErrorKind::NotFound => {
                    dir.make_folder(name, mode)?;
                    dir.sub(name)?
                }
                other => other?,
            };
        }
        Ok(dir)
    }

    /// Lists it, in the file system's order.
    ///
    /// # Errors
    /// When it can't be read, or not to its end.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let listing = self.listing()?;
        let entry = |(name, kind): (&[u8], _)| Entry { name: name.into(), kind };
        Ok(listing.iter().map(entry).collect())
    }

    /// Lists it into one block of memory, in the file system's order.
    ///
    /// # Errors
    /// When it can't be read, or not to its end.
    #[cfg(target_os = "linux")]
    pub fn listing(&self) -> Result<Listing> {
        // A handle of its own: the position belongs to the open description.
        let fd = sys::openat(&self.fd, ".", FOLDER, Mode::empty()).attempt("list", &self.path)?;
        let mut buffer = Vec::with_capacity(LIST_BUFFER);
        let mut raw = sys::RawDir::new(fd, buffer.spare_capacity_mut());
        let mut listing = Listing::default();
        while let Some(entry) = raw.next() {
            let entry = entry.attempt("list", &self.path)?;
            push_entry(&mut listing, entry.file_name().to_bytes(), entry.file_type());
        }
        Ok(listing)
    }

    /// Lists it into one block of memory, in the file system's order.
    ///
    /// # Errors
    /// When it can't be read, or not to its end.
    #[cfg(not(target_os = "linux"))]
    pub fn listing(&self) -> Result<Listing> {
        let mut listing = Listing::default();
        for entry in sys::Dir::read_from(&self.fd).attempt("list", &self.path)? {
            let entry = entry.attempt("list", &self.path)?;
            push_entry(&mut listing, entry.file_name().to_bytes(), entry.file_type());
        }
        Ok(listing)
    }

    /// Facts of an entry; a link's own.
    ///
    /// # Errors
    /// When it is missing or may not be asked.
    pub fn facts(&self, name: &[u8]) -> Result<Facts> {
        facts_at(self.fd.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)
            .attempt("stat", self.path_of_lazily(name))
    }

    /// Facts of the folder itself.
    ///
    /// # Errors
    /// When it is gone with its server.
    pub fn own_facts(&self) -> Result<Facts> {
        facts_of(self.fd.as_fd()).attempt("stat", &self.path)
    }

    /// Opens a file for reading; never waits for a FIFO, never follows a link, leaves its access time alone where it may.
    ///
    /// # Errors
    /// When it is missing, a link, or may not be read.
    pub fn read(&self, name: &[u8]) -> Result<File> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let open = |extra| sys::openat(&self.fd, &*os(name), flags | extra, Mode::empty());
        let opened = match open(quiet_access()) {
            Err(Errno::PERM) => open(OFlags::empty()),
            other => other,
        };
        opened.map(File::from).attempt("open", self.path_of_lazily(name))
    }

    /// Makes a new file for writing and reading, with these permission bits (less the umask).
    ///
    /// # Errors
    /// When the name exists, or the file can't be made.
    pub fn create_new(&self, name: &[u8], mode: u32) -> Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made =
            sys::openat(&self.fd, &*os(name), flags, Mode::from_raw_mode(mode as sys::RawMode));
        made.map(File::from).attempt("create", self.path_of_lazily(name))
    }

    /// Makes a folder with these permission bits (less the umask); an existing folder is fine.
    ///
    /// # Errors
    /// When the name is something else, or the folder can't be made.
    pub fn make_folder(&self, name: &[u8], mode: u32) -> Result<()> {
        match sys::mkdirat(&self.fd, &*os(name), Mode::from_raw_mode(mode as sys::RawMode)) {
            Err(Errno::EXIST) if self.facts(name)?.kind == Kind::Folder => Ok(()),
            other => other.attempt("make folder", self.path_of(name)),
        }
    }

    /// Renames an entry into a folder of the same file system, replacing what has that name.
    ///
    /// # Errors
    /// When the system refuses, for example across file systems.
    pub fn rename(&self, from: &[u8], to: &Dir, name: &[u8]) -> Result<()> {
        sys::renameat(&self.fd, &*os(from), &to.fd, &*os(name))
            .attempt("rename to", to.path_of_lazily(name))
    }

    /// Renames an entry unless the new name exists.
    ///
    /// Where the file system lacks renameat2(2) with `RENAME_NOREPLACE`, a hard link
    /// and a removal stand for it, and where it lacks those too, a look before the rename.
    ///
    /// # Errors
    /// [`crate::error::Meaning::Exists`] when it does; else as [`Dir::rename`].
    pub fn rename_new(&self, from: &[u8], to: &Dir, name: &[u8]) -> Result<()> {
        match rename_no_replace(self, from, to, name) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            other => return other.attempt("rename to", to.path_of_lazily(name)),
        }
        match self.hard_link(from, to, name) {
            Ok(()) => self.remove_file(from),
            Err(e) if e.meaning() == crate::error::Meaning::Exists => Err(e),
            Err(_) => match to.facts(name) {
                Ok(_) => Err(Errno::EXIST).attempt("rename to", to.path_of(name)),
                Err(_) => self.rename(from, to, name),
            },
        }
    }

    /// Gives an entry a second name.
    ///
    /// # Errors
    /// When the name exists, or the file system has no hard links.
    pub fn hard_link(&self, from: &[u8], to: &Dir, name: &[u8]) -> Result<()> {
        sys::linkat(&self.fd, &*os(from), &to.fd, &*os(name), AtFlags::empty())
            .attempt("link", to.path_of_lazily(name))
    }

    /// A link's target.
    ///
    /// # Errors
    /// When it is no link.
    pub fn read_link(&self, name: &[u8]) -> Result<Vec<u8>> {
        sys::readlinkat(&self.fd, &*os(name), Vec::new())
            .map(std::ffi::CString::into_bytes)
            .attempt("read link", self.path_of_lazily(name))
    }

    /// Makes a symbolic link that points to `target`.
    ///
    /// # Errors
    /// When the name exists, or the file system has no links.
    pub fn symlink(&self, target: &[u8], name: &[u8]) -> Result<()> {
        sys::symlinkat(&*os(target), &self.fd, &*os(name))
            .attempt("make the link", self.path_of_lazily(name))
    }

    /// Removes a file, link or special file.
    ///
    /// # Errors
    /// When it is missing or may not be removed.
    pub fn remove_file(&self, name: &[u8]) -> Result<()> {
        sys::unlinkat(&self.fd, &*os(name), AtFlags::empty())
            .attempt("remove", self.path_of_lazily(name))
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// When it is not empty or may not be removed.
    pub fn remove_folder(&self, name: &[u8]) -> Result<()> {
        sys::unlinkat(&self.fd, &*os(name), AtFlags::REMOVEDIR)
            .attempt("remove folder", self.path_of_lazily(name))
    }

    /// Sets the folder's own permission bits.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn set_own_mode(&self, mode: u32) -> Result<()> {
        sys::fchmod(&self.fd, Mode::from_raw_mode(mode as sys::RawMode))
            .attempt("set the permissions of", &self.path)
    }

    /// Sets the folder's own modification time, ns since 1970.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn set_own_mtime(&self, mtime_ns: i64) -> Result<()> {
        let file = File::from(self.fd.try_clone().attempt("open folder", &self.path)?);
        crate::facts::set_mtime(&file, mtime_ns).attempt("set the time of", &self.path)
    }

    /// Makes its entries durable (fsync(2) of a folder).
    ///
    /// File systems that can't sync a folder (some FUSE and SMB servers answer EINVAL) are believed.
    ///
    /// # Errors
    /// When the system reports that it failed.
    pub fn sync(&self) -> Result<()> {
        match sys::fsync(&self.fd) {
            Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            other => other.attempt("sync folder", &self.path),
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn path_of(&self, name: &[u8]) -> PathBuf {
        self.path.join(&*os(name))
    }

    /// The path of a name, made only when an error is really reported.
    fn path_of_lazily<'a>(&'a self, name: &'a [u8]) -> LazyPath<'a> {
        LazyPath { dir: self, name, made: std::sync::OnceLock::new() }
    }
}

struct LazyPath<'a> {
    dir: &'a Dir,
    name: &'a [u8],
    made: std::sync::OnceLock<PathBuf>,
}

impl AsRef<Path> for LazyPath<'_> {
    fn as_ref(&self) -> &Path {
        self.made.get_or_init(|| self.dir.path_of(self.name))
    }
}

/// Facts of an open file.
///
/// # Errors
/// When the system can't tell.
pub(crate) fn facts_of(fd: BorrowedFd<'_>) -> rustix::io::Result<Facts> {
    facts_at(fd, b"", OWN)
}

/// With an empty name it is the open file itself that is asked about.
#[cfg(target_os = "linux")]
const OWN: AtFlags = AtFlags::EMPTY_PATH;
#[cfg(not(target_os = "linux"))]
const OWN: AtFlags = AtFlags::empty();

#[cfg(target_os = "linux")]
fn rename_no_replace(from: &Dir, old: &[u8], to: &Dir, new: &[u8]) -> rustix::io::Result<()> {
    sys::renameat_with(&from.fd, &*os(old), &to.fd, &*os(new), sys::RenameFlags::NOREPLACE)
}

#[cfg(target_os = "macos")]
fn rename_no_replace(from: &Dir, old: &[u8], to: &Dir, new: &[u8]) -> rustix::io::Result<()> {
    sys::renameat_with(&from.fd, &*os(old), &to.fd, &*os(new), sys::RenameFlags::NOREPLACE)
}

#[cfg(target_os = "linux")]
fn quiet_access() -> OFlags {
    OFlags::NOATIME
}

#[cfg(not(target_os = "linux"))]
fn quiet_access() -> OFlags {
    OFlags::empty()
}

#[cfg(target_os = "linux")]
fn facts_at(fd: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> rustix::io::Result<Facts> {
    use rustix::fs::StatxFlags as X;
    let wanted = X::BASIC_STATS | X::BTIME | X::MNT_ID;
    let s = sys::statx(fd, &*os(name), flags, wanted)?;
    let has = X::from_bits_retain(s.stx_mask);
    let ns = |t: rustix::fs::StatxTimestamp| {
        t.tv_sec.saturating_mul(1_000_000_000) + i64::from(t.tv_nsec)
    };
    Ok(Facts {
        kind: kind_of(FileType::from_raw_mode(u32::from(s.stx_mode))),
        size: s.stx_size,
        allocated: s.stx_blocks * 512,
        mtime_ns: ns(s.stx_mtime),
        ctime_ns: has.contains(X::CTIME).then(|| ns(s.stx_ctime)),
        btime_ns: has.contains(X::BTIME).then(|| ns(s.stx_btime)),
        file_id: s.stx_ino,
        device: (u64::from(s.stx_dev_major) << 32) | u64::from(s.stx_dev_minor),
        mount_id: has.contains(X::MNT_ID).then_some(s.stx_mnt_id),
        links: u64::from(s.stx_nlink),
        mode: u32::from(s.stx_mode) & 0o7777,
        uid: s.stx_uid,
        gid: s.stx_gid,
        away: false,
    })
}

#[cfg(target_os = "macos")]
fn facts_at(fd: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> rustix::io::Result<Facts> {
    let s = if name.is_empty() { sys::fstat(fd)? } else { sys::statat(fd, &*os(name), flags)? };
    let ns = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000) + nanos;
    Ok(Facts {
        kind: kind_of(FileType::from_raw_mode(s.st_mode)),
        size: u64::try_from(s.st_size).unwrap_or_default(),
        allocated: u64::try_from(s.st_blocks).unwrap_or_default() * 512,
        mtime_ns: ns(s.st_mtime, s.st_mtime_nsec),
        ctime_ns: Some(ns(s.st_ctime, s.st_ctime_nsec)),
        btime_ns: Some(ns(s.st_birthtime, s.st_birthtime_nsec)),
        file_id: s.st_ino,
        device: s.st_dev as u64,
        mount_id: None,
        links: u64::from(s.st_nlink),
        mode: u32::from(s.st_mode) & 0o7777,
        uid: s.st_uid,
        gid: s.st_gid,
        away: crate::placeholder::is_dataless(s.st_flags),
    })
}

fn kind_of(file_type: FileType) -> Kind {
    match file_type {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Symlink,
        _ => Kind::Special,
    }
}

fn push_entry(listing: &mut Listing, name: &[u8], file_type: FileType) {
    if name != b"." && name != b".." {
        let kind = (file_type != FileType::Unknown).then(|| kind_of(file_type));
        listing.push(name, kind);
    }
}
