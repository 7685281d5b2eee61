//! Stage three of a batch: remembering, in one transaction, what is on disk.

use host::Kind;
use jiff::Timestamp;
use model::ingest::{Change, FileNews, FileRecord, Totals};
use model::problem::Problem;
use model::relpath::RelPath;
use model::run::RunId;
use store::manifest::{Batch, Busy, Manifest, News, Reader};
use store::names::Mapped;

use super::settle::{Settled, SettledPart};
use crate::plan::FolderPlan;

/// What is committed with a batch besides its rows.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The run.
    pub run: RunId,
    /// When it is, for tombstones.
    pub now: Timestamp,
    /// True if what is destroyed was approved, so that the guard must not count it again.
    pub approved: bool,
    /// Folders of the copy in which the next batch may leave temporaries.
    pub next_folders: &'a [Busy],
}

/// Commits a batch and adds to the totals; returns what became of each file, for events.
pub fn commit(
    manifest: &mut Manifest,
    frame: &Frame<'_>,
    parts: &[SettledPart],
    totals: &mut Totals,
) -> Result<(), Problem> {
    let mut batch = manifest.batch()?;
    let mut destroyed = Destroyed::default();
    for part in parts {
        folder(&mut batch, part)?;
        deferrals(&mut batch, &part.plan, frame.now)?;
        let folder = part.plan.mapped();
        for entry in &part.entries {
            remember(&mut batch, &folder, entry, frame.now)?;
            destroyed.count(entry);
            count(totals, entry);
        }
        totals.failed += part.problems.len() as u64;
    }
    if !frame.approved {
        batch.count_applied(frame.run, destroyed.gone, destroyed.rewritten, destroyed.bytes)?;
    }
    batch.note_inflight(frame.run, frame.next_folders)?;
    batch.commit()?;
    Ok(())
}

/// What is told of the committed files, one by one.
///
/// # Errors
/// When the rows that were buried can't be read.
pub fn news(
    manifest: &Manifest,
    cloud: &str,
    parts: &[SettledPart],
) -> Result<Vec<FileNews>, Problem> {
    let reader = manifest.reader()?;
    let mut all = Vec::new();
    for part in parts {
        let folder = &part.plan.mapped();
        for entry in part.entries.iter().filter(|entry| !entry.is_as_before) {
            let file = match &entry.record {
                Some(record) => Some(record.told(folder, &entry.name)),
                None => tombstone(&reader, folder, &entry.name)?,
            };
            let (change, from, was) = (entry.change, entry.from.clone(), was(folder, entry));
            all.extend(file.map(|file| FileNews {
                cloud: cloud.to_owned(),
                file,
                change,
                from,
                was,
            }));
        }
    }
    Ok(all)
}

/// The version that an entry put away, as it is told.
fn was(folder: &Mapped, entry: &Settled) -> Option<Box<FileRecord>> {
    entry.was.as_ref().map(|was| Box::new(was.told(folder, &entry.name)))
}

/// The last that was known of a file that left the source.
fn tombstone(reader: &Reader, folder: &Mapped, name: &[u8]) -> Result<Option<FileRecord>, Problem> {
    let Some(id) = reader.folder_id(&folder.path)? else { return Ok(None) };
    let record = reader.record(id, name)?;
    Ok(record.map(|record| FileRecord { live: false, ..record.told(folder, name) }))
}

#[derive(Default)]
struct Destroyed {
    gone: u64,
    rewritten: u64,
    bytes: u64,
}

impl Destroyed {
    fn count(&mut self, entry: &Settled) {
        let Some(bytes) = entry.destroyed else { return };
        self.bytes += bytes;
        match entry.change {
            Change::Gone => self.gone += 1,
            _ => self.rewritten += 1,
        }
    }
}

fn folder(batch: &mut Batch<'_>, part: &SettledPart) -> Result<(), Problem> {
    let plan = &part.plan;
    if let Some(facts) = plan.facts.filter(|_| !plan.is_gone) {
        batch.put_folder(&plan.path, true, facts.mtime_ns, facts.mode, (facts.uid, facts.gid))?;
        if let Some((_, copy_name)) = plan.copy.as_ref().and_then(RelPath::split) {
            let is_own = plan.path.split().is_some_and(|(_, name)| name != copy_name);
            batch.name_folder_copy(&plan.path, is_own.then_some(copy_name))?;
        }
        if plan.is_new && !plan.path.is_root() {
            batch.announce(&plan.path, b"", &News::of(Change::Stored))?;
        }
    }
    Ok(())
}

fn deferrals(batch: &mut Batch<'_>, plan: &FolderPlan, now: Timestamp) -> Result<(), Problem> {
    for deferral in &plan.deferrals {
        match &deferral.what {
            Some(what) => {
                batch.put_placeholder(&plan.path, &deferral.name, what, now.as_millisecond())?;
            }
            None => batch.drop_placeholder(&plan.path, &deferral.name)?,
        }
    }
    Ok(())
}

fn remember(
    batch: &mut Batch<'_>,
    at: &Mapped,
    entry: &Settled,
    now: Timestamp,
) -> Result<(), Problem> {
    let folder = &at.path;
    match &entry.record {
        Some(record) => batch.put(folder, &entry.name, record)?,
        None => batch.bury(folder, &entry.name, now.as_millisecond(), entry.trashed.is_some())?,
    }
    if entry.trashed == Some(Kind::Folder) {
        batch.trashed_below(&folder.join(&entry.name), now.as_millisecond())?;
    }
    if let Some((former, name)) = entry.from.as_ref().and_then(RelPath::split) {
        batch.remove(&former, name)?;
    }
    if entry.is_as_before {
        return Ok(());
    }
    let news = News { change: entry.change, from: entry.from.clone(), was: was(at, entry) };
    batch.announce(folder, &entry.name, &news)?;
    Ok(())
}

fn count(totals: &mut Totals, entry: &Settled) {
    let size = entry.record.as_ref().map_or(0, |r| r.size);
    let is_link = entry.record.as_ref().is_some_and(|r| r.digest.is_none());
    match entry.change {
        _ if entry.is_as_before => totals.unchanged += 1,
        Change::Stored if is_link => {}
        Change::Stored => {
            totals.stored += 1;
            totals.bytes_stored += size;
        }
        Change::Replaced => {
            totals.replaced += 1;
            totals.bytes_stored += size;
        }
        Change::Adopted => totals.adopted += 1,
        Change::Renamed => totals.renamed += 1,
        Change::Linked => totals.hard_links += 1,
        Change::Touched => totals.touched += 1,
        Change::Repaired => {
            totals.repaired += 1;
            totals.bytes_stored += size;
        }
        Change::Gone => totals.gone += u64::from(entry.destroyed.is_some()),
    }
    totals.trashed += entry.put_away;
}
