//! How discovery sees files.

use std::io;
use std::path::{Path, PathBuf};

/// The largest settings file that is read, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// Files as discovery sees them; tests give it a miniature root.
pub trait View {
    /// The names in a folder, links followed; names that are not UTF-8 are no account's.
    ///
    /// # Errors
    /// When it is not there, no folder, or may not be listed.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// A small file's text; what is not UTF-8 in it is replaced.
    ///
    /// # Errors
    /// When it is not there, too large, or may not be read.
    fn text(&self, file: &Path) -> io::Result<String>;

    /// A link's target as it stands there; `None` if it is no link.
    fn target(&self, path: &Path) -> Option<PathBuf>;
}

/// The real files.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl View for System {
    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(folder)?;
        let names = entries.map(|entry| entry.map(|e| e.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn text(&self, file: &Path) -> io::Result<String> {
        let meta = std::fs::metadata(file)?;
        if !meta.is_file() || meta.len() > LIMIT {
            return Err(io::Error::other("no regular file of a settings file's size"));
        }
        std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn target(&self, path: &Path) -> Option<PathBuf> {
        std::fs::read_link(path).ok()
    }
}
