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

/// Gives an open file these extended attributes; returns the names that the file system refuses.
///
/// An owner who may not write his own file may for this moment.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn write(file: &File, attributes: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<Vec<u8>> {
    let set = |(name, value): &(&Vec<u8>, &Vec<u8>)| {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::fsetxattr(file, &*crate::name::os(name), value, flags).is_err()
    };
    let names = |refused: Vec<(&Vec<u8>, &Vec<u8>)>| {
        refused.into_iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let refused: Vec<_> = attributes.iter().filter(set).collect();
    let Ok(facts) = crate::facts::of(file) else { return names(refused) };
    if refused.is_empty() || facts.mode & 0o200 != 0 {
        return names(refused);
    }
    let _ = crate::facts::set_mode(file, facts.mode | 0o200);
    let refused = refused.into_iter().filter(set).collect();
    let _ = crate::facts::set_mode(file, facts.mode);
    names(refused)
}

/// Gives an open file extended attributes: there are none on this system.
#[cfg(windows)]
pub fn write(_file: &File, attributes: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<Vec<u8>> {
    attributes.keys().cloned().collect()
}

/// Takes these extended attributes from an open file; what the file system refuses stays.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn remove<'n>(file: &File, names: impl Iterator<Item = &'n Vec<u8>>) {
    for name in names {
        let _ = rustix::fs::fremovexattr(file, &*crate::name::os(name));
    }
}

/// Takes extended attributes from an open file: there are none on this system.
#[cfg(windows)]
pub fn remove<'n>(_file: &File, _names: impl Iterator<Item = &'n Vec<u8>>) {}

/// The extended attributes of an open file: none on this system.
///
/// # Errors
/// None.
#[cfg(windows)]
pub fn read(_file: &File) -> std::io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    Ok(BTreeMap::new())
}
