//! What one look at a directory finds; the only code here that touches the pillar itself.

use std::path::Path;

use host::dir::Dir;
use host::error::{Error, Meaning};
use host::volume::Room;
use host::{publish, volume};
use model::sentinel::SENTINEL_NAME;
use model::text::Text;
use serde::{Deserialize, Serialize};

/// The largest sentinel that is read, in bytes.
pub const SENTINEL_LIMIT: u64 = 16 * 1024;

/// What a look found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// Nothing of that name.
    Missing,
    /// Something that is no directory.
    NotFolder,
    /// It may not be opened or read by this user.
    Forbidden(String),
    /// It does not answer as a directory should; the system's reason.
    Failed(String),
    /// A directory.
    Folder(Folder),
}

/// What is to be known of a directory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Folder {
    /// Its path without links.
    pub path: Text,
    /// The mount that it lies on; `None` where the system does not tell.
    pub mount_id: Option<u64>,
    /// True if nothing is in it; `None` if it may not be listed.
    pub empty: Option<bool>,
    /// True if its file system can't be written, whatever the mount table says.
    pub read_only: bool,
    /// The volume's own id, where it has one.
    pub volume: Option<String>,
    /// All bytes of its file system; `None` where it does not tell.
    pub total: Option<u64>,
    /// The bytes that this user may still fill.
    pub free: Option<u64>,
    /// Its sentinel.
    pub sentinel: Found,
}

/// What stands at the sentinel's name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A file with this text.
    Text(String),
    /// Something that can't be read as text; why.
    Unreadable(String),
}

/// Looks at a path; its links are resolved once, here.
///
/// It may hang on a dead mount: [`crate::probe`] calls it from a child.
pub fn at(path: &Path) -> Look {
    // Windows would turn the drive letter into the share; the letter is what was proven.
    let resolved = if cfg!(windows) { std::path::absolute(path) } else { path.canonicalize() };
    let opened =
        resolved.map_err(|source| Error { attempt: "resolve", path: path.to_owned(), source });
    match opened.and_then(|path| Dir::open(&path)) {
        Ok(dir) => of(&dir),
        Err(e) => failed(&e),
    }
}

/// Looks at an open directory, whose path has no links.
pub fn of(dir: &Dir) -> Look {
    let facts = match dir.own_facts() {
        Ok(facts) => facts,
        Err(e) => return failed(&e),
    };
    let room = volume::room(dir).ok().filter(|room: &Room| room.total > 0);
    Look::Folder(Folder {
        path: dir.path().into(),
        mount_id: facts.mount_id,
        empty: dir.entries().ok().map(|entries| entries.is_empty()),
        read_only: volume::is_read_only(dir).unwrap_or(false),
        volume: volume::id(dir),
        total: room.map(|room| room.total),
        free: room.map(|room| room.free),
        sentinel: sentinel(dir),
    })
}

fn sentinel(dir: &Dir) -> Found {
    match publish::read(dir, SENTINEL_NAME.as_bytes(), SENTINEL_LIMIT) {
        Ok(None) => Found::Nothing,
        Ok(Some(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => Found::Text(text),
            Err(_) => Found::Unreadable("not UTF-8".to_owned()),
        },
        Err(e) => Found::Unreadable(e.source.to_string()),
    }
}

fn failed(error: &Error) -> Look {
    match (error.meaning(), error.source.kind()) {
        (_, std::io::ErrorKind::NotADirectory) => Look::NotFolder,
        (Meaning::Missing, _) => Look::Missing,
        (Meaning::Forbidden, _) => Look::Forbidden(error.source.to_string()),
        _ => Look::Failed(error.source.to_string()),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::{Found, Look, SENTINEL_LIMIT, at};
    use model::sentinel::SENTINEL_NAME;

    fn sentinel_of(dir: &std::path::Path) -> Found {
        match at(dir) {
            Look::Folder(folder) => folder.sentinel,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whatever_stands_at_the_sentinels_name_is_told_and_never_waited_for() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join(SENTINEL_NAME);
        assert_eq!(sentinel_of(temp.path()), Found::Nothing);
        std::fs::write(&file, "").unwrap();
        assert_eq!(sentinel_of(temp.path()), Found::Text(String::new()));
        for bad in [vec![0xFF], vec![b' '; usize::try_from(SENTINEL_LIMIT).unwrap() + 1]] {
            std::fs::write(&file, bad).unwrap();
            assert!(matches!(sentinel_of(temp.path()), Found::Unreadable(_)));
        }
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("elsewhere", &file).unwrap();
        assert!(matches!(sentinel_of(temp.path()), Found::Unreadable(_)), "a dangling link");
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(matches!(sentinel_of(temp.path()), Found::Unreadable(_)), "a folder");
    }

    #[test]
    fn what_is_no_directory_is_told_apart_from_what_is_not_there() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        assert_eq!(at(&file), Look::Missing);
        std::fs::write(&file, "").unwrap();
        assert_eq!(at(&file), Look::NotFolder);
        assert_eq!(at(&file.join("below")), Look::NotFolder);
    }

    #[test]
    fn a_link_is_resolved_and_the_answer_survives_its_way_through_a_pipe() {
        let temp = tempfile::tempdir().unwrap();
        let (real, link) = (temp.path().join("real"), temp.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let look = at(&link);
        let path = real.canonicalize().unwrap();
        assert!(matches!(&look, Look::Folder(f) if f.path == path.as_path().into()), "{look:?}");
        let line = serde_json::to_string(&look).unwrap();
        assert_eq!(serde_json::from_str::<Look>(&line).unwrap(), look);
    }
}
