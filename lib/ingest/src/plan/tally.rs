//! What a plan amounts to, counted while it is made.

use model::relpath::RelPath;
use store::approvals::EntryDigest;

use super::{FolderPlan, Item, Todo};

/// What a plan amounts to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Files to store for the first time.
    pub stores: u64,
    /// Their bytes.
    pub store_bytes: u64,
    /// Files whose content decides, or is known to differ.
    pub rewrites: u64,
    /// Bytes of the versions that they would replace.
    pub rewrite_bytes: u64,
    /// Bytes of their new content.
    pub rewrite_source_bytes: u64,
    /// Files that left.
    pub gone: u64,
    /// Their bytes.
    pub gone_bytes: u64,
    /// Files to store that have several names.
    pub with_links: u64,
    /// Further names of files.
    pub links: u64,
    /// Files that are what another path was.
    pub renames: u64,
    /// Copies that must leave their names.
    pub give_way: u64,
    /// All entries with anything to do.
    pub items: u64,
    /// Folders that are new, or gone, or whose row is to be written.
    pub folders: u64,
    /// News of placeholders.
    pub deferrals: u64,
}

impl Tally {
    /// Adds one part of a plan.
    pub fn add(&mut self, plan: &FolderPlan) {
        self.folders += u64::from(plan.facts.is_some() || plan.is_gone);
        self.deferrals += plan.deferrals.len() as u64;
        for item in &plan.items {
            self.add_item(item);
        }
    }

    fn add_item(&mut self, item: &Item) {
        self.items += 1;
        match &item.todo {
            Todo::Store => {
                self.with_links += u64::from(item.links > 1);
                self.stores += 1;
                self.store_bytes += item.size;
            }
            Todo::Compare { was } | Todo::Replace { was } => {
                self.rewrites += 1;
                self.rewrite_bytes += was.size;
                self.rewrite_source_bytes += item.size;
            }
            Todo::Gone { is_file, gives_way, .. } => {
                self.gone += u64::from(*is_file);
                self.gone_bytes += if *is_file { item.size } else { 0 };
                self.give_way += u64::from(*gives_way);
            }
            Todo::MakeWay => self.give_way += 1,
            Todo::Link { .. } => self.links += 1,
            Todo::Rename { .. } => self.renames += 1,
            Todo::Touch { .. } | Todo::Symlink => {}
        }
    }

    /// Adds what another part amounts to.
    pub fn merge(&mut self, other: &Tally) {
        self.stores += other.stores;
        self.store_bytes += other.store_bytes;
        self.rewrites += other.rewrites;
        self.rewrite_bytes += other.rewrite_bytes;
        self.rewrite_source_bytes += other.rewrite_source_bytes;
        self.gone += other.gone;
        self.gone_bytes += other.gone_bytes;
        self.with_links += other.with_links;
        self.links += other.links;
        self.renames += other.renames;
        self.give_way += other.give_way;
        self.items += other.items;
        self.folders += other.folders;
        self.deferrals += other.deferrals;
    }

    /// True if there is nothing to do at all.
    pub fn is_nothing(&self) -> bool {
        self.items == 0 && self.folders == 0 && self.deferrals == 0
    }

    /// Bytes that may have to be copied.
    pub fn bytes_to_copy(&self) -> u64 {
        self.store_bytes + self.rewrite_source_bytes
    }
}

/// The digest of a destructive entry: path, what was, what is now; `None` for what destroys nothing.
///
/// A file that is gone has no new facts; a rewritten one is known by its new size and time.
pub fn entry_digest(folder: &RelPath, item: &Item) -> Option<EntryDigest> {
    let mut hasher = blake3::Hasher::new();
    let path = folder.join(&item.name);
    hasher.update(&(path.as_bytes().len() as u64).to_le_bytes()).update(path.as_bytes());
    match &item.todo {
        Todo::Gone { digest, is_file: true, .. } => {
            hasher.update(b"gone").update(&digest.unwrap_or_default());
        }
        Todo::Compare { was } | Todo::Replace { was } => {
            hasher.update(b"rewritten").update(&was.digest.unwrap_or_default());
            hasher.update(&item.size.to_le_bytes()).update(&item.mtime_ns.to_le_bytes());
        }
        _ => return None,
    }
    let mut short = EntryDigest::default();
    hasher.finalize_xof().fill(&mut short);
    Some(short)
}
