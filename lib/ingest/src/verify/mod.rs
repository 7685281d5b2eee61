//! Verifying: every copy is read again and held against the digest that was kept of it.
//!
//! [`verify`] reads all of them, or a sample; [`rolling`] reads each once within a period.
//! What is damaged or missing is mended where that is possible, and told either way.

mod keep;
mod mend;
mod pace;
mod rolling;
mod source;
mod state;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use host::clock::Clock;
use host::error::Meaning;
use host::stop::Stop;
use host::{Dir, Kind};
use model::cloud::CloudId;
use model::config::{AttributeName, Share};
use model::device::Device;
use model::emit::{Emit, Progress};
use model::event::Payload;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use model::run::RunId;
use serde::{Deserialize, Serialize};
use store::catalog::Catalog;
use store::manifest::{Manifest, Opened, Reader, Record, RowKind};
use store::names::Mapped;
use store::space::SpaceRoot;
use store::{device, layout};

use crate::known::MANIFEST;
use crate::{parallel, rebuild};

pub use keep::{By, kept};
use mend::{Mender, leave};
pub use rolling::{Rolled, rolling};

pub(crate) use mend::{has_facts_of, rot};
use state::{Bad, State, state_of};

/// What is verified.
#[derive(Debug)]
pub struct Verify<'a> {
    /// Whose copies.
    pub device: &'a Device,
    /// Of which cloud.
    pub cloud: &'a CloudId,
    /// How many of the files are read; chosen anew by each `seed`.
    pub sample: Share,
    /// Chooses the sample.
    pub seed: u64,
    /// The device's own knowledge; `None` to hold the copies against the catalog.
    pub own: Option<Own<'a>>,
    /// The space.
    pub space: &'a SpaceRoot,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Asked to stop.
    pub stop: &'a Stop,
}

/// What only the device itself has: the manifest, and leave to mend.
#[derive(Debug)]
pub struct Own<'a> {
    /// The cloud's folder in the state.
    pub folder: &'a Path,
    /// True if damaged and missing copies are to be mended.
    pub mend: bool,
    /// True if the source is read as well: content may rot under unchanged facts.
    pub sources: bool,
    /// Extended attributes that copies carry.
    pub keep_xattrs: &'a [AttributeName],
    /// The run's id.
    pub run: RunId,
}

/// `phc.ingest.copies.verified`: what came of verifying one cloud's copies.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Verified {
    /// The device, `HOST/USER`.
    pub device: String,
    /// The cloud.
    pub cloud: String,
    /// `manifest` or `catalog`: what the copies were held against.
    pub against: String,
    /// Copies that were read.
    pub checked: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Copies left out by the sample.
    pub left_out: u64,
    /// Copies whose content is not what was kept, and that could not be mended.
    pub damaged: u64,
    /// Copies that are not there, and could not be mended.
    pub missing: u64,
    /// Copies that were damaged or missing and were made again.
    pub repaired: u64,
    /// Of the damaged and missing ones, those whose source the next run reads again.
    pub doubted: u64,
    /// Files of the source that were read.
    pub sources: u64,
    /// Files of the source with another content under unchanged facts.
    pub source_rot: u64,
    /// Copies of which no digest is known yet.
    pub unknown: u64,
    /// Files in the copy that nothing explains.
    pub strangers: u64,
    /// False if the work was asked to stop before its end.
    pub complete: bool,
    /// How a rolling verify stands; null for any other.
    pub rolling: Option<Rolled>,
}

impl Payload for Verified {
    const NOUN_VERB: &'static str = "copies.verified";

    fn subject(&self) -> Option<String> {
        Some(format!("{}/{}", self.device, self.cloud))
    }
}

impl Verified {
    fn of(what: &Verify<'_>) -> Verified {
        Verified {
            device: what.device.to_string(),
            cloud: what.cloud.to_string(),
            complete: true,
            ..Verified::default()
        }
    }

    /// True if every copy is what was kept of it.
    pub fn is_good(&self) -> bool {
        self.damaged + self.missing + self.strangers + self.source_rot == 0
    }
}

/// Verifies one cloud's copies; each that is not as it should be is a problem.
///
/// # Errors
/// When neither manifest nor catalog can be read, or the copy can't be opened.
pub fn verify(what: &Verify<'_>, emit: &mut dyn Emit) -> Result<Verified, Problem> {
    let scratch = tempfile::tempdir().map_err(|e| {
        Problem::new(Code::StateUnusable, format!("can't make a temporary folder: {e}"))
    })?;
    let (manifest, against) = known_copies(what, scratch.path(), emit)?;
    let copy = opened(what)?;
    let mut verified = Verified { against: against.to_owned(), ..Verified::of(what) };
    let mut mender = what.own.as_ref().filter(|own| own.mend).map(|own| Mender::new(what, own));
    let source = source::Reader::open(what, &manifest)?;
    let mut folders = vec![Mapped::root()];
    while let Some(at) = folders.pop() {
        if what.stop.asked() {
            verified.complete = false;
            break;
        }
        let folder = Folder { what, manifest: &manifest, copy: copy.as_ref(), at: &at };
        folders.extend(folder.verify(mender.as_mut(), &mut verified, emit)?);
        if let Some(source) = &source {
            source.folder(&at.path, &mut verified, emit)?;
        }
    }
    Ok(verified)
}

/// The copy's root; `None` when it is missing, and every copy with it, which is just what is to be told.
fn opened(what: &Verify<'_>) -> Result<Option<Dir>, Problem> {
    match what.space.dir().beneath(&layout::cloud(what.device, what.cloud)) {
        Ok(copy) => Ok(Some(copy)),
        Err(e) if e.meaning() == Meaning::Missing => Ok(None),
        Err(e) => Err(device::away(e)),
    }
}

fn nothing(what: &Verify<'_>) -> Problem {
    let text = format!("nothing was ever stored of {} of {}", what.cloud, what.device);
    Problem::new(Code::NotFound, text)
}

/// What is known of the copies: the device's manifest, or a scratch one filled from the catalog.
fn known_copies(
    what: &Verify<'_>,
    scratch: &std::path::Path,
    emit: &mut dyn Emit,
) -> Result<(Manifest, &'static str), Problem> {
    if let Some(own) = &what.own
        && let Some(manifest) = Manifest::look(&own.folder.join(MANIFEST))?
    {
        return Ok((manifest, "manifest"));
    }
    let catalog = Catalog::look(what.space, what.device, what.cloud).map_err(device::away)?;
    let catalog = catalog.ok_or_else(|| nothing(what))?;
    let mut manifest = match Manifest::open(&scratch.join("catalog.sqlite"))? {
        Opened::Fresh(manifest) | Opened::Existing(manifest) => manifest,
    };
    for problem in rebuild::fill(&mut manifest, Some(&catalog), None)? {
        emit.problem(problem);
    }
    Ok((manifest, "catalog"))
}

/// One folder and what is known of it.
struct Folder<'a> {
    what: &'a Verify<'a>,
    manifest: &'a Manifest,
    copy: Option<&'a Dir>,
    at: &'a Mapped,
}

impl Folder<'_> {
    /// Verifies its copies; returns the folders below it.
    fn verify(
        &self,
        mender: Option<&mut Mender<'_>>,
        verified: &mut Verified,
        emit: &mut dyn Emit,
    ) -> Result<Vec<Mapped>, Problem> {
        let reader = self.manifest.reader()?;
        let row = reader.folder_id(&self.at.path)?;
        let rows = match row {
            Some(id) => reader.records_of(id)?,
            None => Vec::new(),
        };
        let has_copy = |(_, record): &&(Vec<u8>, Record)| {
            record.kind == RowKind::File && record.copy_mtime_ns.is_some()
        };
        let expected: Vec<&(Vec<u8>, Record)> = rows.iter().filter(has_copy).collect();
        let dir = self.copy.and_then(|copy| copy.beneath(self.at.copy()).ok());
        let checked = check(self.what, dir.as_ref(), &expected, &self.at.path)?;
        let mut found = Vec::new();
        for (item, state) in expected.iter().zip(&checked) {
            count(state, &item.1, verified);
            found.extend(bad(&reader, row, self.at, item, state)?);
        }
        match mender.filter(|_| !found.is_empty()) {
            Some(mender) => mender.mend(&found, verified, emit)?,
            None => found.iter().for_each(|bad| leave(bad, bad.problem(), verified, emit)),
        }
        emit.progress(&Progress {
            doing: "verifying",
            files: verified.checked,
            bytes: verified.bytes,
            ..Progress::default()
        });
        self.below(&reader, row, dir.as_ref(), &expected, verified, emit)
    }

    /// The folders below, by their rows and as they are; files that nothing explains are told.
    fn below(
        &self,
        reader: &Reader,
        row: Option<i64>,
        dir: Option<&Dir>,
        expected: &[&(Vec<u8>, Record)],
        verified: &mut Verified,
        emit: &mut dyn Emit,
    ) -> Result<Vec<Mapped>, Problem> {
        let names: HashSet<&[u8]> =
            expected.iter().map(|(name, record)| record.copy_name(name)).collect();
        let known = |name: &[u8]| names.contains(name);
        let mut below: BTreeMap<Box<[u8]>, Mapped> = BTreeMap::new();
        for row in row.map_or(Ok(Vec::new()), |id| reader.folders(id))? {
            let mapped = self.at.join(&row.name, row.copy_name.as_deref());
            below.insert(row.copy_name().into(), mapped);
        }
        if let Some(dir) = dir {
            for name in strangers(self.manifest, dir, self.at, &known, verified, emit)? {
                let mapped = self.at.join(&name, None);
                below.entry(name).or_insert(mapped);
            }
        }
        Ok(below.into_values().collect())
    }
}

fn check(
    what: &Verify<'_>,
    dir: Option<&Dir>,
    expected: &[&(Vec<u8>, Record)],
    path: &RelPath,
) -> Result<Vec<State>, Problem> {
    let one = |(): &mut (), item: &&(Vec<u8>, Record)| {
        let (name, record) = item;
        if !in_sample(what, path, name) {
            return Ok(State::LeftOut);
        }
        Ok(state_of(
            dir,
            record.copy_name(name),
            record.size,
            record.digest,
            what.stop,
            &mut |_| (),
        ))
    };
    parallel::each(expected, parallel::threads(false), || Ok(()), one, &mut || {})
}

fn in_sample(what: &Verify<'_>, path: &RelPath, name: &[u8]) -> bool {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&what.seed.to_le_bytes()).update(path.as_bytes()).update(b"/").update(name);
    let mut draw = [0; 4];
    hasher.finalize_xof().fill(&mut draw);
    !what.sample.exceeded_by(u64::from(u32::from_le_bytes(draw)), u64::from(u32::MAX))
}

/// What is bad, unless a run replaced it just while it was read.
fn bad(
    reader: &Reader,
    row: Option<i64>,
    folder: &Mapped,
    (name, record): &(Vec<u8>, Record),
    state: &State,
) -> Result<Option<Bad>, Problem> {
    if !matches!(state, State::Missing | State::Damaged(_)) {
        return Ok(None);
    }
    let now = match row {
        Some(id) => reader.record(id, name)?,
        None => None,
    };
    let is_as_it_was =
        now.is_some_and(|now| now.digest == record.digest && now.live == record.live);
    let bad = Bad {
        folder: folder.clone(),
        name: name.clone(),
        record: record.clone(),
        state: state.clone(),
    };
    Ok(is_as_it_was.then_some(bad))
}

fn count(state: &State, record: &Record, verified: &mut Verified) {
    match state {
        State::Good(_) => {
            verified.checked += 1;
            verified.bytes += record.size;
        }
        State::LeftOut => verified.left_out += 1,
        State::Unknown => verified.unknown += 1,
        State::Missing | State::Damaged(_) => verified.checked += 1,
        State::Stopped => verified.complete = false,
    }
}

/// Files that nothing explains; returns the names of the folders that are really there.
fn strangers(
    manifest: &Manifest,
    dir: &Dir,
    at: &Mapped,
    known: &dyn Fn(&[u8]) -> bool,
    verified: &mut Verified,
    emit: &mut dyn Emit,
) -> Result<Vec<Box<[u8]>>, Problem> {
    let at_work: Vec<String> =
        manifest.inflight()?.iter().map(|(run, _)| crate::apply::temporary_prefix(run)).collect();
    let mut folders = Vec::new();
    for entry in dir.entries().map_err(device::away)? {
        let kind = entry.kind.or_else(|| dir.facts(&entry.name).ok().map(|f| f.kind));
        if kind == Some(Kind::Folder) {
            folders.push(entry.name);
        } else if !known(&entry.name)
            && !at_work.iter().any(|prefix| entry.name.starts_with(prefix.as_bytes()))
        {
            verified.strangers += 1;
            let what = "a file in the copy is explained by nothing";
            emit.problem(
                Problem::new(Code::CopyStranger, what).at(at
                    .copy()
                    .join(&entry.name)
                    .text()
                    .clone()),
            );
        }
    }
    Ok(folders)
}
