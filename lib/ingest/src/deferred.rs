//! What is deferred: files of a source whose content is only in the cloud, from the state alone.

use jiff::Timestamp;
use model::cloud::CloudId;
use model::device::Device;
use model::emit::{Emit, emit};
use model::event::Payload;
use model::problem::Problem;
use model::relpath::RelPath;
use serde::{Deserialize, Serialize};
use store::manifest::{Manifest, PlaceholderRow};
use store::state::State;

use crate::known::MANIFEST;

/// `phc.ingest.file.deferred`: a file, or a whole folder, whose content is only in the cloud.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FileDeferred {
    /// The cloud.
    pub cloud: String,
    /// The path below the source root.
    pub path: RelPath,
    /// True for a folder whose entries are not there.
    pub folder: bool,
    /// The content's size in bytes; null where the client does not tell.
    pub size: Option<u64>,
    /// Its modification time in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When it was first seen so.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// True if a former version of it is stored.
    pub stale: bool,
    /// True if `phc-ingest run --hydrate` can bring it in; else only its client can.
    pub hydratable: bool,
    /// How often that has failed.
    pub tries: u64,
}

impl Payload for FileDeferred {
    const NOUN_VERB: &'static str = "file.deferred";

    fn subject(&self) -> Option<String> {
        self.path.text().as_str().map(str::to_owned)
    }
}

/// Tells what is deferred of a cloud, what waited longest first; returns how many that are.
///
/// # Errors
/// When the state can't be read.
pub fn tell(
    state: &State,
    device: &Device,
    cloud: &CloudId,
    to: &mut dyn Emit,
) -> Result<u64, Problem> {
    let path = state.of_cloud(device, cloud)?.join(MANIFEST);
    let Some(manifest) = Manifest::look(&path)? else { return Ok(0) };
    let mut count = 0;
    manifest.reader()?.each_placeholder(&mut |folder, row| {
        emit(to, &told(cloud, &folder, row));
        count += 1;
        true
    })?;
    Ok(count)
}

fn told(cloud: &CloudId, folder: &RelPath, row: PlaceholderRow) -> FileDeferred {
    FileDeferred {
        cloud: cloud.to_string(),
        path: folder.join(&row.name),
        folder: row.what.is_folder,
        size: row.what.size,
        mtime_ns: row.what.mtime_ns,
        since: Timestamp::from_millisecond(row.since_ms).unwrap_or_default(),
        stale: row.is_stale,
        hydratable: row.what.opens,
        tries: row.tries,
    }
}
