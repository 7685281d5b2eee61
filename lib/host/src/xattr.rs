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

/// The extended attributes of an open file: none on this system.
///
/// # Errors
/// None.
#[cfg(windows)]
pub fn read(_file: &File) -> std::io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    Ok(BTreeMap::new())
}
