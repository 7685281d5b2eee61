//! Verifying: every copy is read again and held against the digest that was kept of it.

use std::collections::HashSet;

use host::error::Meaning;
use host::stop::Stop;
use host::{Dir, Kind};
use model::cloud::CloudId;
use model::config::Share;
use model::device::Device;
use model::emit::{Emit, Progress, emit as tell};
use model::event::Payload;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use serde::{Deserialize, Serialize};
use store::catalog::Catalog;
use store::manifest::{Manifest, Opened, Reader, Record, RowKind};
use store::space::SpaceRoot;
use store::{device, layout};

use crate::{digest, parallel, rebuild};

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
    /// The device's own manifest; `None` to hold the copies against the catalog.
    pub manifest: Option<&'a std::path::Path>,
    /// The space.
    pub space: &'a SpaceRoot,
    /// Asked to stop.
    pub stop: &'a Stop,
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
    /// Copies whose content is not what was kept.
    pub damaged: u64,
    /// Copies that are not there.
    pub missing: u64,
    /// Copies of which no digest is known yet.
    pub unknown: u64,
    /// Files in the copy that nothing explains.
    pub strangers: u64,
    /// False if the work was asked to stop before its end.
    pub complete: bool,
}

impl Payload for Verified {
    const NOUN_VERB: &'static str = "copies.verified";

    fn subject(&self) -> Option<String> {
        Some(format!("{}/{}", self.device, self.cloud))
    }
}

impl Verified {
    /// True if every copy is what was kept of it.
    pub fn is_good(&self) -> bool {
        self.damaged + self.missing + self.strangers == 0
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
    let (manifest, against) = kept(what, scratch.path(), emit)?;
    let copy = match what.space.dir().beneath(&layout::cloud(what.device, what.cloud)) {
        Ok(copy) => Some(copy),
        // Every copy is missing then, which is just what is to be told.
        Err(e) if e.meaning() == Meaning::Missing => None,
        Err(e) => return Err(device::away(e)),
    };
    let mut verified = Verified {
        device: what.device.to_string(),
        cloud: what.cloud.to_string(),
        against: against.to_owned(),
        complete: true,
        ..Verified::default()
    };
    let mut folders = vec![RelPath::root()];
    while let Some(path) = folders.pop() {
        if what.stop.asked() {
            verified.complete = false;
            break;
        }
        folders.extend(folder(what, &manifest, copy.as_ref(), &path, &mut verified, emit)?);
    }
    tell(emit, &verified);
    Ok(verified)
}

/// What is known of the copies: the device's manifest, or a scratch one filled from the catalog.
fn kept(
    what: &Verify<'_>,
    scratch: &std::path::Path,
    emit: &mut dyn Emit,
) -> Result<(Manifest, &'static str), Problem> {
    if let Some(path) = what.manifest
        && let Some(manifest) = Manifest::look(path)?
    {
        return Ok((manifest, "manifest"));
    }
    let catalog = Catalog::look(what.space, what.device, what.cloud).map_err(device::away)?;
    let Some(catalog) = catalog else {
        let what_is_missing =
            format!("nothing was ever stored of {} of {}", what.cloud, what.device);
        return Err(Problem::new(Code::NotFound, what_is_missing));
    };
    let mut manifest = match Manifest::open(&scratch.join("catalog.sqlite"))? {
        Opened::Fresh(manifest) | Opened::Existing(manifest) => manifest,
    };
    for problem in rebuild::fill(&mut manifest, Some(&catalog), None)? {
        emit.problem(problem);
    }
    Ok((manifest, "catalog"))
}

/// One folder's copies; returns the folders below it.
fn folder(
    what: &Verify<'_>,
    manifest: &Manifest,
    copy: Option<&Dir>,
    path: &RelPath,
    verified: &mut Verified,
    emit: &mut dyn Emit,
) -> Result<Vec<RelPath>, Problem> {
    let reader = manifest.reader()?;
    let row = reader.folder_id(path)?;
    let rows = match row {
        Some(id) => reader.records_of(id)?,
        None => Vec::new(),
    };
    let has_copy = |(_, record): &&(Vec<u8>, Record)| {
        record.kind == RowKind::File && record.copy_mtime_ns.is_some()
    };
    let expected: Vec<&(Vec<u8>, Record)> = rows.iter().filter(has_copy).collect();
    let dir = copy.and_then(|copy| copy.beneath(path).ok());
    let checked = check(what, dir.as_ref(), &expected, path)?;
    for ((name, record), state) in expected.iter().zip(&checked) {
        count(state, record, verified);
        if let Some(problem) = problem(&reader, row, name, record, state, path)? {
            verified.missing += u64::from(problem.code == Code::CopyMissing);
            verified.damaged += u64::from(problem.code == Code::CopyDamaged);
            emit.problem(problem);
        }
    }
    emit.progress(&Progress {
        doing: "verifying",
        files: verified.checked,
        bytes: verified.bytes,
        ..Progress::default()
    });
    let names: HashSet<&[u8]> = expected.iter().map(|(name, _)| &name[..]).collect();
    let known = |name: &[u8]| names.contains(name);
    let mut below: Vec<RelPath> = match row {
        Some(id) => reader.folders(id)?.iter().map(|r| path.join(&r.name)).collect(),
        None => Vec::new(),
    };
    if let Some(dir) = &dir {
        let found = strangers(manifest, dir, path, &known, verified, emit)?;
        below.extend(found);
        below.sort_unstable();
        below.dedup();
    }
    Ok(below)
}

/// What is found of one copy.
enum State {
    Good,
    LeftOut,
    Unknown,
    Missing,
    Damaged(String),
    Stopped,
}

fn check(
    what: &Verify<'_>,
    dir: Option<&Dir>,
    expected: &[&(Vec<u8>, Record)],
    path: &RelPath,
) -> Result<Vec<State>, Problem> {
    let one = |(): &mut (), item: &&(Vec<u8>, Record)| {
        let (name, record) = item;
        Ok(match dir {
            _ if !in_sample(what, path, name) => State::LeftOut,
            None => State::Missing,
            Some(dir) => state_of(dir, name, record, what.stop),
        })
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

fn state_of(dir: &Dir, name: &[u8], record: &Record, stop: &Stop) -> State {
    let Some(digest) = record.digest else { return State::Unknown };
    match digest::of_stable(dir, name, stop) {
        Ok(Some((found, _))) if found == digest => State::Good,
        Ok(Some((_, facts))) if facts.size != record.size => {
            State::Damaged(format!("it has {} bytes, {} were stored", facts.size, record.size))
        }
        Ok(Some(_)) => State::Damaged("its content is not what was stored".to_owned()),
        Ok(None) if stop.asked() => State::Stopped,
        Ok(None) => State::Damaged("it is no regular file, or changes while it is read".to_owned()),
        Err(e) if e.meaning() == Meaning::Missing => State::Missing,
        Err(e) => State::Damaged(format!("can't {} it: {}", e.attempt, e.source)),
    }
}

fn count(state: &State, record: &Record, verified: &mut Verified) {
    match state {
        State::Good => {
            verified.checked += 1;
            verified.bytes += record.size;
        }
        State::LeftOut => verified.left_out += 1,
        State::Unknown => verified.unknown += 1,
        State::Missing | State::Damaged(_) => verified.checked += 1,
        State::Stopped => verified.complete = false,
    }
}

/// The problem of a copy, unless a run replaced it just while it was read.
fn problem(
    reader: &Reader,
    row: Option<i64>,
    name: &[u8],
    record: &Record,
    state: &State,
    path: &RelPath,
) -> Result<Option<Problem>, Problem> {
    let (code, what) = match state {
        State::Missing => (Code::CopyMissing, "a copy is not there".to_owned()),
        State::Damaged(why) => (Code::CopyDamaged, format!("a copy is damaged: {why}")),
        _ => return Ok(None),
    };
    let now = match row {
        Some(id) => reader.record(id, name)?,
        None => None,
    };
    let is_as_it_was =
        now.is_some_and(|now| now.digest == record.digest && now.live == record.live);
    Ok(is_as_it_was.then(|| Problem::new(code, what).at(path.join(name).text().clone())))
}

/// Files that nothing explains; returns the folders that are really there.
fn strangers(
    manifest: &Manifest,
    dir: &Dir,
    path: &RelPath,
    known: &dyn Fn(&[u8]) -> bool,
    verified: &mut Verified,
    emit: &mut dyn Emit,
) -> Result<Vec<RelPath>, Problem> {
    let at_work: Vec<String> =
        manifest.inflight()?.iter().map(|(run, _)| crate::apply::temporary_prefix(run)).collect();
    let mut folders = Vec::new();
    for entry in dir.entries().map_err(device::away)? {
        let kind = entry.kind.or_else(|| dir.facts(&entry.name).ok().map(|f| f.kind));
        if kind == Some(Kind::Folder) {
            folders.push(path.join(&entry.name));
        } else if !known(&entry.name)
            && !at_work.iter().any(|prefix| entry.name.starts_with(prefix.as_bytes()))
        {
            verified.strangers += 1;
            let what = "a file in the copy is explained by nothing";
            emit.problem(
                Problem::new(Code::CopyStranger, what).at(path.join(&entry.name).text().clone()),
            );
        }
    }
    Ok(folders)
}
