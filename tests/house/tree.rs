//! The project's text, as a value that a test can also make up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One file: its text, and whether it may be executed.
pub struct File {
    pub text: String,
    pub executable: bool,
}

/// Files by their path from the top of the project, with `/` between names.
pub struct Tree {
    pub files: BTreeMap<String, File>,
}

impl Tree {
    /// The project itself: every text file that is not cargo's or git's own.
    pub fn project() -> Tree {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = BTreeMap::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(top.join(&folder)).expect("the project can be listed") {
                let entry = entry.expect("the project can be listed");
                let path = folder.join(entry.file_name());
                let kind = entry.file_type().expect("the kind of a file is known");
                if kind.is_dir() && !is_foreign(&path) {
                    folders.push(path);
                } else if kind.is_file() {
                    files.extend(read(&top, &path));
                }
            }
        }
        Tree { files }
    }

    /// A tree made up for a test; none of its files is executable.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let file = |text: &str| File { text: text.to_owned(), executable: false };
        Tree { files: files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect() }
    }

    /// The text of one file, if it is there.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(|file| file.text.as_str())
    }

    /// Is there a file, or a folder with a file in it, of this path?
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.keys().any(|file| {
            file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Path and text of every Rust file.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.files.iter().map(|(path, file)| (path.as_str(), file.text.as_str()));
        files.filter(|(path, _)| path.ends_with(".rs"))
    }
}

/// Folders that hold what cargo, git or an editor made.
fn is_foreign(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name == "target" || name == ".git" || path.join("CACHEDIR.TAG").exists()
}

/// A file as an entry of the tree, unless it is not text.
fn read(top: &Path, path: &Path) -> Option<(String, File)> {
    let bytes = fs::read(top.join(path)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let name = path.to_str()?.replace('\\', "/");
    Some((name, File { text, executable: is_executable(&top.join(path)) }))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.extension().is_none()
}

/// Fails with every finding on a line of its own.
pub fn nothing_in(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Fails unless there is exactly one finding, and it says `words`.
pub fn only(findings: &[String], words: &str) {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.contains(words)), "{findings:?} lacks {words:?}");
}
