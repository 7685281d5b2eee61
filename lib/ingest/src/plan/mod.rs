//! The plan: what would be done, folder by folder, kept in a log so that a plan of a
//! million files takes no memory.

mod log;
mod refine;
mod rename;
mod tally;

pub use log::{PlanLog, Plans};
pub use refine::{Reading, refine};
pub use tally::{Tally, entry_digest};

use host::Facts;
use model::ingest::Action;
use model::relpath::RelPath;
use serde::{Deserialize, Serialize};
use store::manifest::{Placeholder, Record, RowKind};
use store::names::Mapped;

/// What is to be done in one folder, or in a part of a large one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FolderPlan {
    /// The folder.
    pub path: RelPath,
    /// Where its copy lies, if that is another path.
    pub copy: Option<RelPath>,
    /// Its facts, when its row is to be written.
    pub facts: Option<FolderFacts>,
    /// True if it is new, back again, or has other permission bits.
    pub is_new: bool,
    /// True if it left the source.
    pub is_gone: bool,
    /// What is to be done with its entries, in the order of their names.
    pub items: Vec<Item>,
    /// What becomes known of its placeholders, and of those that are none any more.
    pub deferrals: Vec<Deferral>,
}

/// What becomes known of a placeholder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deferral {
    /// The name that it stands for, in its folder.
    pub name: Vec<u8>,
    /// What it is; `None` once it is captured, or gone.
    pub what: Option<Placeholder>,
}

impl FolderPlan {
    /// The folder, in the source and in the copy.
    pub fn mapped(&self) -> Mapped {
        Mapped { path: self.path.clone(), copy: self.copy.clone() }
    }

    /// Where its copy lies.
    pub fn copy(&self) -> &RelPath {
        self.copy.as_ref().unwrap_or(&self.path)
    }
}

/// The facts of a folder that are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FolderFacts {
    /// Modification time, ns.
    pub mtime_ns: i64,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// One entry and what is to be done with it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// The name in its folder.
    pub name: Vec<u8>,
    /// The name of its copy, if that is another one.
    pub copy_name: Option<Vec<u8>>,
    /// Size in bytes: the source's, or the copy's of what is gone.
    pub size: u64,
    /// Bytes that a copy takes: less than the size where there are holes.
    pub allocated: u64,
    /// Modification time, ns.
    pub mtime_ns: i64,
    /// Change time, ns.
    pub ctime_ns: Option<i64>,
    /// Inode or file id.
    pub file_id: u64,
    /// Birth time, ns.
    pub btime_ns: Option<i64>,
    /// Names that the file has.
    pub links: u64,
    /// What is to be done.
    pub todo: Todo,
}

/// The stored version of a file whose facts changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Was {
    /// Its size in bytes.
    pub size: u64,
    /// Its digest; `None` when nobody has read it yet.
    pub digest: Option<[u8; 32]>,
}

/// What is to be done with one entry.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Todo {
    /// Nothing live is known of this name: store it.
    Store,
    /// Its facts changed: its content decides.
    Compare {
        /// The version that it may replace.
        was: Was,
    },
    /// Its content was read and equals the copy's: only its facts are written.
    Touch {
        /// The digest of both.
        digest: [u8; 32],
    },
    /// It was read, and its content differs.
    Replace {
        /// The version that it replaces.
        was: Was,
    },
    /// It is the file that had this path before: rename the copy.
    Rename {
        /// The former path.
        from: RelPath,
    },
    /// A further name of a file of this run.
    Link {
        /// The name that is stored first.
        to: RelPath,
    },
    /// A symbolic link: record its target.
    Symlink,
    /// It left the source: becomes a tombstone.
    Gone {
        /// The copy's digest.
        digest: Option<[u8; 32]>,
        /// True if the row says more than a name: a file with a copy.
        is_file: bool,
        /// True if its row alone proves nothing of its content.
        suspect: bool,
        /// True if the copy must leave its name, which is wanted for something else.
        gives_way: bool,
    },
    /// It left the source before, and its copy must leave its name: a folder has that now.
    MakeWay,
}

impl FolderPlan {
    /// A plan that says nothing yet.
    pub fn of(at: &Mapped) -> FolderPlan {
        let Mapped { path, copy } = at.clone();
        let (items, deferrals) = (Vec::new(), Vec::new());
        FolderPlan { path, copy, facts: None, is_new: false, is_gone: false, items, deferrals }
    }

    /// True if there is anything to do.
    pub fn has_anything(&self) -> bool {
        self.facts.is_some()
            || self.is_gone
            || !(self.items.is_empty() && self.deferrals.is_empty())
    }
}

impl Item {
    /// An entry that is there.
    pub fn of(name: &[u8], facts: &Facts, todo: Todo) -> Item {
        Item {
            name: name.to_owned(),
            copy_name: None,
            size: facts.size,
            allocated: if facts.is_sparse() { facts.allocated } else { facts.size },
            mtime_ns: facts.mtime_ns,
            ctime_ns: facts.ctime_ns,
            file_id: facts.file_id,
            btime_ns: facts.btime_ns,
            links: facts.links,
            todo,
        }
    }

    /// An entry that is not there any more.
    pub fn gone(name: &[u8], record: &Record) -> Item {
        Item {
            name: name.to_owned(),
            copy_name: record.copy_name.clone(),
            size: record.size,
            allocated: 0,
            mtime_ns: record.mtime_ns,
            ctime_ns: record.ctime_ns,
            file_id: record.file_id,
            btime_ns: record.btime_ns,
            links: 1,
            todo: Todo::Gone {
                digest: record.digest,
                is_file: record.kind == RowKind::File,
                suspect: record.suspect,
                gives_way: false,
            },
        }
    }

    /// A tombstone whose copy must leave its name.
    pub fn in_the_way(name: &[u8], record: &Record) -> Item {
        Item { todo: Todo::MakeWay, ..Item::gone(name, record) }
    }

    /// The name of its copy.
    pub fn copy_name(&self) -> &[u8] {
        self.copy_name.as_deref().unwrap_or(&self.name)
    }

    /// True if a file still has the facts that were planned with.
    pub fn still_is(&self, facts: &Facts) -> bool {
        facts.size == self.size
            && facts.mtime_ns == self.mtime_ns
            && facts.ctime_ns == self.ctime_ns
            && facts.file_id == self.file_id
    }

    /// Says that the copy of this gone file must leave its name.
    pub fn give_way(&mut self) {
        if let Todo::Gone { gives_way, .. } = &mut self.todo {
            *gives_way = true;
        }
    }

    /// The path that a rename or a further name comes from.
    pub fn from(&self) -> Option<&RelPath> {
        match &self.todo {
            Todo::Rename { from } => Some(from),
            Todo::Link { to } => Some(to),
            _ => None,
        }
    }

    /// What a printed plan says of it.
    pub fn action(&self) -> Action {
        match self.todo {
            Todo::Store => Action::Store,
            Todo::Compare { .. } => Action::Compare,
            Todo::Touch { .. } => Action::Touch,
            Todo::Replace { .. } => Action::Replace,
            Todo::Rename { .. } => Action::Rename,
            Todo::Link { .. } => Action::Link,
            Todo::Symlink => Action::Symlink,
            Todo::Gone { .. } | Todo::MakeWay => Action::Gone,
        }
    }
}
