//! A path of the source and where its copy lies.

use model::relpath::RelPath;

/// A path below the source root and where its copy lies below the cloud's folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Mapped {
    /// The path in the source.
    pub path: RelPath,
    /// The path in the copy; `None` if it is the same.
    pub copy: Option<RelPath>,
}

impl Mapped {
    /// The root, which lies where it is on both sides.
    pub fn root() -> Mapped {
        Mapped::default()
    }

    /// A path whose copy has the same one.
    pub fn same(path: RelPath) -> Mapped {
        Mapped { path, copy: None }
    }

    /// Where the copy lies.
    pub fn copy(&self) -> &RelPath {
        self.copy.as_ref().unwrap_or(&self.path)
    }

    /// An entry of this folder, whose copy may have a name of its own.
    pub fn join(&self, name: &[u8], copy_name: Option<&[u8]>) -> Mapped {
        let path = self.path.join(name);
        let copy = (self.copy.is_some() || copy_name.is_some())
            .then(|| self.copy().join(copy_name.unwrap_or(name)));
        Mapped { path, copy }
    }
}
