//! Trees of files, compared by every byte and nanosecond.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What stands under one name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// A socket, FIFO or device.
    Special,
}

/// What the system says of one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since 1970.
    pub mtime_ns: i128,
    /// Change time in nanoseconds since 1970.
    pub ctime_ns: i128,
    /// Inode.
    pub inode: u64,
    /// Permission bits.
    pub mode: u32,
}

/// Everything below a folder by its path within it; links are not followed.
///
/// # Panics
/// When something can't be looked at.
pub fn list(root: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let listing = std::fs::read_dir(root.join(&folder));
        let listing =
            listing.unwrap_or_else(|e| panic!("{}/{}: {e}", root.display(), folder.display()));
        for entry in listing {
            let path = folder.join(entry.expect("an entry").file_name());
            let entry = entry_at(&root.join(&path));
            if entry.kind == Kind::Folder {
                folders.push(path.clone());
            }
            found.insert(path, entry);
        }
    }
    found
}

fn entry_at(path: &Path) -> Entry {
    let meta = path.symlink_metadata().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
    let kind = match meta.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_symlink() => Kind::Symlink,
        _ => Kind::Special,
    };
    Entry {
        kind,
        size: meta.len(),
        mtime_ns: ns(meta.mtime(), meta.mtime_nsec()),
        ctime_ns: ns(meta.ctime(), meta.ctime_nsec()),
        inode: meta.ino(),
        mode: meta.mode() & 0o7777,
    }
}

/// Inode and change time of everything below a folder: equal before and after where nothing was written.
pub fn snapshot(root: &Path) -> BTreeMap<PathBuf, (u64, i128)> {
    list(root).into_iter().map(|(path, entry)| (path, (entry.inode, entry.ctime_ns))).collect()
}

/// How a copy differs from its source: files and folders that are missing, too many, or
/// other in content or modification time. Links and specials of the source have no copy.
pub fn differences(source: &Path, copy: &Path) -> Vec<String> {
    let wanted = |entries: BTreeMap<PathBuf, Entry>| -> BTreeMap<PathBuf, Entry> {
        let stored = |entry: &Entry| matches!(entry.kind, Kind::File | Kind::Folder);
        entries.into_iter().filter(|(_, entry)| stored(entry)).collect()
    };
    let (from, mut to) = (wanted(list(source)), list(copy));
    let mut found = Vec::new();
    for (path, entry) in &from {
        let shown = path.display();
        match to.remove(path) {
            None => found.push(format!("{shown} is missing")),
            Some(other) if other.kind != entry.kind => {
                found.push(format!("{shown} is {:?}, not {:?}", other.kind, entry.kind));
            }
            Some(_) if entry.kind == Kind::Folder => {}
            Some(other) if other.mtime_ns != entry.mtime_ns => {
                found.push(format!("{shown} has mtime {}, not {}", other.mtime_ns, entry.mtime_ns));
            }
            Some(_) => {
                if !same_bytes(&source.join(path), &copy.join(path)) {
                    found.push(format!("{shown} has other content"));
                }
            }
        }
    }
    found.extend(to.keys().map(|path| format!("{} is one too many", path.display())));
    found
}

/// Checks that a copy is its source, byte for byte and to the nanosecond.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn assert_copied(source: &Path, copy: &Path) {
    let found = differences(source, copy);
    assert!(found.is_empty(), "{} is no copy: {found:#?}", copy.display());
}

fn same_bytes(a: &Path, b: &Path) -> bool {
    use std::io::{BufRead, BufReader};
    let open = |path: &Path| {
        let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        BufReader::with_capacity(1 << 16, file)
    };
    let (mut a, mut b) = (open(a), open(b));
    loop {
        let (left, right) = (a.fill_buf().expect("reading"), b.fill_buf().expect("reading"));
        let common = left.len().min(right.len());
        if left[..common] != right[..common] {
            return false;
        }
        if common == 0 {
            return left.len() == right.len();
        }
        a.consume(common);
        b.consume(common);
    }
}

#[cfg(test)]
mod tests {
    use super::{differences, snapshot};
    use std::path::Path;
    use tempfile::tempdir;

    fn set_mtime(path: &Path) {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn every_difference_is_found() {
        let (a, b) = (tempdir().unwrap(), tempdir().unwrap());
        for root in [a.path(), b.path()] {
            std::fs::create_dir(root.join("folder")).unwrap();
            for name in ["same", "content", "time", "kind"] {
                std::fs::write(root.join(name), name).unwrap();
                set_mtime(&root.join(name));
            }
        }
        std::os::unix::fs::symlink("same", a.path().join("link")).unwrap();
        assert_eq!(differences(a.path(), b.path()), [""; 0]);

        std::fs::write(a.path().join("only"), "").unwrap();
        std::fs::write(b.path().join("more"), "").unwrap();
        std::fs::write(b.path().join("content"), "CONTENT").unwrap();
        set_mtime(&b.path().join("content"));
        std::fs::write(b.path().join("time"), "time").unwrap();
        std::fs::remove_file(b.path().join("kind")).unwrap();
        std::fs::create_dir(b.path().join("kind")).unwrap();
        let found = differences(a.path(), b.path()).join("\n");
        for what in [
            "content has other",
            "kind is Folder",
            "only is missing",
            "time has mtime",
            "more is one",
        ] {
            assert!(found.contains(what), "{what} not in\n{found}");
        }
        assert_eq!(found.lines().count(), 5);
    }

    #[test]
    fn a_snapshot_tells_a_write_that_changes_nothing() {
        let dir = tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "x").unwrap();
        let before = snapshot(dir.path());
        assert_eq!(before, snapshot(dir.path()));
        std::thread::sleep(std::time::Duration::from_millis(20));
        set_mtime(&dir.path().join("a"));
        assert_ne!(before, snapshot(dir.path()));
    }
}
