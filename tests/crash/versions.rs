//! Versions of files: what a path held, and ever held.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tests::trees::{self, Kind};

/// One version of a file's content and modification time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// BLAKE3 digest of the content.
    pub digest: String,
    /// Modification time in nanoseconds since 1970.
    pub mtime_ns: i128,
}

/// A tree as it stands: versions of its files, and its folders.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tree {
    /// Its regular files.
    pub files: BTreeMap<PathBuf, Version>,
    /// Its folders, the root left out.
    pub folders: BTreeSet<PathBuf>,
    /// Its links with their targets.
    pub links: BTreeMap<PathBuf, PathBuf>,
}

impl Tree {
    /// Reads a tree; what is not there is empty.
    pub fn of(root: &Path) -> Tree {
        let mut tree = Tree::default();
        if !root.exists() {
            return tree;
        }
        for (path, entry) in trees::list(root) {
            match entry.kind {
                Kind::File => {
                    let digest = digest(&root.join(&path));
                    tree.files.insert(path, Version { digest, mtime_ns: entry.mtime_ns });
                }
                Kind::Folder => drop(tree.folders.insert(path)),
                Kind::Symlink => {
                    let target = std::fs::read_link(root.join(&path)).unwrap();
                    tree.links.insert(path, target);
                }
                Kind::Special => {}
            }
        }
        tree
    }
}

/// BLAKE3 digest of a file, in hexadecimal.
pub fn digest(path: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    std::io::copy(&mut file, &mut hasher).unwrap();
    hasher.finalize().to_hex().to_string()
}

/// Every version that every path of a source ever had.
#[derive(Clone, Default, Debug)]
pub struct History {
    ever: BTreeMap<PathBuf, BTreeSet<Version>>,
    kept: BTreeSet<String>,
}

impl History {
    /// Adds what the source holds now.
    pub fn saw(&mut self, source: &Tree) {
        for (path, version) in &source.files {
            self.ever.entry(path.clone()).or_default().insert(version.clone());
        }
    }

    /// A run finished on just this source: its versions must be findable for ever.
    pub fn stored(&mut self, source: &Tree) {
        self.kept.extend(source.files.values().map(|version| version.digest.clone()));
    }

    /// True if this path ever had just this version.
    pub fn knows(&self, path: &Path, version: &Version) -> bool {
        self.ever.get(path).is_some_and(|versions| versions.contains(version))
    }

    /// True if a file ever had this path.
    pub fn has_path(&self, path: &Path) -> bool {
        self.ever.contains_key(path)
    }

    /// Digests of all versions that finished runs stored.
    pub fn kept(&self) -> &BTreeSet<String> {
        &self.kept
    }
}
