//! What `phc-ingest` tells: its events and totals.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Payload;
use crate::relpath::RelPath;
use crate::text::Text;

/// The tool's name in event types and sources.
pub const TOOL: &str = "ingest";

/// A run's figures, counted while it worked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Totals {
    /// True if only folders in doubt were looked at: what was found is counted in those alone.
    #[serde(default)]
    pub partial: bool,
    /// Regular files found in the source.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Folders found in the source, the root included.
    pub folders: u64,
    /// Files whose facts had not changed.
    pub unchanged: u64,
    /// Files stored for the first time.
    pub stored: u64,
    /// Files stored anew over a former version.
    pub replaced: u64,
    /// Bytes copied into the space.
    pub bytes_stored: u64,
    /// Files whose equal copy was already there.
    pub adopted: u64,
    /// Files renamed in the space instead of copied.
    pub renamed: u64,
    /// Files whose facts changed but whose content did not.
    pub touched: u64,
    /// Further names of a file that was already read.
    pub hard_links: u64,
    /// Files that left the source; their copies stay.
    pub gone: u64,
    /// Links in the source: recorded, not followed.
    pub symlinks: u64,
    /// Sockets, FIFOs and devices in the source: counted, not opened.
    pub specials: u64,
    /// Mount points below the source: not entered.
    pub mount_points: u64,
    /// Names left out by the configured excludes.
    pub excluded: u64,
    /// Files and folders that could not be read or stored; each was reported.
    pub failed: u64,
    /// Former versions moved to `_trash`.
    pub trashed: u64,
    /// Copies that were damaged or missing and were stored again.
    #[serde(default)]
    pub repaired: u64,
    /// Files of an inbox that may still be written; the next run looks again.
    #[serde(default)]
    pub unsettled: u64,
    /// Files that were removed from an inbox, proven to be in the space.
    #[serde(default)]
    pub consumed: u64,
    /// Bytes that were stored and share their blocks with an equal copy.
    #[serde(default)]
    pub bytes_shared: u64,
    /// Files whose content is only in the cloud; those of a stored version count as unchanged, too.
    #[serde(default)]
    pub placeholders: u64,
    /// Of them, those of which no copy, or only a former version's, is stored.
    #[serde(default)]
    pub deferred: u64,
    /// Bytes of the deferred files, as far as their clients tell.
    #[serde(default)]
    pub deferred_bytes: u64,
    /// Deferred files whose size their client does not tell.
    #[serde(default)]
    pub deferred_unsized: u64,
    /// Folders whose entries are only in the cloud.
    #[serde(default)]
    pub deferred_folders: u64,
    /// Files that a run brought in from the cloud; they are no longer deferred.
    #[serde(default)]
    pub hydrated: u64,
    /// Bytes that were asked for so, also in vain.
    #[serde(default)]
    pub hydrated_bytes: u64,
    /// Files that stand for a document of Google's, copied as they are.
    #[serde(default)]
    pub pointers: u64,
    /// Changes that a watch had heard nothing of; null where nobody watched.
    #[serde(default)]
    pub missed: Option<u64>,
}

/// What would be done, or was done, with one path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Stored for the first time.
    Store,
    /// Stored anew over a former version.
    Replace,
    /// Facts changed; content is to be compared.
    Compare,
    /// Facts changed and content did not: only the manifest is written.
    Touch,
    /// Renamed in the space.
    Rename,
    /// Left the source; becomes a tombstone.
    Gone,
    /// A further name of a file that is stored already.
    Link,
    /// A symbolic link, recorded.
    Symlink,
    /// A folder, made.
    Folder,
    /// Its content is only in the cloud: it waits.
    Defer,
}

/// `phc.ingest.file.planned`: one line of a plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FilePlanned {
    /// The cloud.
    pub cloud: String,
    /// The path below the source root.
    pub path: RelPath,
    /// What would be done.
    pub action: Action,
    /// Size in bytes; null for what has none.
    pub size: Option<u64>,
    /// The former path of a rename.
    pub from: Option<RelPath>,
}

impl Payload for FilePlanned {
    const NOUN_VERB: &'static str = "file.planned";

    fn subject(&self) -> Option<String> {
        path_subject(&self.path)
    }
}

/// The state of one file as the catalog and per-file events tell it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FileRecord {
    /// The path below the source root.
    pub path: RelPath,
    /// What it is.
    pub kind: RecordKind,
    /// False once it left the source (a tombstone).
    pub live: bool,
    /// Size in bytes; null for what has none.
    pub size: Option<u64>,
    /// Modification time in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// BLAKE3 digest in hexadecimal; null for links and folders.
    pub digest: Option<String>,
    /// Permission bits of the source.
    pub mode: Option<u32>,
    /// Owner of the source.
    pub uid: Option<u32>,
    /// Group of the source.
    pub gid: Option<u32>,
    /// A link's target.
    pub target: Option<Text>,
    /// The copy's modification time in nanoseconds, where it differs from `mtime_ns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_mtime_ns: Option<i64>,
    /// True for a tombstone whose copy lies in `_trash`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trashed: bool,
    /// Where the copy lies below the cloud's folder, where that is not `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<RelPath>,
    /// Extended attributes of the source, base64 by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xattrs: Option<std::collections::BTreeMap<String, String>>,
}

impl FileRecord {
    /// A record of which only the path is known.
    pub fn bare(path: RelPath, kind: RecordKind, live: bool) -> FileRecord {
        FileRecord {
            path,
            kind,
            live,
            size: None,
            mtime_ns: 0,
            digest: None,
            mode: None,
            uid: None,
            gid: None,
            target: None,
            copy_mtime_ns: None,
            trashed: false,
            copy: None,
            xattrs: None,
        }
    }
}

/// What a record stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// A regular file.
    File,
    /// A symbolic link; only its target is kept.
    Symlink,
    /// A folder.
    Folder,
}

/// One file's news, with the cloud it belongs to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FileNews {
    /// The cloud.
    pub cloud: String,
    /// What is now known of the file.
    #[serde(flatten)]
    pub file: FileRecord,
    /// What was done.
    pub change: Change,
    /// The former path of a rename.
    #[serde(default)]
    pub from: Option<RelPath>,
    /// The version that was put away for this one, as it was known; left out where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Box<FileRecord>>,
}

/// What was done with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Stored for the first time.
    Stored,
    /// Stored anew over a former version.
    Replaced,
    /// An equal copy was there already.
    Adopted,
    /// Renamed in the space.
    Renamed,
    /// A further name of a stored file.
    Linked,
    /// Only its facts changed.
    Touched,
    /// It left the source.
    Gone,
    /// Its copy was damaged or missing, and is what it was again.
    Repaired,
}

/// `phc.ingest.file.stored`: a file is in the space, durably.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct FileStored(pub FileNews);

impl Payload for FileStored {
    const NOUN_VERB: &'static str = "file.stored";

    fn subject(&self) -> Option<String> {
        path_subject(&self.0.file.path)
    }
}

/// `phc.ingest.file.gone`: a file left the source; its copy stays.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct FileGone(pub FileNews);

impl Payload for FileGone {
    const NOUN_VERB: &'static str = "file.gone";

    fn subject(&self) -> Option<String> {
        path_subject(&self.0.file.path)
    }
}

/// `phc.ingest.batch.stored`: an increment of the catalog was published.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BatchStored {
    /// The cloud.
    pub cloud: String,
    /// The increment's id; its file is `_catalog/<cloud>/<increment>.jsonl`.
    pub increment: Uuid,
    /// Lines in it.
    pub count: u64,
    /// Bytes of the files in it.
    pub bytes: u64,
    /// BLAKE3 digest of the increment's file, in hexadecimal.
    pub digest: String,
}

impl Payload for BatchStored {
    const NOUN_VERB: &'static str = "batch.stored";

    fn subject(&self) -> Option<String> {
        Some(format!("{}/{}", self.cloud, self.increment))
    }
}

fn path_subject(path: &RelPath) -> Option<String> {
    path.text().as_str().map(str::to_owned)
}
