//! File names as bytes: the system's own on Unix, WTF-8 on Windows.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use model::relpath::RelPath;

/// A name's bytes.
pub fn bytes(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes()
}

/// The name that bytes from [`bytes`] stand for.
#[cfg(unix)]
pub fn os(bytes: &[u8]) -> Cow<'_, OsStr> {
    use std::os::unix::ffi::OsStrExt;
    Cow::Borrowed(OsStr::from_bytes(bytes))
}

/// The name that bytes from [`bytes`] stand for; what is not WTF-8 is replaced.
#[cfg(not(unix))]
pub fn os(bytes: &[u8]) -> Cow<'_, OsStr> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(OsStr::new(text)),
        Err(_) => Cow::Owned(wtf8::decode(bytes)),
    }
}

#[cfg(windows)]
mod wtf8 {
    use std::ffi::OsString;
    use std::os::windows::ffi::OsStringExt;

    /// Decodes generalised UTF-8: surrogates stand as three bytes of their own.
    pub fn decode(bytes: &[u8]) -> OsString {
        let mut wide = Vec::new();
        for chunk in bytes.utf8_chunks() {
            wide.extend(chunk.valid().encode_utf16());
            if let [0xED, b, c] = chunk.invalid() {
                wide.push(0xD000 | (u16::from(b & 0x3F) << 6) | u16::from(c & 0x3F));
            }
        }
        OsString::from_wide(&wide)
    }
}

/// The path below `root` that a relative path stands for.
pub fn below(root: &Path, path: &RelPath) -> PathBuf {
    let mut full = root.to_owned();
    full.extend(path.names().map(|name| os(name).into_owned()));
    full
}
