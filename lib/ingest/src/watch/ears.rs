//! The notifier: hears what changes below a source root (inotify, FSEvents, ReadDirectoryChangesW).
//!
//! On Linux each folder is listened to by itself, from just before a scan lists it: so
//! nothing is walked for it, what is left out costs nothing, and where the system has no
//! watch left it is known for which folders. Elsewhere the root stands for everything.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use host::{Dir, Kind};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use notify::event::EventKindMask;
use notify::{Config, ErrorKind, PathOp, RecommendedWatcher, RecursiveMode, Watcher};

use super::heard::{Ask, heard};
use super::pending::Heard;
use crate::excludes::Excludes;
use crate::scope::Folders;

/// True where each folder is listened to by itself.
const EACH_FOLDER: bool = cfg!(target_os = "linux");

/// True where the end of a write is heard.
pub(super) const HEARS_CLOSE: bool = cfg!(target_os = "linux");

/// Hears what changes below one root, until it is dropped.
pub(super) struct Ears {
    watcher: Mutex<RecommendedWatcher>,
    place: Arc<Place>,
}

/// What both sides know: those who listen and the thread that hears.
struct Place {
    root: PathBuf,
    excludes: Excludes,
    folders: Mutex<Listening>,
}

#[derive(Default)]
struct Listening {
    /// The folders that are listened to.
    to: BTreeSet<RelPath>,
    /// Those that left and whose watches are still to be given back.
    left: Vec<RelPath>,
    /// Those for which the system had no watch left.
    deaf: BTreeSet<RelPath>,
}

impl Ears {
    /// Begins to listen; `hear` is called from a thread of the notifier's.
    ///
    /// # Errors
    /// [`Code::WatchLimit`] when the system can't.
    pub fn new(
        root: &Path,
        excludes: &Excludes,
        hear: impl Fn(Heard) + Send + 'static,
    ) -> Result<Ears, Problem> {
        let place = Arc::new(Place {
            root: root.to_owned(),
            excludes: excludes.clone(),
            folders: Mutex::default(),
        });
        let theirs = place.clone();
        let handler = move |event: notify::Result<notify::Event>| match event {
            Ok(event) => theirs.pass_on(&event, &hear),
            // Of whatever failed, something may have been missed.
            Err(_) => hear(Heard::Lost),
        };
        let kinds = EventKindMask::CREATE
            | EventKindMask::REMOVE
            | EventKindMask::ALL_MODIFY
            | EventKindMask::ACCESS_CLOSE;
        let config = Config::default().with_event_kinds(kinds).with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(handler, config).map_err(|e| unable(root, &e))?;
        if !EACH_FOLDER {
            watcher.watch(root, RecursiveMode::Recursive).map_err(|e| unable(root, &e))?;
        }
        Ok(Ears { watcher: Mutex::new(watcher), place })
    }

    /// Listens to a folder from now on; asked again, it costs nothing.
    pub fn listen_to(&self, folder: &RelPath) {
        if !EACH_FOLDER {
            return;
        }
        let mut watcher = lock(&self.watcher);
        let left = std::mem::take(&mut lock(&self.place.folders).left);
        for gone in left {
            // The system may have given it up by itself.
            let _ = watcher.unwatch(&self.place.path(&gone));
        }
        if lock(&self.place.folders).to.contains(folder) {
            return;
        }
        let op = PathOp::watch_non_recursive(self.place.path(folder));
        let listened = watcher.update_paths(vec![op]);
        let mut folders = lock(&self.place.folders);
        match listened.map_err(|e| e.source.kind) {
            Ok(()) => {
                folders.deaf.remove(folder);
                folders.to.insert(folder.clone());
            }
            // It left: whoever was told of it there tells of that as well.
            Err(ErrorKind::PathNotFound) => {}
            Err(_) => drop(folders.deaf.insert(folder.clone())),
        }
    }

    /// Listens to a folder that came and to all below it, as far as nobody scans them first.
    pub fn listen_below(&self, root: &Dir, folder: &RelPath) {
        let mut waiting = vec![folder.clone()];
        while let Some(path) = waiting.pop() {
            self.listen_to(&path);
            let Ok(dir) = root.beneath(&path) else { continue };
            let is_folder = |e: &host::dir::Entry| {
                e.kind.map_or_else(|| dir.facts(&e.name).ok().map(|f| f.kind), Some)
                    == Some(Kind::Folder)
            };
            let entries = dir.entries().unwrap_or_default();
            let inner = entries.iter().filter(|e| is_folder(e)).map(|e| path.join(&e.name));
            waiting.extend(inner.filter(|path| !self.place.excludes.leave_out_on_the_way(path)));
        }
    }

    /// The folders of which nothing is heard.
    pub fn deaf(&self) -> Folders {
        lock(&self.place.folders).deaf.iter().map(|path| (path.clone(), false)).collect()
    }

    /// How many folders are listened to; 1 where the root stands for all.
    pub fn count(&self) -> u64 {
        if EACH_FOLDER { lock(&self.place.folders).to.len() as u64 } else { 1 }
    }
}

impl Place {
    fn path(&self, folder: &RelPath) -> PathBuf {
        host::name::below(&self.root, folder)
    }

    fn pass_on(&self, event: &notify::Event, hear: &impl Fn(Heard)) {
        for said in heard(event, &self.root, self) {
            if let Heard::Folder(path) | Heard::Left(path) = &said {
                self.forget(path);
            }
            hear(said);
        }
    }

    /// A folder that left, or came in another's place, is to be listened to anew.
    fn forget(&self, folder: &RelPath) {
        let mut folders = lock(&self.folders);
        folders.deaf.remove(folder);
        let mut gone: Vec<RelPath> = folders.to.take(folder).into_iter().collect();
        // What begins with `path/` stands together in the order of bytes.
        let from = folders.to.range(folder.join(b"")..);
        gone.extend(from.take_while(|path| path.is_within(folder)).cloned());
        for path in &gone {
            folders.to.remove(path);
        }
        folders.left.extend(gone);
    }
}

impl Ask for Place {
    fn was_folder(&self, path: &RelPath) -> bool {
        lock(&self.folders).to.contains(path)
    }

    fn is_folder(&self, path: &RelPath) -> Option<bool> {
        self.path(path).symlink_metadata().ok().map(|meta| meta.is_dir())
    }

    fn leave_out(&self, path: &RelPath) -> bool {
        self.excludes.leave_out_on_the_way(path)
    }
}

impl std::fmt::Debug for Ears {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ears").field("root", &self.place.root).finish_non_exhaustive()
    }
}

fn unable(root: &Path, error: &notify::Error) -> Problem {
    Problem::new(Code::WatchLimit, format!("can't listen to what changes: {error}")).at(root)
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::{Ears, Heard};
    use crate::excludes::Excludes;
    use host::Dir;
    use model::relpath::RelPath;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    fn ears(root: &std::path::Path) -> (Ears, Receiver<Heard>) {
        let (say, hear) = channel();
        let excludes = Excludes::new(["*.tmp".parse().unwrap()]);
        (Ears::new(root, &excludes, move |heard| drop(say.send(heard))).unwrap(), hear)
    }

    fn at(path: &str) -> RelPath {
        RelPath::new(path).unwrap()
    }

    #[track_caller]
    fn wait_for(hear: &Receiver<Heard>, wanted: &Heard) {
        while hear.recv_timeout(Duration::from_secs(10)).expect("it is heard at last") != *wanted {}
    }

    #[test]
    fn a_folder_is_heard_under_the_name_that_it_has_now() {
        let temp = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(temp.path()).unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        let (ears, hear) = ears(&root);
        for folder in ["", "a", "a/b"] {
            ears.listen_to(&at(folder));
        }
        std::fs::rename(root.join("a"), root.join("c")).unwrap();
        wait_for(&hear, &Heard::Folder(at("a")));
        wait_for(&hear, &Heard::Folder(at("c")));
        assert_eq!(ears.count(), 1);
        ears.listen_below(&Dir::open(&root).unwrap(), &at("c"));
        assert_eq!(ears.count(), 3);
        std::fs::write(root.join("c/b/f"), "x").unwrap();
        wait_for(&hear, &Heard::Ended(at("c/b/f")));
        std::fs::remove_dir_all(root.join("c")).unwrap();
        std::fs::create_dir(root.join("c")).unwrap();
        wait_for(&hear, &Heard::Folder(at("c")));
        wait_for(&hear, &Heard::Folder(at("c")));
        ears.listen_to(&at("c"));
        std::fs::write(root.join("c/f"), "x").unwrap();
        wait_for(&hear, &Heard::Ended(at("c/f")));
    }

    #[test]
    fn names_that_are_left_out_wake_nobody_and_reading_is_silent() {
        let temp = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(temp.path()).unwrap();
        std::fs::write(root.join("old"), "x").unwrap();
        let (ears, hear) = ears(&root);
        ears.listen_to(&at(""));
        std::fs::write(root.join("x.tmp"), "x").unwrap();
        std::fs::read(root.join("old")).unwrap();
        std::fs::write(root.join("last"), "x").unwrap();
        assert_eq!(hear.recv_timeout(Duration::from_secs(10)).unwrap(), Heard::Written(at("last")));
    }
}
