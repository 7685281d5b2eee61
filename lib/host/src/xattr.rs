//! Extended attributes.

use std::collections::BTreeMap;
use std::fs::File;

/// The largest value that is kept, in bytes (Linux allows 64 KiB, xattr(7)).
pub const MAX_VALUE: usize = 64 * 1024;

/// The extended attributes of an open file, by name; none where the file system has none.
///
/// Attributes that this user may not read are left out.
///
/// # Errors
/// When listing them fails for another reason than not being supported.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn read(file: &File) -> std::io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    use rustix::io::Errno;
    // flistxattr with an empty buffer says 0, whatever there is.
    let size = match rustix::fs::flistxattr_query(file) {
        Ok(0) | Err(Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS) => return Ok(BTreeMap::new()),
        Ok(size) => size,
        Err(e) => return Err(e.into()),
    };
    // Somebody may add one between the two calls.
    let mut names = vec![0u8; size + 256];
    let size = rustix::fs::flistxattr(file, &mut names)?;
    names.truncate(size);
    let mut value = vec![0u8; MAX_VALUE];
    let mut found = BTreeMap::new();
    for name in names.split(|b| *b == 0).filter(|name| !name.is_empty()) {
        if let Ok(size) = rustix::fs::fgetxattr(file, &*crate::name::os(name), &mut value) {
            found.insert(name.to_vec(), value[..size].to_vec());
        }
    }
    Ok(found)
}

/// The extended attributes of an entry whose names are wanted, by name; the entry is not opened.
///
/// One call where there are none that are wanted. What can't be asked has none.
#[cfg(target_os = "linux")]
pub fn of_entry(
    dir: &crate::Dir,
    name: &[u8],
    wanted: impl Fn(&[u8]) -> bool,
) -> BTreeMap<Vec<u8>, Vec<u8>> {
    use std::os::fd::AsRawFd;
    // There is no lgetxattrat(2) before Linux 6.13: the folder is reached by its open handle all the same.
    let mut path = format!("/proc/self/fd/{}/", dir.fd().as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    let path = crate::name::os(&path);
    let mut buffer = [0u8; 4096];
    let Ok(size) = rustix::fs::llistxattr(&*path, &mut buffer) else { return BTreeMap::new() };
    let names = buffer[..size].split(|b| *b == 0).filter(|name| wanted(name));
    let value = |name: &[u8]| {
        let mut value = [0u8; 1024];
        let size = rustix::fs::lgetxattr(&*path, &*crate::name::os(name), &mut value).ok()?;
        Some((name.to_vec(), value[..size].to_vec()))
    };
    names.filter_map(value).collect()
}

/// The extended attributes of an entry: not asked for on this system, whose placeholders the system marks.
#[cfg(not(target_os = "linux"))]
pub fn of_entry(
    _dir: &crate::Dir,
    _name: &[u8],
    _wanted: impl Fn(&[u8]) -> bool,
) -> BTreeMap<Vec<u8>, Vec<u8>> {
    BTreeMap::new()
}

/// Gives an open file these extended attributes; what the file system refuses is left out.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn write(file: &File, attributes: &BTreeMap<Vec<u8>, Vec<u8>>) {
    for (name, value) in attributes {
        let flags = rustix::fs::XattrFlags::empty();
        let _ = rustix::fs::fsetxattr(file, &*crate::name::os(name), value, flags);
    }
}

/// Gives an open file extended attributes: there are none on this system.
#[cfg(windows)]
pub fn write(_file: &File, _attributes: &BTreeMap<Vec<u8>, Vec<u8>>) {}

/// The extended attributes of an open file: none on this system.
///
/// # Errors
/// None.
#[cfg(windows)]
pub fn read(_file: &File) -> std::io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    Ok(BTreeMap::new())
}
