//! Files that are made from something else and committed.

use std::path::Path;

/// Compares a file with what it should be; writes it instead when `PHC_WRITE` is set.
///
/// # Panics
/// When they differ.
#[track_caller]
pub fn check(path: &Path, text: &str) {
    if std::env::var_os("PHC_WRITE").is_some() {
        std::fs::write(path, text).unwrap();
    }
    assert!(
        is_current(path, text),
        "{} is not current: PHC_WRITE=1 cargo test -p tests --test edge writes it",
        path.display()
    );
}

fn is_current(path: &Path, text: &str) -> bool {
    std::fs::read_to_string(path).is_ok_and(|committed| committed == text)
}

#[test]
fn a_file_that_is_missing_or_says_something_else_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page");
    assert!(!is_current(&path, ""));
    std::fs::write(&path, "one").unwrap();
    assert!(is_current(&path, "one") && !is_current(&path, "two"));
}
