//! The former versions of one cloud, by path and the time they were put away.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use model::cloud::CloudId;
use model::device::Device;
use model::ingest::FileRecord;
use model::problem::Problem;
use model::relpath::RelPath;
use store::space::SpaceRoot;

use super::Lies;
use crate::expire;

/// One former version.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Former {
    pub put_away: Timestamp,
    /// Below `_trash`.
    pub path: RelPath,
    pub size: u64,
    /// What it is taken for by now.
    pub taken: Taken,
}

/// What a former version is taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// Nothing yet.
    No,
    /// A version that a line of the catalog tells of.
    Version,
    /// The damaged copy that verify put away: no version that ever was.
    Rot,
}

/// The former versions of one cloud, each path's oldest first.
pub(crate) struct Trashed(RefCell<HashMap<RelPath, Vec<Former>>>);

impl Trashed {
    pub fn of(space: &SpaceRoot, device: &Device, cloud: &CloudId) -> Result<Trashed, Problem> {
        let mut by_path: HashMap<RelPath, Vec<Former>> = HashMap::new();
        for version in expire::versions(space, device)? {
            let mut names = version.path.names().skip(2);
            if names.next() != Some(cloud.as_str().as_bytes()) {
                continue;
            }
            let path = names.fold(RelPath::root(), |path, name| path.join(name));
            let (put_away, size) = (version.put_away, version.size);
            let former = Former { put_away, path: version.path, size, taken: Taken::No };
            by_path.entry(path).or_default().push(former);
        }
        for formers in by_path.values_mut() {
            formers.sort_by(|a, b| (a.put_away, &a.path).cmp(&(b.put_away, &b.path)));
        }
        Ok(Trashed(RefCell::new(by_path)))
    }

    /// The version of a path that the change told at this time put away.
    pub fn put_away(
        &self,
        path: &RelPath,
        by: Timestamp,
        was: Option<&FileRecord>,
        taken: Taken,
    ) -> Lies {
        let mut by_path = self.0.borrow_mut();
        let formers = by_path.get_mut(path).map(Vec::as_mut_slice).unwrap_or_default();
        let size = was.and_then(|was| was.size);
        let fits = |former: &&mut Former| {
            former.put_away <= by
                && former.taken != Taken::Version
                && size.is_none_or(|size| size == former.size)
        };
        match formers.iter_mut().rev().find(fits) {
            Some(former) => {
                former.taken = taken;
                Lies::Trash(former.path.clone())
            }
            None => Lies::Nowhere,
        }
    }

    /// The version of a path that was put away last.
    pub fn newest(&self, path: &RelPath) -> Lies {
        let by_path = self.0.borrow();
        let newest = by_path.get(path).and_then(|formers| formers.last());
        newest.map_or(Lies::Nowhere, |former| Lies::Trash(former.path.clone()))
    }

    /// What no line of the catalog explains, the oldest first.
    pub fn unexplained(&self, path: &RelPath) -> Vec<Former> {
        let by_path = self.0.borrow();
        let formers = by_path.get(path).map(Vec::as_slice).unwrap_or_default();
        formers.iter().filter(|former| former.taken == Taken::No).cloned().collect()
    }

    /// True if anything was put away under this path or below it.
    pub fn knows(&self, path: &RelPath) -> bool {
        self.0.borrow().keys().any(|known| known.is_within(path))
    }

    /// The paths within a folder of which anything was put away.
    pub fn within(&self, folder: &RelPath) -> Vec<RelPath> {
        self.0.borrow().keys().filter(|path| path.is_within(folder)).cloned().collect()
    }
}
