use std::os::unix::fs::symlink;

use model::relpath::RelPath;

use super::Dir;
use crate::error::Meaning;
use crate::facts::Kind;

fn sandbox() -> (tempfile::TempDir, Dir) {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(temp.path()).unwrap();
    (temp, dir)
}

#[test]
fn no_link_is_followed_on_the_way_down() {
    let (temp, dir) = sandbox();
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(outside.path().join("b")).unwrap();
    symlink(outside.path(), temp.path().join("a")).unwrap();
    assert!(dir.beneath(&RelPath::new("a/b").unwrap()).is_err());
    assert!(dir.beneath_names_for_test("a/b").is_err());
    assert!(dir.make_beneath(&RelPath::new("a/c").unwrap(), 0o750).is_err());
    assert!(!outside.path().join("c").exists());
}

impl Dir {
    fn beneath_names_for_test(&self, path: &str) -> crate::Result<Dir> {
        let mut dir = self.again()?;
        for name in RelPath::new(path).unwrap().names() {
            dir = dir.sub(name)?;
        }
        Ok(dir)
    }
}

#[test]
fn a_rename_to_an_existing_name_is_refused_and_changes_nothing() {
    let (temp, dir) = sandbox();
    std::fs::write(temp.path().join("old"), "old").unwrap();
    std::fs::write(temp.path().join("new"), "new").unwrap();
    let error = dir.rename_new(b"new", &dir, b"old").unwrap_err();
    assert_eq!(error.meaning(), Meaning::Exists);
    assert_eq!(std::fs::read(temp.path().join("old")).unwrap(), b"old");
    assert_eq!(std::fs::read(temp.path().join("new")).unwrap(), b"new");
}

#[test]
fn listing_tells_each_entry_once_with_its_kind() {
    let (temp, dir) = sandbox();
    std::fs::write(temp.path().join("file"), "").unwrap();
    std::fs::create_dir(temp.path().join("folder")).unwrap();
    symlink("nowhere", temp.path().join("link")).unwrap();
    for _ in 0..2 {
        let mut names: Vec<_> =
            dir.entries().unwrap().into_iter().map(|e| (e.name, e.kind)).collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let kinds: Vec<_> = names.iter().map(|(_, kind)| kind.unwrap()).collect();
        assert_eq!(kinds, [Kind::File, Kind::Folder, Kind::Symlink]);
    }
    assert_eq!(dir.read_link(b"link").unwrap(), b"nowhere");
    assert_eq!(dir.facts(b"link").unwrap().kind, Kind::Symlink);
    assert!(dir.read(b"link").is_err());
}
