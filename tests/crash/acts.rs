//! What may happen to a source and its runs, as small acts that any sequence can be made of.
//!
//! An act that makes no sense where it comes (removing what is not there) does nothing, so
//! that every part of a sequence is a sequence too: that is what lets proptest shrink.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::sample::select;
use rustix::fs::{CWD, RenameFlags};
use serde::{Deserialize, Serialize};

/// Where acts happen: few paths, so that they meet; each may be a file or a folder.
const PATHS: &[&str] = &["a", "b", "d", "d/a", "d/b", "d/d", "d/d/a", "e", "e/a", "e/e/b"];

/// What files hold: some of one size, one empty, one large enough to be read in pieces.
const CONTENTS: u8 = 6;

/// One act. Serialized, a sequence of them is a line of `lives.jsonl`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A file is written in place, or made.
    Write(String, u8),
    /// A file gets other content of the same size, and its time back.
    Disguise(String),
    /// A file or folder gets another name, over whatever file has it.
    Rename(String, String),
    /// Two change places.
    Swap(String, String),
    /// A file or folder is removed.
    Remove(String),
    /// A file gets another time.
    Touch(String, u8),
    /// A file or folder gets other permission bits.
    Chmod(String, u16),
    /// A file or folder gives way to the other kind.
    Turn(String, u8),
    /// A file gets a further name.
    Link(String, String),
    /// A link to somewhere takes a free name.
    Symlink(String),
    /// A run that ends.
    Run,
    /// A run that is killed when it comes to a failpoint the nth time; it ends where it does not.
    Kill(String, u8),
    /// A run that is killed after so many tenths of a millisecond.
    KillAfter(u16),
    /// A run in which a call fails.
    Fail(String, u8),
    /// The manifest is gone.
    LoseManifest,
}

/// Any sequence of acts.
pub fn any_life() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(any_act(), 1..24)
}

fn any_act() -> impl Strategy<Value = Act> {
    let path = || select(PATHS).prop_map(str::to_owned);
    let two = || (path(), path());
    let content = || 0..CONTENTS;
    let point = || select(host::failpoint::NAMES).prop_map(str::to_owned);
    prop_oneof![
        8 => (path(), content()).prop_map(|(p, c)| Act::Write(p, c)),
        3 => path().prop_map(Act::Disguise),
        6 => two().prop_map(|(p, q)| Act::Rename(p, q)),
        2 => two().prop_map(|(p, q)| Act::Swap(p, q)),
        4 => path().prop_map(Act::Remove),
        2 => (path(), 0..3_u8).prop_map(|(p, n)| Act::Touch(p, n)),
        2 => (path(), select(&[0o600_u16, 0o644, 0o444, 0o700, 0o755][..]))
            .prop_map(|(p, m)| Act::Chmod(p, m)),
        3 => (path(), content()).prop_map(|(p, c)| Act::Turn(p, c)),
        2 => two().prop_map(|(p, q)| Act::Link(p, q)),
        1 => path().prop_map(Act::Symlink),
        6 => Just(Act::Run),
        8 => (point(), 1..4_u8).prop_map(|(p, n)| Act::Kill(p, n)),
        1 => (1..400_u16).prop_map(Act::KillAfter),
        1 => (point(), 1..3_u8).prop_map(|(p, n)| Act::Fail(p, n)),
        1 => Just(Act::LoseManifest),
    ]
}

impl Act {
    /// Does it to a source; false for what concerns runs.
    pub fn on_source(&self, root: &Path) -> bool {
        let at = |path: &String| root.join(path);
        match self {
            Act::Write(path, content) => write(&at(path), *content),
            Act::Disguise(path) => disguise(&at(path)),
            Act::Rename(from, to) => rename(&at(from), &at(to)),
            Act::Swap(one, other) => swap(&at(one), &at(other)),
            Act::Remove(path) => remove(&at(path)),
            Act::Touch(path, n) => touch(&at(path), *n),
            Act::Chmod(path, mode) => chmod(&at(path), (*mode).into()),
            Act::Turn(path, content) => turn(&at(path), *content),
            Act::Link(path, to) => link(&at(path), &at(to)),
            Act::Symlink(path) => symlink(&at(path)),
            _ => return false,
        }
        true
    }
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_file())
}

/// Makes the folders above a path, where no file is in the way.
fn room_for(path: &Path) -> bool {
    path.parent().is_some_and(|above| fs::create_dir_all(above).is_ok())
}

fn content(n: u8) -> Vec<u8> {
    match n {
        0 => Vec::new(),
        1 => vec![b'x'; 300_000],
        n => format!("content {n}").into_bytes(),
    }
}

fn write(path: &Path, n: u8) {
    if room_for(path) && (is_file(path) || path.symlink_metadata().is_err()) {
        fs::write(path, content(n)).unwrap();
    }
}

fn disguise(path: &Path) {
    if !is_file(path) {
        return;
    }
    let time = path.metadata().unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes.iter_mut().for_each(|byte| *byte = byte.rotate_left(1));
    fs::write(path, bytes).unwrap();
    File::open(path).unwrap().set_modified(time).unwrap();
}

fn rename(from: &Path, to: &Path) {
    let fits = !to.starts_with(from) && !from.starts_with(to);
    if fits && from.symlink_metadata().is_ok() && room_for(to) {
        if is_folder(to) {
            fs::remove_dir_all(to).unwrap();
        }
        if is_folder(from) && to.symlink_metadata().is_ok() {
            fs::remove_file(to).unwrap();
        }
        fs::rename(from, to).unwrap();
    }
}

fn swap(one: &Path, other: &Path) {
    // What can't be swapped is not there, or one lies in the other.
    let _ = rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
}

fn remove(path: &Path) {
    if is_folder(path) {
        fs::remove_dir_all(path).unwrap();
    } else {
        let _ = fs::remove_file(path);
    }
}

fn touch(path: &Path, n: u8) {
    let times = [
        SystemTime::now(),
        SystemTime::UNIX_EPOCH - Duration::from_secs(86_400),
        SystemTime::now() + Duration::from_secs(4_000_000_000),
    ];
    if is_file(path) {
        File::open(path).unwrap().set_modified(times[usize::from(n)]).unwrap();
    }
}

fn chmod(path: &Path, mode: u32) {
    // A folder that is not to be entered is a case of its own.
    let mode = if is_folder(path) { mode | 0o700 } else { mode };
    if is_folder(path) || is_file(path) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
}

fn turn(path: &Path, n: u8) {
    if is_folder(path) {
        fs::remove_dir_all(path).unwrap();
        write(path, n);
    } else if is_file(path) {
        fs::remove_file(path).unwrap();
        write(&path.join("a"), n);
    }
}

fn link(path: &Path, to: &Path) {
    if is_file(to) && path.symlink_metadata().is_err() && room_for(path) {
        fs::hard_link(to, path).unwrap();
    }
}

fn symlink(path: &Path) {
    if path.symlink_metadata().is_err() && room_for(path) {
        std::os::unix::fs::symlink(PathBuf::from("nowhere"), path).unwrap();
    }
}
