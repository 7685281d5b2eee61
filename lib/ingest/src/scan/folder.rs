//! One folder: its entries are looked at and held against its rows.

use std::ops::Range;
use std::sync::atomic::Ordering;

use host::error::Meaning;
use host::{Dir, Facts, Kind, dir::Listing};
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::{FolderRow, Reader};

use super::Found;
use super::away::{Deferred, without_doubles};
use super::look::{Here, Seen, digest, look};
use super::merge::{Merge, RowsAhead, count};
use super::names::CopyNames;
use super::walk::{Job, Scan, Task};
use crate::placeholder;
use crate::plan::{FolderFacts, FolderPlan, PlanLog};

/// The facts of so many entries are held at once; a larger folder goes by in stretches.
const AT_ONCE: usize = 16 * 1024;
/// So many folders are remembered as seen in one run; the next run remembers the rest.
const REMEMBERED: usize = 200_000;

/// One thread's walk.
pub(super) struct Walker<'a> {
    what: &'a Scan<'a>,
    reader: Reader,
    log: &'a PlanLog,
    root_mount: Option<(Option<u64>, u64)>,
    /// True if the manifest has any placeholder, so that each folder's are to be read.
    has_placeholders: bool,
    /// True if any copy has another name than its source.
    any_renamed: bool,
    block: Vec<u8>,
    pub found: Found,
}

/// A folder that was opened and listed.
struct Open {
    dir: Dir,
    facts: Facts,
    listing: Listing,
}

impl<'a> Walker<'a> {
    /// A walker for one thread, with a connection of its own that stays where the manifest is now.
    pub fn new(
        what: &'a Scan<'a>,
        reader: Reader,
        log: &'a PlanLog,
    ) -> Result<Walker<'a>, Problem> {
        reader.hold()?;
        let root_mount = what.source.own_facts().ok().map(|f| (f.mount_id, f.device));
        let has_placeholders = reader.has_placeholders()?;
        let any_renamed = reader.has_copy_names()?;
        let (block, found) = (Vec::new(), Found::default());
        Ok(Walker { what, reader, log, root_mount, has_placeholders, any_renamed, block, found })
    }

    /// Looks at one folder; returns those below it that are to be looked at.
    pub fn visit(&mut self, job: &Job) -> Result<Vec<Job>, Problem> {
        match job.task {
            Task::Gone => self.visit_gone(job),
            Task::Compare { is_new, mode, below } => match self.open(job) {
                Some(open) => {
                    let mut found = self.visit_open(job, is_new, mode, &open)?;
                    found.retain(|job| below || job.task.is_always_done());
                    Ok(found)
                }
                None => Ok(Vec::new()),
            },
        }
    }

    /// Opens and lists a folder; what hinders is counted or reported, and nothing below is taken for gone.
    fn open(&mut self, job: &Job) -> Option<Open> {
        let opened = self.what.source.beneath(&job.at.path).and_then(|dir| {
            let facts = dir.own_facts()?;
            if self.is_mount_point(&facts) {
                return Ok(None);
            }
            if let Some(tell) = self.what.before_listing {
                tell(&job.at.path);
            }
            placeholder::refuse_to_list(&dir, &facts)?;
            let mut listing = dir.listing()?;
            listing.sort();
            Ok(Some(Open { dir, facts, listing }))
        });
        match opened {
            Ok(Some(open)) => Some(open),
            Ok(None) => {
                self.found.totals.mount_points += 1;
                None
            }
            Err(e) if e.source.kind() == std::io::ErrorKind::CrossesDevices => {
                self.found.totals.mount_points += 1;
                None
            }
            Err(e) if placeholder::is_refused_to_list(&e) => {
                self.found.totals.deferred_folders += 1;
                None
            }
            // It left between its parent's listing and now: the next run sees that.
            Err(e) if e.meaning() == Meaning::Missing && !job.at.path.is_root() => None,
            Err(e) => {
                self.found.unreadable(&e);
                None
            }
        }
    }

    fn is_mount_point(&self, facts: &Facts) -> bool {
        match (self.root_mount, facts.mount_id) {
            (None, _) => false,
            (Some((Some(root), _)), Some(here)) => here != root,
            (Some((_, device)), _) => facts.device != device,
        }
    }

    fn visit_open(
        &mut self,
        job: &Job,
        is_new: bool,
        row_mode: u32,
        open: &Open,
    ) -> Result<Vec<Job>, Problem> {
        self.found.totals.folders += 1;
        let mode_changed = !job.at.path.is_root() && open.facts.mode != row_mode;
        if open.listing.len() > AT_ONCE && !placeholder::has_stubs(&open.listing) {
            return self.visit_large(job, is_new || mode_changed, open);
        }
        let mut seen =
            stretch(self.what, &mut self.found, &job.at.path, open, 0..open.listing.len());
        if seen.iter().any(Seen::is_stub) {
            seen.sort_by(|a, b| a.name.cmp(&b.name));
            without_doubles(&mut seen);
        }
        self.note_root(job, &seen);
        let digest = digest(&seen, &mut self.block);
        let whole = self.what.reconcile.is_some() || self.what.wants_copies;
        let trusted = job.seen.is_some() && !whole;
        if trusted && digest == job.seen && !is_new && !mode_changed {
            return self.as_seen(job, &seen);
        }
        let plan = plan_of(job, is_new || mode_changed, open);
        let names = self.names(job, open)?;
        let differs = self.merge(job, plan, &names, |merge, rows| {
            merge.stretch(&seen, rows)?;
            Ok(seen.as_slice())
        })?;
        let rows = self.folders_of(job)?;
        let below = below(job, seen.iter(), &rows, Some(&names));
        let news = below.iter().any(|job| job.task.is_always_done());
        let agrees = !(differs || news || is_new || mode_changed);
        if let (Some(row), Some(digest)) = (job.row, digest.filter(|_| agrees))
            && self.found.seen.len() < REMEMBERED
        {
            self.found.seen.push((row, digest));
        }
        Ok(below)
    }

    /// Everything is as it was when it was last seen to be as its rows say.
    fn as_seen(&mut self, job: &Job, seen: &[Seen<'_>]) -> Result<Vec<Job>, Problem> {
        for entry in seen {
            if let Here::Other(facts) = &entry.here {
                count(&mut self.found.totals, &entry.name, facts);
                self.found.totals.unchanged += u64::from(facts.kind == Kind::File);
            }
        }
        if !seen.iter().any(|entry| matches!(entry.here, Here::Folder)) {
            return Ok(Vec::new());
        }
        let rows = self.folders_of(job)?;
        Ok(below(job, seen.iter(), &rows, None))
    }

    /// A folder of so many entries that their facts are held only in stretches.
    fn visit_large(&mut self, job: &Job, differs: bool, open: &Open) -> Result<Vec<Job>, Problem> {
        let what = self.what;
        let mut found = Found::default();
        let mut maybe_folders: Vec<Seen<'_>> = Vec::new();
        let names = self.names(job, open)?;
        self.merge(job, plan_of(job, differs, open), &names, |merge, rows| {
            for from in (0..open.listing.len()).step_by(AT_ONCE) {
                let seen = stretch(what, &mut found, &job.at.path, open, from..from + AT_ONCE);
                merge.stretch(&seen, rows)?;
                maybe_folders.extend(seen.into_iter().filter(Seen::may_be_folder));
            }
            Ok(maybe_folders.as_slice())
        })?;
        self.found.add(found);
        let rows = self.folders_of(job)?;
        Ok(below(job, maybe_folders.iter(), &rows, Some(&names)))
    }

    /// What a signed-out client leaves behind is not a person's file.
    fn note_root(&mut self, job: &Job, seen: &[Seen<'_>]) {
        let nothing = seen.iter().all(|entry| matches!(entry.here, Here::LeftOut));
        self.found.root_is_empty |= job.at.path.is_root() && nothing;
    }

    /// Merges entries and rows into the plan; true if anything is to be done with an entry.
    ///
    /// `entries` hands them over, and returns at least those that could not be asked.
    fn merge<'s, 'n: 's>(
        &mut self,
        job: &Job,
        plan: FolderPlan,
        names: &CopyNames,
        entries: impl FnOnce(&mut Merge<'_>, &mut RowsAhead<'_, '_>) -> Result<&'s [Seen<'n>], Problem>,
    ) -> Result<bool, Problem> {
        let copy = self.what.reconcile.and_then(|root| root.beneath(job.at.copy()).ok());
        let of_folder = job.row.filter(|_| self.has_placeholders && !plan.is_gone);
        let mut merge = Merge {
            reader: &self.reader,
            totals: &mut self.found.totals,
            log: self.log,
            row: job.row,
            reconcile: self.what.reconcile.is_some(),
            wants_copies: self.what.wants_copies,
            copy: copy.as_ref(),
            deferred: Deferred::of_folder(&self.reader, of_folder)?,
            plan,
            names,
            differs: false,
        };
        let seen = match job.row {
            None => entries(&mut merge, &mut RowsAhead::none())?,
            Some(row) => self.reader.each_entry(row, |rows| {
                let mut rows = RowsAhead::of(rows)?;
                let seen = entries(&mut merge, &mut rows)?;
                merge.rest(&mut rows)?;
                Ok::<_, Problem>(seen)
            })?,
        };
        merge.end(|name| {
            let at = seen.binary_search_by(|entry| (*entry.name).cmp(name));
            at.is_ok_and(|at| matches!(seen[at].here, Here::Unasked))
        })
    }

    fn names(&self, job: &Job, open: &Open) -> Result<CopyNames, Problem> {
        let (target, renamed) = (self.what.target, self.any_renamed);
        CopyNames::of(target, renamed, &self.reader, job.row, open.listing.iter())
    }

    fn folders_of(&self, job: &Job) -> Result<Vec<FolderRow>, Problem> {
        match job.row {
            Some(id) => Ok(self.reader.folders(id)?),
            None => Ok(Vec::new()),
        }
    }

    /// A folder that left: all its live rows, and the folders below it.
    fn visit_gone(&mut self, job: &Job) -> Result<Vec<Job>, Problem> {
        let plan = FolderPlan { is_gone: true, ..FolderPlan::of(&job.at) };
        self.merge(job, plan, &CopyNames::none(), |_, _| Ok(&[]))?;
        let gone = |r: FolderRow| Job::gone(job.at.join(&r.name, r.copy_name.as_deref()), r.id);
        Ok(self.folders_of(job)?.into_iter().filter(|r| r.live).map(gone).collect())
    }
}

/// Asks the facts of a stretch of entries, in the order of their names.
fn stretch<'l>(
    what: &Scan<'_>,
    found: &mut Found,
    path: &RelPath,
    open: &'l Open,
    range: Range<usize>,
) -> Vec<Seen<'l>> {
    let entries = open.listing.stretch(range.start, range.len());
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        if is_unsettled(what, path, entry.0) {
            all.push(Seen { name: entry.0.into(), here: Here::Unasked });
            continue;
        }
        let seen = match look(&open.dir, path, entry, what.excludes) {
            Ok(Some(seen)) => seen,
            Ok(None) => continue,
            Err(e) => {
                found.unreadable(&e);
                Seen { name: entry.0.into(), here: Here::Unasked }
            }
        };
        found.totals.excluded += u64::from(matches!(seen.here, Here::LeftOut));
        all.push(seen);
    }
    what.looked_at.fetch_add(all.len() as u64, Ordering::Relaxed);
    all
}

/// True for a file that is being written, of which nothing is to be said now.
fn is_unsettled(what: &Scan<'_>, folder: &RelPath, name: &[u8]) -> bool {
    !what.unsettled.is_empty() && what.unsettled.contains(&folder.join(name))
}

/// What the plan says of a folder that is there, before anything is said of its entries.
fn plan_of(job: &Job, is_new: bool, open: &Open) -> FolderPlan {
    let f = &open.facts;
    let facts = FolderFacts { mtime_ns: f.mtime_ns, mode: f.mode, uid: f.uid, gid: f.gid };
    FolderPlan { facts: Some(facts), is_new, ..FolderPlan::of(&job.at) }
}

/// The folders below: those that are there, and those whose rows say that they were.
fn below<'s, 'n: 's>(
    job: &Job,
    seen: impl Iterator<Item = &'s Seen<'n>> + Clone,
    rows: &[FolderRow],
    names: Option<&CopyNames>,
) -> Vec<Job> {
    let row_of = |name: &[u8]| rows.binary_search_by(|r| (*r.name).cmp(name)).ok();
    let mut still_there = vec![false; rows.len()];
    let mut jobs = Vec::new();
    for entry in seen.filter(|entry| entry.may_be_folder()) {
        let at = row_of(&entry.name);
        if let Some(at) = at {
            // What is left out or can't be asked is not taken for gone.
            still_there[at] = true;
        }
        if matches!(entry.here, Here::Folder) {
            let row = at.map(|at| &rows[at]);
            let copy = match row {
                Some(row) => row.copy_name.as_deref().map(<[u8]>::to_vec),
                None => names.and_then(|names| names.of_new(&entry.name)),
            };
            jobs.push(Job::compare(job.at.join(&entry.name, copy.as_deref()), row));
        }
    }
    let gone = rows.iter().zip(still_there).filter(|(row, there)| row.live && !there);
    jobs.extend(
        gone.map(|(row, _)| Job::gone(job.at.join(&row.name, row.copy_name.as_deref()), row.id)),
    );
    jobs
}
