//! The walk: threads take folders from a common list until none is left.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

use host::Dir;
use host::stop::Stop;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::{FolderRow, Readers, Seen};
use store::names::{Mapped, Target};

use super::folder::Walker;
use super::{Found, start};
use crate::excludes::Excludes;
use crate::parallel;
use crate::plan::PlanLog;
use crate::scope::Scope;

/// What a scan looks at, and how.
pub struct Scan<'a> {
    /// The source root.
    pub source: &'a Dir,
    /// The manifest.
    pub manifest: &'a Readers,
    /// Which part of the source.
    pub scope: &'a Scope,
    /// Files that are left for later: nothing is said of them.
    pub unsettled: &'a BTreeSet<RelPath>,
    /// Which names the copy's file system can hold.
    pub target: Target,
    /// What is left out.
    pub excludes: &'a Excludes,
    /// Told of each folder just before it is listed: what changes in it later than that is heard of.
    pub before_listing: Option<&'a (dyn Fn(&RelPath) + Sync)>,
    /// The copy's root, when every copy is to be compared by stat; see safety law 5.
    pub reconcile: Option<&'a Dir>,
    /// True if a file whose row tells of no copy is as good as new: it was only catalogued.
    pub wants_copies: bool,
    /// Threads.
    pub threads: usize,
    /// Asked to stop.
    pub stop: &'a Stop,
    /// Entries that were looked at so far.
    pub looked_at: &'a AtomicU64,
}

impl std::fmt::Debug for Scan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan")
            .field("source", self.source)
            .field("scope", self.scope)
            .finish_non_exhaustive()
    }
}

/// A folder to look at.
#[derive(Debug)]
pub(super) struct Job {
    /// Where it is, and where its copy.
    pub at: Mapped,
    /// Its row, when it is known.
    pub row: Option<i64>,
    /// The digest of its entries' facts, when all were as their rows say.
    pub seen: Option<Seen>,
    pub task: Task,
}

impl Job {
    /// A folder that is there, with its row when it has one.
    pub fn compare(at: Mapped, row: Option<&FolderRow>) -> Job {
        let is_new = !row.is_some_and(|row| row.live);
        let task = Task::Compare { is_new, mode: row.map_or(0, |row| row.mode), below: true };
        Job { at, row: row.map(|row| row.id), seen: row.and_then(|row| row.seen), task }
    }

    /// A folder that left.
    pub fn gone(at: Mapped, row: i64) -> Job {
        Job { at, row: Some(row), seen: None, task: Task::Gone }
    }
}

/// What to do with a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Task {
    /// Compare it with the manifest.
    Compare {
        /// True if its row is missing or a tombstone.
        is_new: bool,
        /// The permission bits that its row has.
        mode: u32,
        /// True if the folders below it are to be looked at; those that are new or gone always are.
        below: bool,
    },
    /// It left the source with everything below it.
    Gone,
}

impl Task {
    /// True for folders that nobody has looked at as they are now.
    pub fn is_always_done(self) -> bool {
        matches!(self, Task::Gone | Task::Compare { is_new: true, .. })
    }
}

/// Scans the source; what differs goes into the plan's log.
///
/// `tick` is called about every 100 ms meanwhile.
///
/// # Errors
/// When the manifest can't be read or the log can't be written; what can't be read of
/// the source is a problem in the result, but for the root itself.
pub fn scan(what: &Scan<'_>, log: &PlanLog, tick: &mut dyn FnMut()) -> Result<Found, Problem> {
    let queue = Queue::starting_with(start::jobs(what)?);
    let mut all = Found { root_is_empty: start::root_is_empty(what), ..Found::default() };
    all.totals.partial = what.scope.is_partial();
    std::thread::scope(|scope| {
        let (alive, all_ended) = mpsc::channel::<()>();
        let workers: Vec<_> = (0..what.threads.max(1))
            .map(|_| {
                let alive = alive.clone();
                let queue = &queue;
                scope.spawn(move || {
                    let _alive = alive;
                    work(what, queue, log)
                })
            })
            .collect();
        drop(alive);
        parallel::tick_until(&all_ended, tick);
        for worker in workers {
            all.add(parallel::joined(worker)?);
        }
        Ok(all)
    })
}

fn work(what: &Scan<'_>, queue: &Queue, log: &PlanLog) -> Result<Found, Problem> {
    let result = what.manifest.open().map_err(Problem::from).and_then(|reader| {
        let mut walker = Walker::new(what, reader, log)?;
        while let Some(job) = queue.take() {
            let found_below = if what.stop.asked() { Ok(Vec::new()) } else { walker.visit(&job) };
            queue.finish(found_below?);
        }
        Ok(walker.found)
    });
    if result.is_err() {
        queue.abandon();
    }
    result
}

/// The folders that wait, and who is at work.
struct Queue {
    inner: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// Folders that are being looked at.
    at_work: usize,
    /// Threads that wait for a folder: only they need to be woken.
    idle: usize,
    /// True after a failure: nobody takes anything any more.
    abandoned: bool,
}

impl Queue {
    fn starting_with(jobs: Vec<Job>) -> Queue {
        let waiting = Waiting { jobs, ..Waiting::default() };
        Queue { inner: Mutex::new(waiting), changed: Condvar::new() }
    }

    /// The next folder; waits while others may still find some; `None` at the end.
    fn take(&self) -> Option<Job> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = inner.jobs.pop().filter(|_| !inner.abandoned) {
                inner.at_work += 1;
                return Some(job);
            }
            if inner.at_work == 0 || inner.abandoned {
                self.changed.notify_all();
                return None;
            }
            inner.idle += 1;
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.idle -= 1;
        }
    }

    fn finish(&self, found: Vec<Job>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.jobs.extend(found);
        inner.at_work -= 1;
        if inner.idle > 0 && (!inner.jobs.is_empty() || inner.at_work == 0) {
            self.changed.notify_all();
        }
    }

    fn abandon(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.abandoned = true;
        self.changed.notify_all();
    }
}
