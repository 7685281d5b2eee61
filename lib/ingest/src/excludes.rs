//! What is left out of a cloud.

use model::config::Exclude;
use model::relpath::RelPath;

/// The excludes of one cloud, sorted so that the common ones cost little.
#[derive(Clone, Debug, Default)]
pub struct Excludes {
    base_names: Vec<Exclude>,
    anchored: Vec<Exclude>,
}

impl Excludes {
    /// Sorts the configured patterns.
    pub fn new(patterns: impl IntoIterator<Item = Exclude>) -> Excludes {
        let (anchored, base_names) =
            patterns.into_iter().partition(|p: &Exclude| p.as_str().starts_with('/'));
        Excludes { base_names, anchored }
    }

    /// True if this name in this folder is left out.
    pub fn leave_out(&self, folder: &RelPath, name: &[u8]) -> bool {
        self.base_names.iter().any(|p| p.matches_name(name))
            || (!self.anchored.is_empty() && {
                let path = folder.join(name);
                self.anchored.iter().any(|p| p.matches(&path))
            })
    }

    /// True if this path, or a folder on the way to it, is left out.
    pub fn leave_out_on_the_way(&self, path: &RelPath) -> bool {
        let mut folder = RelPath::root();
        path.names().any(|name| {
            let out = self.leave_out(&folder, name);
            folder = folder.join(name);
            out
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Excludes, RelPath};

    #[test]
    fn base_names_count_everywhere_and_anchored_paths_once() {
        let excludes = Excludes::new(["~$*", "/space"].map(|p| p.parse().unwrap()));
        let deep = RelPath::new("projects").unwrap();
        assert!(excludes.leave_out(&deep, b"~$letter.docx"));
        assert!(excludes.leave_out(&RelPath::root(), b"space"));
        assert!(!excludes.leave_out(&deep, b"space"));
    }
}
