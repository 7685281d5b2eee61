//! Pure: which new file is which gone one.

use std::collections::HashMap;

use model::relpath::RelPath;

use super::{Item, Todo};

/// What makes a file the same without reading it: volume (compared elsewhere), id, birth time, size, mtime.
///
/// Without a birth time nothing does: inodes are used again at once.
#[derive(PartialEq, Eq, Hash)]
struct Identity {
    file_id: u64,
    btime_ns: i64,
    size: u64,
    mtime_ns: i64,
}

impl Identity {
    fn of(item: &Item) -> Option<Identity> {
        let btime_ns = item.btime_ns?;
        Some(Identity { file_id: item.file_id, btime_ns, size: item.size, mtime_ns: item.mtime_ns })
    }
}

/// The files that are gone, each to be found once as what another path is now.
#[derive(Default)]
pub(super) struct Gone {
    paths: Vec<Option<RelPath>>,
    by_identity: HashMap<Identity, usize>,
    by_digest: HashMap<(u64, [u8; 32]), Vec<usize>>,
    sizes: HashMap<u64, usize>,
}

impl Gone {
    /// Notes an entry if it is a gone file whose copy keeps its name.
    pub fn note(&mut self, folder: &RelPath, item: &Item) {
        let Todo::Gone { digest, is_file: true, suspect, gives_way: false } = &item.todo else {
            return;
        };
        let at = self.paths.len();
        self.paths.push(Some(folder.join(&item.name)));
        if let Some(identity) = Identity::of(item).filter(|_| !suspect && digest.is_some()) {
            self.by_identity.insert(identity, at);
        }
        // An empty file is nobody's former self.
        if let Some(digest) = digest.filter(|_| item.size > 0) {
            self.by_digest.entry((item.size, digest)).or_default().push(at);
            *self.sizes.entry(item.size).or_default() += 1;
        }
    }

    /// True if no file is gone.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The former path of a new file, told by its identity.
    pub fn take_by_identity(&mut self, item: &Item) -> Option<RelPath> {
        let at = *self.by_identity.get(&Identity::of(item)?)?;
        self.paths[at].take()
    }

    /// True if reading a new file could tell its former path.
    pub fn may_be_by_digest(&self, item: &Item) -> bool {
        self.sizes.contains_key(&item.size)
    }

    /// The former path of a new file, told by its content.
    pub fn take_by_digest(&mut self, size: u64, digest: [u8; 32]) -> Option<RelPath> {
        let candidates = self.by_digest.get(&(size, digest))?;
        candidates.iter().find_map(|at| self.paths[*at].take())
    }

    /// The paths that nothing was found to be.
    pub fn left(self) -> std::collections::HashSet<RelPath> {
        self.paths.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Gone;
    use crate::plan::{Item, Todo};
    use model::relpath::RelPath;

    fn item(btime_ns: Option<i64>, todo: Todo) -> Item {
        Item {
            name: b"old".to_vec(),
            copy_name: None,
            size: 9,
            allocated: 9,
            mtime_ns: 1,
            ctime_ns: None,
            file_id: 2,
            btime_ns,
            links: 1,
            todo,
        }
    }

    fn gone(suspect: bool) -> Todo {
        Todo::Gone { digest: Some([1; 32]), is_file: true, suspect, gives_way: false }
    }

    #[test]
    fn identity_takes_a_birth_time_and_a_row_that_is_trusted() {
        for (btime, suspect, found) in
            [(Some(3), false, true), (None, false, false), (Some(3), true, false)]
        {
            let mut all = Gone::default();
            all.note(&RelPath::root(), &item(btime, gone(suspect)));
            let new = item(btime, Todo::Store);
            assert_eq!(all.take_by_identity(&new).is_some(), found, "{btime:?} {suspect}");
            // What was taken once is not there a second time.
            assert!(all.take_by_identity(&new).is_none());
            assert_eq!(all.take_by_digest(9, [1; 32]).is_some(), !found);
        }
    }

    #[test]
    fn another_size_or_content_is_another_file() {
        let mut all = Gone::default();
        all.note(&RelPath::root(), &item(None, gone(false)));
        assert!(all.take_by_digest(8, [1; 32]).is_none());
        assert!(all.take_by_digest(9, [2; 32]).is_none());
        assert_eq!(all.left().len(), 1);
    }
}
