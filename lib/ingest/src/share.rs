//! Equal content of several clouds is stored once, where the file system lets files share blocks.
//!
//! Looked for once a batch is stored and remembered, and only for large files: a small index
//! of those finds their equals, and the kernel itself compares before it shares anything.

use std::sync::{Mutex, PoisonError};

use host::{Dir, extents};
use model::cloud::CloudId;
use model::device::Device;
use model::ingest::Change;
use store::layout;
use store::manifest::{LARGE, Manifest, Reader, RowKind};
use store::names::Mapped;
use store::space::SpaceRoot;
use store::state::State;

use crate::apply::SettledPart;
use crate::{known, status};

/// Finds equals of what was stored, and lets them share.
pub(crate) struct Sharing<'a> {
    space: &'a SpaceRoot,
    state: &'a State,
    device: &'a Device,
    cloud: &'a CloudId,
    /// `None` once the file system said that it can't share.
    clouds: Mutex<Option<Vec<Equals>>>,
}

/// One cloud that may hold equals.
struct Equals {
    is_own: bool,
    reader: Reader,
    copy: Dir,
}

impl std::fmt::Debug for Sharing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sharing").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

impl<'a> Sharing<'a> {
    /// Nothing is opened before the first large file is stored.
    pub fn new(
        space: &'a SpaceRoot,
        state: &'a State,
        device: &'a Device,
        cloud: &'a CloudId,
    ) -> Sharing<'a> {
        Sharing { space, state, device, cloud, clouds: Mutex::new(Some(Vec::new())) }
    }

    /// Shares what was just stored with its equals; returns the bytes. What can't be shared is as good as before.
    pub fn after(&self, copy: &Dir, parts: &[SettledPart]) -> u64 {
        let mut clouds = self.clouds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shared = 0;
        for part in parts {
            for entry in &part.entries {
                let stored =
                    matches!(entry.change, Change::Stored | Change::Replaced | Change::Repaired);
                let record = entry.record.as_ref().filter(|_| stored);
                let record = record.filter(|r| r.kind == RowKind::File && r.size >= LARGE);
                let Some((size, digest)) = record.and_then(|r| Some((r.size, r.digest?))) else {
                    continue;
                };
                let Some(all) = clouds.as_mut() else { return shared };
                if all.is_empty() {
                    *all = self.open();
                }
                let own_name = entry.record.as_ref().and_then(|r| r.copy_name.as_deref());
                let path = part.plan.mapped().join(&entry.name, own_name);
                match one(copy, &path, size, digest, all) {
                    Ok(bytes) => shared += bytes,
                    Err(CanNot) => *clouds = None,
                }
            }
        }
        shared
    }

    fn open(&self) -> Vec<Equals> {
        let mut clouds = status::clouds(self.state, self.device).unwrap_or_default();
        clouds.push(self.cloud.clone());
        clouds.sort();
        clouds.dedup();
        let equals = |cloud: &CloudId| {
            let folder = self.state.of_cloud(self.device, cloud).ok()?;
            let manifest = Manifest::look(&folder.join(known::MANIFEST)).ok()??;
            let copy = self.space.dir().beneath(&layout::cloud(self.device, cloud)).ok()?;
            let is_own = cloud == self.cloud;
            Some(Equals { is_own, reader: manifest.reader().ok()?, copy })
        };
        clouds.iter().filter_map(equals).collect()
    }
}

/// The file system can't let files share.
struct CanNot;

fn one(
    copy: &Dir,
    path: &Mapped,
    size: u64,
    digest: [u8; 32],
    clouds: &[Equals],
) -> Result<u64, CanNot> {
    let open = |root: &Dir, path: &Mapped| {
        let (folder, name) = path.copy().split()?;
        root.beneath(&folder).ok()?.read(name).ok()
    };
    for equals in clouds {
        let paths = equals.reader.large_equals(size, digest).unwrap_or_default();
        for other in paths.iter().filter(|other| !(equals.is_own && other.path == path.path)) {
            let (Some(from), Some(to)) = (open(&equals.copy, other), open(copy, path)) else {
                continue;
            };
            let place = extents::layout(&to).ok().flatten();
            if place.is_some() && place == extents::layout(&from).ok().flatten() {
                // Further names of one file, or shared from the other side just before.
                return Ok(0);
            }
            match extents::share(&from, &to, size) {
                Ok(shared) => return Ok(shared),
                Err(e) if is_for_all(&e) => return Err(CanNot),
                // That one is not what its row says, or is on another file system: the next may do.
                Err(_) => {}
            }
        }
    }
    Ok(0)
}

/// True for what the file system says of every file: EOPNOTSUPP, ENOTTY, ENOSYS, EINVAL.
fn is_for_all(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as K;
    matches!(error.kind(), K::Unsupported | K::InvalidInput) || error.raw_os_error() == Some(25)
}
