//! What is told of arrivals.

use model::event::Payload;
use model::ingest::{Change, FileNews, RecordKind};
use model::relpath::RelPath;
use serde::{Deserialize, Serialize};
use store::catalog::Increment;
use uuid::Uuid;

/// An event stays far under 64 KiB: the increment has the rest.
const BYTES_OF_FILES: usize = 32 * 1024;

/// `phc.ingest.inbox.arrived`: things arrived in an inbox, and are in the space, durably.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct InboxArrived {
    /// The inbox's name, as that of a cloud.
    pub cloud: String,
    /// The folder of the space below which they lie.
    pub root: RelPath,
    /// Files that arrived.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The first of them, as many as an event has room for.
    pub files: Vec<ArrivedFile>,
    /// The increment of the catalog that has all of them: `_catalog/<cloud>/<increment>.jsonl`.
    pub increment: Uuid,
}

/// One thing that arrived.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ArrivedFile {
    /// The path below `root`.
    pub path: RelPath,
    /// Size in bytes.
    pub size: Option<u64>,
    /// BLAKE3 digest in hexadecimal.
    pub digest: Option<String>,
}

impl Payload for InboxArrived {
    const NOUN_VERB: &'static str = "inbox.arrived";

    fn subject(&self) -> Option<String> {
        Some(self.cloud.clone())
    }
}

impl InboxArrived {
    /// What an increment tells of arrivals; `None` if nothing arrived.
    pub(crate) fn of(
        cloud: &str,
        root: &RelPath,
        increment: &Increment,
        news: &[FileNews],
    ) -> Option<InboxArrived> {
        let arrived = |n: &&FileNews| {
            let is_new = matches!(n.change, Change::Stored | Change::Adopted | Change::Replaced);
            n.file.kind == RecordKind::File && n.file.live && is_new
        };
        let mut told = InboxArrived {
            cloud: cloud.to_owned(),
            root: root.clone(),
            count: 0,
            bytes: 0,
            files: Vec::new(),
            increment: increment.id,
        };
        let mut room = BYTES_OF_FILES;
        for item in news.iter().filter(arrived) {
            told.count += 1;
            told.bytes += item.file.size.unwrap_or(0);
            // Names that are not UTF-8 are written as base64.
            let needed = item.file.path.as_bytes().len() * 2 + 160;
            if needed <= room {
                room -= needed;
                told.files.push(ArrivedFile {
                    path: item.file.path.clone(),
                    size: item.file.size,
                    digest: item.file.digest.clone(),
                });
            } else {
                room = 0;
            }
        }
        (told.count > 0).then_some(told)
    }
}
