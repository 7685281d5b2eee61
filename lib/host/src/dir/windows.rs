//! Open folders on Windows: paths below a root that is kept open.
//!
//! The handle is opened without delete sharing, so the folder can't be renamed or
//! replaced while it is held. Proven by `cargo check` only; running it is later work.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use model::relpath::RelPath;
use windows_sys::Win32::Storage::FileSystem as win;

use super::{Entry, Listing};
use crate::error::{Attempt, Result};
use crate::facts::{Facts, Kind};
use crate::name::{bytes, os};

/// An open folder.
#[derive(Debug)]
pub struct Dir {
    handle: File,
    path: PathBuf,
}

impl Dir {
    /// Opens a folder by its path, following links.
    ///
    /// # Errors
    /// When it is not there, not a folder, or may not be opened.
    pub fn open(path: &Path) -> Result<Dir> {
        let handle = OpenOptions::new()
            .read(true)
            .share_mode(win::FILE_SHARE_READ | win::FILE_SHARE_WRITE)
            .custom_flags(win::FILE_FLAG_BACKUP_SEMANTICS)
            .open(path)
            .attempt("open folder", path)?;
        let dir = Dir { handle, path: path.to_owned() };
        match dir.own_facts()?.kind {
            Kind::Folder => Ok(dir),
            _ => Err(io::Error::from(io::ErrorKind::NotADirectory)).attempt("open folder", path),
        }
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
        let handle = self.handle.try_clone().attempt("open folder", &self.path)?;
        Ok(Dir { handle, path: self.path.clone() })
    }

    /// Opens a folder in it.
    ///
    /// # Errors
    /// When it is missing, a link, no folder, or may not be opened.
    pub fn sub(&self, name: &[u8]) -> Result<Dir> {
        match self.facts(name)?.kind {
            Kind::Folder => Dir::open(&self.path_of(name)),
            _ => Err(io::Error::from(io::ErrorKind::NotADirectory))
                .attempt("open folder", self.path_of(name)),
        }
    }

    /// Opens a folder below it, following no link.
    ///
    /// # Errors
    /// As [`Dir::sub`], for each name on the way.
    pub fn beneath(&self, path: &RelPath) -> Result<Dir> {
        path.names().try_fold(self.again()?, |dir, name| dir.sub(name))
    }

    /// Opens a folder below it and makes what is missing on the way.
    ///
    /// # Errors
    /// As [`Dir::beneath`], and when a folder can't be made.
    pub fn make_beneath(&self, path: &RelPath, mode: u32) -> Result<Dir> {
        path.names().try_fold(self.again()?, |dir, name| {
            dir.make_folder(name, mode)?;
            dir.sub(name)
        })
    }

    /// Lists it.
    ///
    /// # Errors
    /// When it can't be read, or not to its end.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path).attempt("list", &self.path)? {
            let name = entry.attempt("list", &self.path)?.file_name();
            entries.push(Entry { name: bytes(&name).into(), kind: None });
        }
        Ok(entries)
    }

    /// Lists it into one block of memory, in the file system's order.
    ///
    /// # Errors
    /// When it can't be read, or not to its end.
    pub fn listing(&self) -> Result<Listing> {
        let mut listing = Listing::default();
        for entry in self.entries()? {
            listing.push(&entry.name, entry.kind);
        }
        Ok(listing)
    }

    /// Facts of an entry; a link's own.
    ///
    /// # Errors
    /// When it is missing or may not be asked.
    pub fn facts(&self, name: &[u8]) -> Result<Facts> {
        let path = self.path_of(name);
        let handle = OpenOptions::new()
            .access_mode(win::FILE_READ_ATTRIBUTES)
            .custom_flags(win::FILE_FLAG_BACKUP_SEMANTICS | win::FILE_FLAG_OPEN_REPARSE_POINT)
            .open(&path)
            .attempt("stat", &path)?;
        facts_of(&handle).attempt("stat", &path)
    }

    /// Facts of the folder itself.
    ///
    /// # Errors
    /// When it is gone with its server.
    pub fn own_facts(&self) -> Result<Facts> {
        facts_of(&self.handle).attempt("stat", &self.path)
    }

    /// Opens a file for reading, never following a link.
    ///
    /// # Errors
    /// When it is missing or may not be read.
    pub fn read(&self, name: &[u8]) -> Result<File> {
        let path = self.path_of(name);
        let recall = match crate::placeholder::system::fetches() {
            true => 0,
            false => win::FILE_FLAG_OPEN_NO_RECALL,
        };
        OpenOptions::new()
            .read(true)
            .custom_flags(
                win::FILE_FLAG_OPEN_REPARSE_POINT | win::FILE_FLAG_SEQUENTIAL_SCAN | recall,
            )
            .open(&path)
            .attempt("open", &path)
    }

    /// Makes a new file for writing and reading; permission bits mean nothing here.
    ///
    /// # Errors
    /// When the name exists, or the file can't be made.
    pub fn create_new(&self, name: &[u8], _mode: u32) -> Result<File> {
        let path = self.path_of(name);
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .attempt("create", &path)
    }

    /// Makes a folder; an existing folder is fine.
    ///
    /// # Errors
    /// When the name is something else, or the folder can't be made.
    pub fn make_folder(&self, name: &[u8], _mode: u32) -> Result<()> {
        let path = self.path_of(name);
        match fs::create_dir(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other.attempt("make folder", &path),
        }
    }

    /// Renames an entry, replacing what has that name.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn rename(&self, from: &[u8], to: &Dir, name: &[u8]) -> Result<()> {
        fs::rename(self.path_of(from), to.path_of(name)).attempt("rename to", to.path_of(name))
    }

    /// Renames an entry unless the new name exists (MoveFileExW without `MOVEFILE_REPLACE_EXISTING`).
    ///
    /// # Errors
    /// [`crate::error::Meaning::Exists`] when it does.
    pub fn rename_new(&self, from: &[u8], to: &Dir, name: &[u8]) -> Result<()> {
        let (old, new) = (wide(&self.path_of(from)), wide(&to.path_of(name)));
        // SAFETY: both strings end in NUL and outlive the call.
        let moved = unsafe { win::MoveFileExW(old.as_ptr(), new.as_ptr(), 0) };
        if moved == 0 {
            Err(io::Error::last_os_error()).attempt("rename to", to.path_of(name))
        } else {
            Ok(())
        }
    }

    /// Gives an entry a second name.
    ///
    /// # Errors
    /// When the name exists, or the file system has no hard links.
    pub fn hard_link(&self, from: &[u8], to: &Dir, name: &[u8]) -> Result<()> {
        fs::hard_link(self.path_of(from), to.path_of(name)).attempt("link", to.path_of(name))
    }

    /// A link's target.
    ///
    /// # Errors
    /// When it is no link.
    pub fn read_link(&self, name: &[u8]) -> Result<Vec<u8>> {
        let target = fs::read_link(self.path_of(name)).attempt("read link", self.path_of(name))?;
        Ok(bytes(target.as_os_str()).to_vec())
    }

    /// Makes a symbolic link that points to `target`: not on this system, where it takes a privilege.
    ///
    /// # Errors
    /// Always.
    pub fn symlink(&self, _target: &[u8], name: &[u8]) -> Result<()> {
        Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
            .attempt("make the link", self.path_of(name))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// When it is missing or may not be removed.
    pub fn remove_file(&self, name: &[u8]) -> Result<()> {
        fs::remove_file(self.path_of(name)).attempt("remove", self.path_of(name))
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// When it is not empty or may not be removed.
    pub fn remove_folder(&self, name: &[u8]) -> Result<()> {
        fs::remove_dir(self.path_of(name)).attempt("remove folder", self.path_of(name))
    }

    /// Permission bits mean nothing here.
    ///
    /// # Errors
    /// None.
    pub fn set_own_mode(&self, _mode: u32) -> Result<()> {
        Ok(())
    }

    /// A folder's time is left to the system here.
    ///
    /// # Errors
    /// None.
    pub fn set_own_mtime(&self, _mtime_ns: i64) -> Result<()> {
        Ok(())
    }

    /// Nothing to do: NTFS journals names, and SMB servers are told per file.
    ///
    /// # Errors
    /// None.
    pub fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn path_of(&self, name: &[u8]) -> PathBuf {
        self.path.join(&*os(name))
    }
}

fn wide(path: &Path) -> Vec<u16> {
    use std::os::windows::ffi::OsStrExt;
    path.as_os_str().encode_wide().chain(std::iter::once(0)).collect()
}

/// Facts of an open file.
///
/// # Errors
/// When the system can't tell.
pub(crate) fn facts_of(file: &File) -> io::Result<Facts> {
    let meta = file.metadata()?;
    let identity = identity_of(file)?;
    Ok(Facts {
        kind: kind_of(meta.file_attributes(), tag_of(file)?),
        size: meta.file_size(),
        allocated: meta.file_size(),
        mtime_ns: unix_ns(meta.last_write_time()),
        ctime_ns: None,
        btime_ns: Some(unix_ns(meta.creation_time())),
        file_id: (u64::from(identity.nFileIndexHigh) << 32) | u64::from(identity.nFileIndexLow),
        device: u64::from(identity.dwVolumeSerialNumber),
        mount_id: None,
        links: u64::from(identity.nNumberOfLinks),
        mode: 0o640,
        uid: 0,
        gid: 0,
        away: crate::placeholder::is_recalled(meta.file_attributes()),
    })
}

fn identity_of(file: &File) -> io::Result<win::BY_HANDLE_FILE_INFORMATION> {
    use std::os::windows::io::AsRawHandle;
    let mut info = win::BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open for the call's time and `info` is a writable struct of the right type.
    let told = unsafe { win::GetFileInformationByHandle(file.as_raw_handle(), &mut info) };
    if told == 0 { Err(io::Error::last_os_error()) } else { Ok(info) }
}

/// The tag of a reparse point; 0 for what is none.
fn tag_of(file: &File) -> io::Result<u32> {
    use std::os::windows::io::AsRawHandle;
    let mut info = win::FILE_ATTRIBUTE_TAG_INFO::default();
    let size = u32::try_from(size_of::<win::FILE_ATTRIBUTE_TAG_INFO>()).unwrap_or_default();
    // SAFETY: the handle is open for the call's time and `info` is a writable struct of that size.
    let told = unsafe {
        win::GetFileInformationByHandleEx(
            file.as_raw_handle(),
            win::FileAttributeTagInfo,
            (&raw mut info).cast(),
            size,
        )
    };
    if told == 0 { Err(io::Error::last_os_error()) } else { Ok(info.ReparseTag) }
}

fn kind_of(attributes: u32, tag: u32) -> Kind {
    if crate::placeholder::is_link(attributes, tag) {
        Kind::Symlink
    } else if attributes & win::FILE_ATTRIBUTE_DIRECTORY != 0 {
        Kind::Folder
    } else {
        Kind::File
    }
}

/// FILETIME counts 100 ns since 1601; Unix time starts 11,644,473,600 s later.
fn unix_ns(filetime: u64) -> i64 {
    let since_1601 = i64::try_from(filetime).unwrap_or(i64::MAX);
    (since_1601 - 116_444_736_000_000_000).saturating_mul(100)
}
