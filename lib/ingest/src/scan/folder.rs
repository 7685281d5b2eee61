//! One folder: its entries and its rows, merged in the order of their names.

use std::cmp::Ordering as Order;
use std::sync::atomic::Ordering;

use host::error::Meaning;
use host::{Dir, Facts, Kind};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::manifest::{FolderRow, Known, Reader, RowKind};

use super::away::{Deferred, live, without_doubles};
use super::walk::{Job, Scan, Task};
use super::{Change, Found, compare};
use crate::placeholder::{self, Away};
use crate::plan::{FolderFacts, FolderPlan, Item, PlanLog, Todo, Was};

/// One thread's walk.
pub(super) struct Walker<'a> {
    what: &'a Scan<'a>,
    reader: Reader,
    log: &'a PlanLog,
    root_mount: Option<(Option<u64>, u64)>,
    /// True if the manifest has any placeholder, so that each folder's are to be read.
    has_placeholders: bool,
    pub found: Found,
}

/// An entry that is looked at, with its facts.
pub(super) struct Seen {
    pub name: Box<[u8]>,
    pub facts: Option<Facts>,
    /// What it is, when its content is only in the cloud.
    pub away: Option<Box<Away>>,
}

impl<'a> Walker<'a> {
    pub fn new(
        what: &'a Scan<'a>,
        reader: Reader,
        log: &'a PlanLog,
    ) -> Result<Walker<'a>, Problem> {
        let root_mount = what.source.own_facts().ok().map(|f| (f.mount_id, f.device));
        let has_placeholders = reader.has_placeholders()?;
        let found = Found::default();
        Ok(Walker { what, reader, log, root_mount, has_placeholders, found })
    }

    /// Looks at one folder; returns those below it that are to be looked at.
    pub fn visit(&mut self, job: &Job) -> Result<Vec<Job>, Problem> {
        match job.task {
            Task::Gone => self.visit_gone(job),
            Task::Compare { is_new, mode, below } => match self.open(job) {
                Some((dir, seen)) => {
                    let mut found = self.visit_open(job, is_new, mode, &dir, seen)?;
                    found.retain(|job| below || job.task.is_always_done());
                    Ok(found)
                }
                None => Ok(Vec::new()),
            },
        }
    }

    /// Opens and lists a folder; what hinders is counted or reported, and nothing below is taken for gone.
    fn open(&mut self, job: &Job) -> Option<(Dir, Vec<Seen>)> {
        let opened = self.what.source.beneath(&job.path).and_then(|dir| {
            if let Some(tell) = self.what.before_listing {
                tell(&job.path);
            }
            placeholder::refuse_to_list(&dir)?;
            let entries = dir.entries()?;
            Ok((dir, entries))
        });
        match opened {
            Ok((dir, _)) if self.is_mount_point(&dir) => {
                self.found.totals.mount_points += 1;
                None
            }
            Ok((dir, entries)) => {
                let (listed, excluded) = (entries.len() as u64, self.found.totals.excluded);
                let seen = self.look(&job.path, &dir, entries);
                // What a signed-out client leaves behind is not a person's file.
                let nothing = self.found.totals.excluded - excluded == listed;
                self.found.root_is_empty |= job.path.is_root() && nothing;
                Some((dir, seen))
            }
            Err(e) if e.source.kind() == std::io::ErrorKind::CrossesDevices => {
                self.found.totals.mount_points += 1;
                None
            }
            Err(e) if e.source.kind() == std::io::ErrorKind::Deadlock => {
                self.found.totals.deferred_folders += 1;
                None
            }
            // It left between its parent's listing and now: the next run sees that.
            Err(e) if e.meaning() == Meaning::Missing && !job.path.is_root() => None,
            Err(e) => {
                self.unreadable(&e);
                None
            }
        }
    }

    /// True for an entry that is there, is not left out, and could not be asked.
    fn is_unasked(&self, path: &RelPath, seen: &[Seen], name: &[u8]) -> bool {
        let at = seen.binary_search_by(|s| (*s.name).cmp(name)).ok();
        at.is_some_and(|at| seen[at].facts.is_none()) && !self.what.excludes.leave_out(path, name)
    }

    fn is_mount_point(&self, dir: &Dir) -> bool {
        let Some((mount, device)) = self.root_mount else { return false };
        dir.own_facts().is_ok_and(|f| match (f.mount_id, mount) {
            (Some(here), Some(root)) => here != root,
            _ => f.device != device,
        })
    }

    fn unreadable(&mut self, error: &host::Error) {
        let what = format!("can't {}: {}", error.attempt, error.source);
        self.found
            .problems
            .push(Problem::new(Code::EntryUnreadable, what).at(error.path.as_path()));
        self.found.totals.failed += 1;
    }

    /// Asks the facts of every entry that is not left out, in the order of their names.
    fn look(&mut self, path: &RelPath, dir: &Dir, entries: Vec<host::dir::Entry>) -> Vec<Seen> {
        let mut seen = Vec::with_capacity(entries.len());
        let mut has_stubs = false;
        for entry in entries {
            let facts = if self.what.excludes.leave_out(path, &entry.name) {
                self.found.totals.excluded += 1;
                None
            } else {
                match dir.facts(&entry.name) {
                    Ok(facts) => Some(facts),
                    Err(e) if e.meaning() == Meaning::Missing => continue,
                    Err(e) => {
                        self.unreadable(&e);
                        None
                    }
                }
            };
            let (name, away) = match &facts {
                Some(facts) => placeholder::look(dir, entry.name, facts),
                None => (entry.name, None),
            };
            if away.as_ref().is_some_and(|away| away.stub.is_some())
                && self.what.excludes.leave_out(path, &name)
            {
                self.found.totals.excluded += 1;
                continue;
            }
            has_stubs |= away.as_ref().is_some_and(|away| away.stub.is_some());
            seen.push(Seen { name, facts, away });
        }
        self.what.looked_at.fetch_add(seen.len() as u64, Ordering::Relaxed);
        seen.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if has_stubs {
            without_doubles(&mut seen);
        }
        seen
    }

    fn visit_open(
        &mut self,
        job: &Job,
        is_new: bool,
        row_mode: u32,
        dir: &Dir,
        seen: Vec<Seen>,
    ) -> Result<Vec<Job>, Problem> {
        self.found.totals.folders += 1;
        let known = match job.row {
            Some(id) => self.reader.entries(id)?,
            None => Vec::new(),
        };
        let folders = match job.row {
            Some(id) => self.reader.folders(id)?,
            None => Vec::new(),
        };
        let copy = self.what.reconcile.and_then(|root| root.beneath(&job.path).ok());
        let of_folder = job.row.filter(|_| self.has_placeholders);
        let mut deferred = Deferred::of_folder(&self.reader, of_folder)?;
        let mut items = Vec::new();
        self.merge(&seen, &known, job.row, copy.as_ref(), &mut deferred, &mut items)?;
        let deferrals = deferred.changes(|name| self.is_unasked(&job.path, &seen, name));
        let below = self.below(job, &seen, &folders);
        let facts = dir.own_facts().ok();
        let mode_changed =
            !job.path.is_root() && facts.as_ref().is_some_and(|f| f.mode != row_mode);
        let folder = facts
            .filter(|_| is_new || mode_changed || !items.is_empty())
            .map(|f| FolderFacts { mtime_ns: f.mtime_ns, mode: f.mode, uid: f.uid, gid: f.gid });
        if folder.is_some() || !items.is_empty() || !deferrals.is_empty() {
            let changed = is_new || mode_changed;
            self.log.put(FolderPlan {
                path: job.path.clone(),
                facts: folder,
                is_new: changed,
                is_gone: false,
                items,
                deferrals,
            })?;
        }
        Ok(below)
    }

    /// Merges entries and rows: both are sorted by name.
    fn merge(
        &mut self,
        seen: &[Seen],
        known: &[Known],
        row: Option<i64>,
        copy: Option<&Dir>,
        deferred: &mut Deferred,
        items: &mut Vec<Item>,
    ) -> Result<(), Problem> {
        let mut rows = known.iter().peekable();
        for entry in seen {
            while let Some(missed) = rows.next_if(|k| k.name.cmp(&entry.name) == Order::Less) {
                self.missed(row, missed, items)?;
            }
            let of_name = rows.next_if(|k| k.name == entry.name);
            match (&entry.facts, &entry.away) {
                (Some(facts), Some(away)) => {
                    if let Some(link) = live(of_name).filter(|k| k.kind == RowKind::Symlink) {
                        self.missed(row, link, items)?;
                    }
                    let live = live(of_name).filter(|k| !self.copy_differs(k, copy));
                    let standing = away.standing(live);
                    deferred.meet(entry, facts, away, standing, &mut self.found.totals);
                }
                (Some(facts), None) => self.entry(entry, facts, of_name, row, copy, items)?,
                (None, _) => {}
            }
        }
        for missed in rows {
            self.missed(row, missed, items)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &Seen,
        facts: &Facts,
        known: Option<&Known>,
        row: Option<i64>,
        copy: Option<&Dir>,
        items: &mut Vec<Item>,
    ) -> Result<(), Problem> {
        self.count(&entry.name, facts);
        let unlike = known.filter(|k| k.live && !same_kind(k.kind, facts.kind));
        if let Some(gone) = unlike {
            self.missed(row, gone, items)?;
            // Its name is wanted for something else, unless that has no copy of its own.
            if let Some(item) = items.last_mut().filter(|_| facts.kind != Kind::Special) {
                item.give_way();
            }
        }
        if facts.kind == Kind::Folder {
            self.clear_the_way(row, known, items)?;
        }
        let known = known.filter(|_| unlike.is_none());
        let todo = match compare(facts, known) {
            Change::None if facts.kind == Kind::File => match known {
                Some(k) if self.copy_differs(k, copy) => Todo::Compare { was: self.was(row, k)? },
                _ => {
                    self.found.totals.unchanged += 1;
                    return Ok(());
                }
            },
            Change::None => return Ok(()),
            Change::New => Todo::Store,
            Change::Facts => match known {
                Some(k) => Todo::Compare { was: self.was(row, k)? },
                None => Todo::Store,
            },
            Change::Symlink => Todo::Symlink,
        };
        items.push(Item::of(&entry.name, facts, todo));
        Ok(())
    }

    /// A folder whose name a tombstone's copy has: that must leave it.
    fn clear_the_way(
        &self,
        row: Option<i64>,
        known: Option<&Known>,
        items: &mut Vec<Item>,
    ) -> Result<(), Problem> {
        let tombstone = known.filter(|k| !k.live && k.copy_mtime_ns.is_some());
        let Some((row, known)) = row.zip(tombstone) else { return Ok(()) };
        let record = self.reader.record(row, &known.name)?;
        items.extend(record.map(|record| Item::in_the_way(&known.name, &record)));
        Ok(())
    }

    /// The stored version of a file whose facts changed.
    fn was(&self, row: Option<i64>, known: &Known) -> Result<Was, Problem> {
        let record = match row {
            Some(row) => self.reader.record(row, &known.name)?,
            None => None,
        };
        Ok(Was { size: known.size, digest: record.and_then(|record| record.digest) })
    }

    fn count(&mut self, name: &[u8], facts: &Facts) {
        let totals = &mut self.found.totals;
        match facts.kind {
            Kind::File => {
                totals.files += 1;
                totals.bytes += facts.size;
                totals.pointers += u64::from(placeholder::is_pointer(name, facts));
            }
            Kind::Symlink => totals.symlinks += 1,
            Kind::Special => totals.specials += 1,
            Kind::Folder => {}
        }
    }

    /// True if the copy is to be compared and is not there as it was left.
    fn copy_differs(&self, known: &Known, copy: Option<&Dir>) -> bool {
        if self.what.reconcile.is_none() {
            return false;
        }
        let facts = copy.and_then(|dir| dir.facts(&known.name).ok());
        !facts.is_some_and(|f| {
            f.kind == Kind::File && f.size == known.size && Some(f.mtime_ns) == known.copy_mtime_ns
        })
    }

    /// A live row whose name is not there any more.
    fn missed(
        &mut self,
        row: Option<i64>,
        known: &Known,
        items: &mut Vec<Item>,
    ) -> Result<(), Problem> {
        let Some(row) = row.filter(|_| known.live) else { return Ok(()) };
        if let Some(record) = self.reader.record(row, &known.name)? {
            items.push(Item::gone(&known.name, &record));
        }
        Ok(())
    }

    /// The folders below: those that are there, and those whose rows say that they were.
    fn below(&self, job: &Job, seen: &[Seen], rows: &[FolderRow]) -> Vec<Job> {
        let row_of =
            |name: &[u8]| rows.binary_search_by(|r| (*r.name).cmp(name)).ok().map(|at| &rows[at]);
        // What a folder whose entries are not there would list is not known: nothing below is gone.
        let is_folder =
            |s: &&Seen| s.facts.as_ref().is_some_and(|f| f.kind == Kind::Folder && !f.away);
        let mut jobs: Vec<Job> = seen
            .iter()
            .filter(is_folder)
            .map(|s| {
                let row = row_of(&s.name);
                let task = Task::Compare {
                    is_new: !row.is_some_and(|r| r.live),
                    mode: row.map_or(0, |r| r.mode),
                    below: true,
                };
                Job { path: job.path.join(&s.name), row: row.map(|r| r.id), task }
            })
            .collect();
        let still_there = |name: &[u8]| {
            let at = seen.binary_search_by(|s| (*s.name).cmp(name)).ok();
            // What is left out or can't be asked is not taken for gone.
            at.is_some_and(|at| seen[at].facts.as_ref().is_none_or(|f| f.kind == Kind::Folder))
        };
        for row in rows.iter().filter(|r| r.live && !still_there(&r.name)) {
            jobs.push(Job { path: job.path.join(&row.name), row: Some(row.id), task: Task::Gone });
        }
        jobs
    }

    /// A folder that left: all its live rows, and the folders below it.
    fn visit_gone(&mut self, job: &Job) -> Result<Vec<Job>, Problem> {
        let Some(row) = job.row else { return Ok(Vec::new()) };
        let mut items = Vec::new();
        for known in self.reader.entries(row)? {
            self.missed(Some(row), &known, &mut items)?;
        }
        self.log.put(FolderPlan {
            path: job.path.clone(),
            facts: None,
            is_new: false,
            is_gone: true,
            items,
            deferrals: Vec::new(),
        })?;
        let gone =
            |r: FolderRow| Job { path: job.path.join(&r.name), row: Some(r.id), task: Task::Gone };
        Ok(self.reader.folders(row)?.into_iter().filter(|r| r.live).map(gone).collect())
    }
}

fn same_kind(row: RowKind, kind: Kind) -> bool {
    matches!((row, kind), (RowKind::File, Kind::File) | (RowKind::Symlink, Kind::Symlink))
}
