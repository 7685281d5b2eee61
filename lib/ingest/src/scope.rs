//! What a run looks at: everything, or folders that are in doubt.

use std::collections::BTreeMap;

use model::relpath::RelPath;

use crate::excludes::Excludes;

/// What a run looks at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Scope {
    /// The whole source.
    #[default]
    Everything,
    /// These folders alone. A folder that is new in one of them, or left one of them, is looked at
    /// to its bottom, whatever the scope says.
    Folders(Folders),
}

impl Scope {
    /// True if only some folders are looked at.
    pub fn is_partial(&self) -> bool {
        matches!(self, Scope::Folders(_))
    }
}

/// Folders, each with or without what lies below it; none lies below one that is meant as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Folders(BTreeMap<RelPath, bool>);

impl Folders {
    /// No folder.
    pub fn new() -> Folders {
        Folders::default()
    }

    /// Adds a folder; with `below`, everything below it as well.
    pub fn add(&mut self, path: RelPath, below: bool) {
        if self.covers(&path, below) {
            return;
        }
        if below {
            self.remove_within(&path);
        }
        self.0.insert(path, below);
    }

    /// Adds what another set names.
    pub fn merge(&mut self, other: Folders) {
        for (path, below) in other.0 {
            self.add(path, below);
        }
    }

    /// True if this folder, and with `below` everything below it, is among them already.
    pub fn covers(&self, path: &RelPath, below: bool) -> bool {
        self.0.get(path).is_some_and(|whole| *whole || !below) || self.is_within_a_whole(path)
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are named.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Every folder, and whether what lies below it is meant.
    pub fn iter(&self) -> impl Iterator<Item = (&RelPath, bool)> {
        self.0.iter().map(|(path, below)| (path, *below))
    }

    /// The same without what is left out.
    pub fn without(&self, excludes: &Excludes) -> Folders {
        let kept = self.0.iter().filter(|(path, _)| !excludes.leave_out_on_the_way(path));
        Folders(kept.map(|(path, below)| (path.clone(), *below)).collect())
    }

    fn is_within_a_whole(&self, path: &RelPath) -> bool {
        let mut at = path.clone();
        while let Some((above, _)) = at.split() {
            if self.0.get(&above) == Some(&true) {
                return true;
            }
            at = above;
        }
        false
    }

    fn remove_within(&mut self, path: &RelPath) {
        // What begins with `path/` stands together in the order of bytes.
        let from = self.0.range(path.join(b"")..).map(|(p, _)| p);
        let within: Vec<RelPath> = from.take_while(|p| p.is_within(path)).cloned().collect();
        for path in within {
            self.0.remove(&path);
        }
    }
}

impl FromIterator<(RelPath, bool)> for Folders {
    fn from_iter<I: IntoIterator<Item = (RelPath, bool)>>(folders: I) -> Folders {
        let mut all = Folders::new();
        folders.into_iter().for_each(|(path, below)| all.add(path, below));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::{Excludes, Folders, RelPath};
    use proptest::prelude::*;

    fn at(path: &str) -> RelPath {
        RelPath::new(path).unwrap()
    }

    #[test]
    fn a_whole_folder_stands_for_everything_below_it() {
        let mut folders: Folders =
            [(at("a/b"), false), (at("a-b"), false), (at("a/c/d"), true)].into_iter().collect();
        folders.add(at("a"), true);
        assert_eq!(folders.len(), 2);
        folders.add(at("a/b/c"), true);
        assert_eq!(folders.len(), 2);
        assert!(folders.covers(&at("a/x"), true) && !folders.covers(&at("a-b"), true));
    }

    #[test]
    fn what_is_left_out_on_the_way_is_not_looked_at() {
        let excludes = Excludes::new(["cache", "/top/inner"].map(|p| p.parse().unwrap()));
        let folders: Folders =
            [(at("a/cache/b"), true), (at("top/inner"), false), (at("top"), false)]
                .into_iter()
                .collect();
        let kept = folders.without(&excludes);
        assert_eq!(kept.iter().map(|(p, _)| p.clone()).collect::<Vec<_>>(), [at("top")]);
    }

    proptest! {
        #[test]
        fn whatever_was_added_is_covered(
            added in prop::collection::vec(("[ab](/[ab]){0,3}", any::<bool>()), 1..12),
        ) {
            let folders: Folders = added.iter().map(|(p, below)| (at(p), *below)).collect();
            for (path, below) in &added {
                prop_assert!(folders.covers(&at(path), *below));
            }
            for (path, _) in folders.iter() {
                let wholes = folders.iter().filter(|(p, below)| *below && *p != path);
                prop_assert!(wholes.into_iter().all(|(p, _)| !path.is_within(p)));
            }
        }
    }
}
