//! Batches: as much of the plan at a time as one barrier and one transaction are worth.

use std::collections::{BTreeMap, BTreeSet};

use host::failpoint;
use host::volume::room;
use model::config::Free;
use model::emit::{Emit, Progress};
use model::event::Draft;
use model::ingest::{Change, FileGone, FileStored, Totals};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::manifest::{Busy, Manifest};

use super::burials;
use super::commit::{Frame, commit, news};
use super::prepare::{PreparedPart, Preparer};
use super::settle::{SettledPart, settle};
use super::{Ground, emptied};
use crate::parallel;
use crate::plan::{FolderPlan, Item, PlanLog, Tally, Todo};
use crate::share::Sharing;

/// A batch has at most so many files
const FILES: u64 = 8192;
/// and, but for its last file, at most so many bytes.
const BYTES: u64 = 1024 * 1024 * 1024;

/// How a plan is applied, besides the ground it is applied on.
#[derive(Debug)]
pub struct Applied<'a> {
    /// The cloud's id.
    pub cloud: &'a str,
    /// True if an approval let the plan through.
    pub approved: bool,
    /// The room that the space must keep.
    pub min_free: Free,
    /// What the plan amounts to.
    pub tally: Tally,
    /// Lets equal content of several clouds share blocks.
    pub(crate) sharing: Sharing<'a>,
}

/// Which items of the plan are done in which pass over it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Copies that stand in the way of something else.
    GivingWay,
    /// Almost all.
    Main,
    /// Further names of what is stored by then.
    Links,
}

impl Pass {
    fn has(self, item: &Item) -> bool {
        self == match &item.todo {
            Todo::Gone { gives_way: true, .. } | Todo::MakeWay => Pass::GivingWay,
            Todo::Link { .. } => Pass::Links,
            _ => Pass::Main,
        }
    }
}

/// Applies a plan; counts what was done in `totals`, also when it fails on the way.
///
/// # Errors
/// What ended the work: the space is away or full, the manifest can't be written. What
/// was done before is remembered and durable.
pub fn apply(
    ground: &Ground<'_>,
    how: &Applied<'_>,
    plan: &mut PlanLog,
    manifest: &mut Manifest,
    totals: &mut Totals,
    emit: &mut dyn Emit,
) -> Result<(), Problem> {
    let mut work = Work { ground, how, manifest, totals, emit };
    for (pass, wanted) in [
        (Pass::GivingWay, how.tally.give_way > 0),
        (Pass::Main, true),
        (Pass::Links, how.tally.links > 0),
    ] {
        if wanted {
            work.pass(plan, pass)?;
        }
    }
    if ground.stop.asked() {
        return Ok(());
    }
    burials::bury(work.manifest, plan)?;
    if how.tally.renames > 0 {
        emptied::remove(ground, plan)?;
    }
    Ok(())
}

struct Work<'a, 'b> {
    ground: &'a Ground<'a>,
    how: &'a Applied<'a>,
    manifest: &'b mut Manifest,
    totals: &'b mut Totals,
    emit: &'b mut dyn Emit,
}

impl Work<'_, '_> {
    fn pass(&mut self, plan: &mut PlanLog, pass: Pass) -> Result<(), Problem> {
        let mut parts = plan.read()?;
        let mut open = None;
        let done = self.batches(&mut parts, pass, &mut open);
        // What is prepared is completed, also when the next batch could not be begun.
        let completed = open.take().map_or(Ok(()), |batch| self.complete(batch, &[]));
        done.and(completed)
    }

    /// Prepares batch after batch, each while the one before it is completed; the last is left `open`.
    fn batches(
        &mut self,
        parts: &mut dyn Iterator<Item = Result<FolderPlan, Problem>>,
        pass: Pass,
        open: &mut Option<OpenBatch>,
    ) -> Result<(), Problem> {
        loop {
            let batch = next_batch(parts, pass)?;
            if batch.is_empty() || self.ground.stop.asked() {
                return Ok(());
            }
            let is_plain = self.is_plain(&batch);
            if let Some(former) = open.take_if(|former| !former.is_plain || !is_plain) {
                self.complete(former, &[])?;
            }
            self.check_room(&batch)?;
            let folders = folders_of(&batch, self.manifest)?;
            self.note(&folders, open.as_ref())?;
            let former = open.take();
            match self.prepare(&batch, former, &folders) {
                Ok(prepared) => *open = Some(OpenBatch { prepared, folders, is_plain }),
                Err(problem) => {
                    self.clear_temporaries(&folders);
                    return Err(problem);
                }
            }
        }
    }

    /// True if a batch only stores files under their own names: nothing in it takes or leaves a
    /// name that another batch looks at. What arrives in an inbox looks for a free one.
    fn is_plain(&self, batch: &[FolderPlan]) -> bool {
        let stores = |item: &Item| copies(item) || matches!(item.todo, Todo::Symlink);
        self.ground.arrivals.is_none()
            && batch.iter().all(|part| !part.is_gone && part.items.iter().all(stores))
    }

    /// Does everything that can be done beside the final names, and completes the batch before it meanwhile.
    fn prepare(
        &mut self,
        batch: &[FolderPlan],
        mut former: Option<OpenBatch>,
        folders: &[Busy],
    ) -> Result<Vec<PreparedPart>, Problem> {
        let ground = self.ground;
        let prepare = |preparer: &mut Preparer<'_>, part: &FolderPlan| preparer.part(part);
        let prepared = parallel::each_beside(
            batch,
            ground.threads,
            || Preparer::new(ground),
            prepare,
            &mut || {
                match former.take() {
                    Some(former) => self.complete(former, folders)?,
                    None => self.tell("copying"),
                }
                Ok(())
            },
        )?;
        point("apply.copied")?;
        Ok(prepared)
    }

    /// Makes a prepared batch durable, gives it its names, and remembers it.
    fn complete(&mut self, batch: OpenBatch, next: &[Busy]) -> Result<(), Problem> {
        let folders = batch.folders;
        let done = self.publish(batch.prepared).and_then(|parts| self.remember(parts, next));
        if done.is_err() {
            self.clear_temporaries(&folders);
        }
        done
    }

    fn publish(&mut self, prepared: Vec<PreparedPart>) -> Result<Vec<SettledPart>, Problem> {
        let ground = self.ground;
        ground.barrier.sync_all().map_err(store::device::away)?;
        point("apply.synced")?;
        let prepared: Vec<_> =
            prepared.into_iter().map(|part| std::sync::Mutex::new(Some(part))).collect();
        let take = |(): &mut (), part: &std::sync::Mutex<Option<_>>| {
            let part = part.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            part.map(|part| settle(ground, part)).transpose()
        };
        let settled = parallel::each(&prepared, ground.threads, || Ok(()), take, &mut || {
            self.tell("making durable");
        })?;
        point("apply.published")?;
        ground.barrier.sync_all().map_err(store::device::away)?;
        point("apply.names-synced")?;
        Ok(settled.into_iter().flatten().collect())
    }

    fn remember(&mut self, parts: Vec<SettledPart>, next: &[Busy]) -> Result<(), Problem> {
        let ground = self.ground;
        let now = ground.clock.now();
        let frame = Frame { run: ground.run, now, approved: self.how.approved, next_folders: next };
        commit(self.manifest, &frame, &parts, self.totals)?;
        self.totals.bytes_shared += self.how.sharing.after(ground.copy, &parts);
        if self.emit.wants_files() {
            self.tell_files(&parts)?;
        }
        for problem in parts.into_iter().flat_map(|part| part.problems) {
            self.emit.problem(problem);
        }
        Ok(())
    }

    fn tell_files(&mut self, parts: &[SettledPart]) -> Result<(), Problem> {
        for item in news(self.manifest, self.how.cloud, parts)? {
            let draft = match item.change {
                Change::Gone => Draft::of(&FileGone(item)),
                _ => Draft::of(&FileStored(item)),
            };
            self.emit.event(draft);
        }
        Ok(())
    }

    /// Before any temporary is made, its folder is noted, so that the next run clears just those.
    fn note(&mut self, folders: &[Busy], open: Option<&OpenBatch>) -> Result<(), Problem> {
        let mut all = folders.to_vec();
        all.extend(open.into_iter().flat_map(|batch| batch.folders.iter().cloned()));
        all.sort_unstable();
        all.dedup();
        let mut batch = self.manifest.batch()?;
        batch.note_inflight(self.ground.run, &all)?;
        batch.commit()?;
        point("apply.noted")
    }

    fn check_room(&self, batch: &[FolderPlan]) -> Result<(), Problem> {
        if self.ground.arrivals.is_some_and(|arrivals| arrivals.in_space) {
            // What lies in the space already takes no more room there.
            return Ok(());
        }
        let room = room(self.ground.copy).map_err(store::device::away)?;
        let needed: u64 = batch
            .iter()
            .flat_map(|part| &part.items)
            .filter(|i| copies(i))
            .map(|i| i.allocated)
            .sum();
        let keep = self.how.min_free.bytes_of(room.total);
        if needed > 0 && room.free < needed.saturating_add(keep) {
            let what = format!(
                "{} bytes are free, {needed} are to be stored next and {keep} must stay free",
                room.free
            );
            return Err(Problem::new(Code::SpaceFull, what).at(self.ground.copy.path()));
        }
        Ok(())
    }

    /// After a failure: what the next run would clear is cleared now, as far as that works.
    fn clear_temporaries(&mut self, folders: &[Busy]) {
        let run = self.ground.run.to_string();
        for folder in folders {
            // The note stays: the next run looks again, and at what was renamed as well.
            let _ = crate::recover::clear_folder(self.ground.copy, folder.folder.copy(), &run);
        }
    }

    /// Tells how far the work has come while threads do it.
    fn tell(&mut self, doing: &'static str) {
        let (files, bytes) = self.ground.counters.now();
        let tally = &self.how.tally;
        self.emit.progress(&Progress {
            doing,
            files,
            files_planned: Some(tally.stores + tally.rewrites + tally.links),
            bytes,
            bytes_planned: Some(tally.bytes_to_copy()),
        });
    }
}

/// A batch that is prepared: what is left is to make it durable, to name it and to remember it.
struct OpenBatch {
    prepared: Vec<PreparedPart>,
    /// Folders of the copy in which it has temporaries.
    folders: Vec<Busy>,
    /// True if the next batch may be prepared meanwhile.
    is_plain: bool,
}

fn point(name: &'static str) -> Result<(), Problem> {
    failpoint::hit(name).map_err(|e| Problem::new(Code::Io, format!("failed at {name}: {e}")))
}

fn copies(item: &Item) -> bool {
    matches!(item.todo, Todo::Store | Todo::Compare { .. } | Todo::Replace { .. })
}

/// The folders in which a batch does anything, with the names that copies get there.
fn folders_of(batch: &[FolderPlan], manifest: &Manifest) -> Result<Vec<Busy>, Problem> {
    let mut folders: BTreeMap<RelPath, Busy> = BTreeMap::new();
    for part in batch {
        let busy = || Busy::in_folder(part.mapped());
        let names = &mut folders.entry(part.path.clone()).or_insert_with(busy).names;
        let named = part.items.iter().filter_map(|i| Some((i.copy_name.clone()?, i.name.clone())));
        names.extend(named);
    }
    // A rename cut off in the midst is seen from both its ends.
    let renames = batch.iter().flat_map(|part| &part.items).filter_map(Item::from);
    let former: BTreeSet<RelPath> = renames.filter_map(|from| Some(from.split()?.0)).collect();
    if !former.is_empty() {
        let reader = manifest.reader()?;
        for folder in former {
            let mapped = reader.folder_copy(&folder)?;
            folders.entry(folder).or_insert_with(|| Busy::in_folder(mapped));
        }
    }
    Ok(folders.into_values().collect())
}

/// The next parts of the plan that a pass has anything to do with, up to a batch's size.
fn next_batch(
    parts: &mut dyn Iterator<Item = Result<FolderPlan, Problem>>,
    pass: Pass,
) -> Result<Vec<FolderPlan>, Problem> {
    let mut batch = Vec::new();
    let (mut files, mut bytes) = (0, 0);
    let most = failpoint::files_at_once(FILES);
    while files < most && bytes < BYTES {
        let Some(part) = parts.next() else { break };
        let mut part = part?;
        part.items.retain(|item| pass.has(item));
        if pass != Pass::Main {
            (part.facts, part.is_gone) = (None, false);
            part.deferrals.clear();
        }
        if !part.has_anything() {
            continue;
        }
        files += part.items.len().max(1) as u64;
        bytes += part.items.iter().filter(|i| copies(i)).map(|i| i.allocated).sum::<u64>();
        batch.push(part);
    }
    Ok(batch)
}
