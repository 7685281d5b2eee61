//! Duplicates: equal content across the clouds of a device and within each.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use host::{Dir, extents};
use model::cloud::CloudId;
use model::device::Device;
use model::emit::{Emit, emit as tell};
use model::event::Payload;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use serde::{Deserialize, Serialize};
use store::layout;
use store::manifest::{Equal, Gathered, Manifest, Reader};
use store::space::SpaceRoot;
use store::state::State;

use crate::{known, status};

/// Paths that are named of one content; more are only counted, since an event must stay small.
const NAMED: usize = 100;

/// `phc.ingest.content.duplicated`: a content that more than one copy has.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Duplicated {
    /// BLAKE3 digest in hexadecimal.
    pub digest: String,
    /// Size of one copy in bytes.
    pub size: u64,
    /// How many copies there are.
    pub copies: u64,
    /// Bytes that they share already.
    pub shared_bytes: u64,
    /// Bytes that they could share and do not.
    pub unshared_bytes: u64,
    /// The copies, the first hundred of them.
    pub paths: Vec<Place>,
}

/// Where a copy is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Place {
    /// The cloud.
    pub cloud: String,
    /// The path below its root.
    pub path: RelPath,
}

impl Payload for Duplicated {
    const NOUN_VERB: &'static str = "content.duplicated";

    fn subject(&self) -> Option<String> {
        Some(self.digest.clone())
    }
}

/// `phc.ingest.duplicates.counted`: all of them together.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Counted {
    /// Contents with more than one copy.
    pub contents: u64,
    /// Their copies.
    pub copies: u64,
    /// Bytes that these share already.
    pub shared_bytes: u64,
    /// Bytes that they could share and do not.
    pub unshared_bytes: u64,
    /// Size in bytes below which copies were left out.
    pub min_size: u64,
}

impl Payload for Counted {
    const NOUN_VERB: &'static str = "duplicates.counted";

    fn subject(&self) -> Option<String> {
        None
    }
}

/// Tells every content that more than one copy has, the largest first.
///
/// # Errors
/// When a manifest can't be read.
pub fn duplicates(
    state: &State,
    device: &Device,
    space: &SpaceRoot,
    min_size: u64,
    emit: &mut dyn Emit,
) -> Result<Counted, Problem> {
    let scratch = tempfile::tempdir().map_err(|e| {
        Problem::new(Code::StateUnusable, format!("can't make a temporary folder: {e}"))
    })?;
    let mut gathered = Gathered::new(&scratch.path().join("copies.sqlite"))?;
    let mut clouds = Vec::new();
    for cloud in status::clouds(state, device)? {
        let path = state.of_cloud(device, &cloud)?.join(known::MANIFEST);
        let Some(manifest) = Manifest::look(&path)? else { continue };
        gathered.add(&manifest, min_size.max(1))?;
        let copy = space.dir().beneath(&layout::cloud(device, &cloud)).ok();
        clouds.push(Cloud { id: cloud, reader: manifest.reader()?, copy });
    }
    let mut all = All {
        clouds: &clouds,
        counted: Counted { min_size, ..Counted::default() },
        of: Duplicated::default(),
        places: HashSet::new(),
        emit,
    };
    gathered.each(&mut |equal| all.take(&equal))?;
    all.told();
    let counted = all.counted;
    tell(emit, &counted);
    Ok(counted)
}

struct Cloud {
    id: CloudId,
    reader: Reader,
    copy: Option<Dir>,
}

struct All<'a> {
    clouds: &'a [Cloud],
    counted: Counted,
    /// The content at hand.
    of: Duplicated,
    /// Where its copies lie on the disk, each place once.
    places: HashSet<extents::Layout>,
    emit: &'a mut dyn Emit,
}

impl All<'_> {
    fn take(&mut self, equal: &Equal) {
        let digest = HEXLOWER.encode(&equal.digest);
        if digest != self.of.digest {
            self.told();
            self.of = Duplicated { digest, size: equal.size, ..Duplicated::default() };
            self.places.clear();
        }
        let Some(cloud) = self.clouds.get(equal.of) else { return };
        let folder = cloud.reader.folder_path(equal.folder).unwrap_or_default();
        let mapped = folder.join(&equal.name, equal.copy_name.as_deref());
        let file = cloud
            .copy
            .as_ref()
            .zip(mapped.copy().split())
            .and_then(|(root, (dir, name))| root.beneath(&dir).ok()?.read(name).ok());
        let place = file.and_then(|file| extents::layout(&file).ok().flatten());
        let is_first = self.of.copies == 0;
        // What has no place that can be told shares nothing, as far as anybody knows.
        let is_shared = place.is_some_and(|place| !self.places.insert(place));
        self.of.copies += 1;
        match (is_first, is_shared) {
            (true, _) => {}
            (false, true) => self.of.shared_bytes += equal.size,
            (false, false) => self.of.unshared_bytes += equal.size,
        }
        if self.of.paths.len() < NAMED {
            self.of.paths.push(Place { cloud: cloud.id.to_string(), path: mapped.path });
        }
    }

    fn told(&mut self) {
        if self.of.copies == 0 {
            return;
        }
        self.counted.contents += 1;
        self.counted.copies += self.of.copies;
        self.counted.shared_bytes += self.of.shared_bytes;
        self.counted.unshared_bytes += self.of.unshared_bytes;
        // Long paths: an event has at most 64 KiB.
        let mut room: usize = 40_000;
        self.of.paths.retain(|place| {
            let length = place.path.as_bytes().len() * 2 + 100;
            let fits = room >= length;
            room = room.saturating_sub(length);
            fits
        });
        tell(self.emit, &self.of);
    }
}
