//! Pure: what is in doubt, and since when it is settled. The clock is handed in.
//!
//! A file is settled when its writer closed it, where that is heard; else when it was left
//! alone for a while. One that keeps being written is taken in after a while all the same,
//! and holds up no other. What is settled is gathered into one batch for a moment, so that
//! the two ends of a rename, and the files of one burst, come together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::relpath::RelPath;

use crate::scope::Folders;

/// A time: how long ago the watch had begun.
pub type Moment = Duration;

/// More files than this that are being written are not told apart any more.
const WRITERS: usize = 20_000;
/// More folders than this are not told apart any more.
const FOLDERS: usize = 50_000;

/// How long what is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// A batch begins when nothing more was settled for so long,
    pub grace: Duration,
    /// for a folder that came, since files may be on their way into it, so long,
    pub folder_grace: Duration,
    /// but no later than this after the first that is in it.
    pub gather: Duration,
    /// A file whose writer was not heard to end is settled when it was left alone for so long.
    pub quiet: Duration,
    /// One that keeps being written is taken in after so long; after twice as long the next time.
    pub longest: Duration,
}

/// What was heard of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Its content is being written.
    Written(RelPath),
    /// Its writer is done with it, or it came whole, as by a rename.
    Ended(RelPath),
    /// Something else of it changed: permissions, times, attributes.
    Facts(RelPath),
    /// Something else of a folder itself changed.
    FolderFacts(RelPath),
    /// It left.
    Left(RelPath),
    /// A folder came, left or was replaced, with all that is in it.
    Folder(RelPath),
    /// Something happened, and nobody can say where.
    Lost,
}

/// A file that is being written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Writer {
    since: Moment,
    last: Moment,
    /// How often it was taken in though it went on.
    taken: u32,
    /// True from when it was taken in until it is written again.
    is_in: bool,
}

/// What one batch looks at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// The folders.
    pub folders: Folders,
    /// Files that are being written, which are left for later.
    pub unsettled: BTreeSet<RelPath>,
}

/// What is in doubt.
#[derive(Debug)]
pub struct Pending {
    timing: Timing,
    writers: BTreeMap<RelPath, Writer>,
    settled: Folders,
    /// When the first of what is settled was, and when its batch may begin.
    first: Moment,
    ready: Moment,
}

impl Pending {
    /// Nothing is in doubt.
    pub fn new(timing: Timing) -> Pending {
        Pending {
            timing,
            writers: BTreeMap::new(),
            settled: Folders::new(),
            first: Moment::ZERO,
            ready: Moment::ZERO,
        }
    }

    /// Takes in what was heard.
    pub fn hear(&mut self, heard: Heard, now: Moment) {
        match heard {
            Heard::Written(path) => self.written(path, now),
            Heard::Ended(path) => {
                self.writers.remove(&path);
                self.settle_one(&path, now);
            }
            // A file that is being written is looked at anyway when that ends.
            Heard::Facts(path) if self.writers.contains_key(&path) => {}
            Heard::Facts(path) => self.settle_one(&path, now),
            Heard::FolderFacts(path) => self.settle(path, false, now, self.timing.grace),
            Heard::Left(path) => {
                self.end_writers_within(&path, now);
                self.settle_one(&path, now);
            }
            Heard::Folder(path) => {
                self.settle(path, true, now, self.timing.folder_grace);
            }
            Heard::Lost => self.settle(RelPath::root(), true, now, self.timing.folder_grace),
        }
    }

    /// Puts folders back, or in, that are to be looked at whatever is heard.
    pub fn doubt(&mut self, folders: Folders, now: Moment) {
        if !folders.is_empty() {
            self.begin(now, Duration::ZERO);
            self.settled.merge(folders);
            self.keep_small();
        }
    }

    /// True if a batch is to begin.
    pub fn is_due(&mut self, now: Moment) -> bool {
        self.settle_writers(now);
        self.due_at().is_some_and(|at| at <= now)
    }

    /// When to look again, if nothing is heard until then.
    pub fn wake_at(&self) -> Option<Moment> {
        let writers = self.writers.values().map(|w| self.ends(w));
        writers.chain(self.due_at()).min()
    }

    /// True if nothing is in doubt.
    pub fn is_empty(&self) -> bool {
        self.settled.is_empty() && self.writers.is_empty()
    }

    /// How many folders and files are in doubt.
    pub fn len(&self) -> usize {
        self.settled.len() + self.writers.len()
    }

    /// True if something was heard of this path, or of the folder it is in.
    pub fn mentions(&self, path: &RelPath) -> bool {
        let folder = path.split().map_or_else(RelPath::root, |(folder, _)| folder);
        self.settled.covers(&folder, false) || self.writers.contains_key(path)
    }

    /// Takes everything that is settled out, as one batch.
    pub fn take(&mut self, now: Moment) -> Batch {
        self.settle_writers(now);
        let still_written = self.writers.iter().filter(|(_, writer)| !writer.is_in);
        Batch {
            unsettled: still_written.map(|(path, _)| path.clone()).collect(),
            folders: std::mem::take(&mut self.settled),
        }
    }

    fn due_at(&self) -> Option<Moment> {
        let latest = self.first + self.timing.gather;
        (!self.settled.is_empty()).then(|| self.ready.min(latest))
    }

    fn written(&mut self, path: RelPath, now: Moment) {
        let new = Writer { since: now, last: now, taken: 0, is_in: false };
        let writer = self.writers.entry(path).or_insert(new);
        if writer.is_in {
            (writer.is_in, writer.since) = (false, now);
        }
        writer.last = now;
        if self.writers.len() > WRITERS {
            for path in std::mem::take(&mut self.writers).into_keys() {
                self.settle_one(&path, now);
            }
        }
    }

    fn settle_one(&mut self, path: &RelPath, now: Moment) {
        match path.split() {
            Some((folder, _)) => self.settle(folder, false, now, self.timing.grace),
            None => self.settle(RelPath::root(), true, now, self.timing.grace),
        }
    }

    fn settle(&mut self, folder: RelPath, below: bool, now: Moment, grace: Duration) {
        self.begin(now, grace);
        self.settled.add(folder, below);
        self.keep_small();
    }

    fn begin(&mut self, now: Moment, grace: Duration) {
        if self.settled.is_empty() {
            (self.first, self.ready) = (now, now);
        }
        self.ready = self.ready.max(now + grace);
    }

    fn keep_small(&mut self) {
        if self.settled.len() > FOLDERS {
            self.settled.add(RelPath::root(), true);
        }
    }

    fn end_writers_within(&mut self, path: &RelPath, now: Moment) {
        let from = self.writers.range(path.clone()..).map(|(p, _)| p);
        // Names that only begin alike may stand between a folder and what is in it.
        let begins = |p: &&RelPath| p.as_bytes().starts_with(path.as_bytes());
        let within: Vec<RelPath> =
            from.take_while(begins).filter(|p| p.is_within(path)).cloned().collect();
        for path in within {
            self.writers.remove(&path);
            self.settle_one(&path, now);
        }
    }

    /// When a writer counts as done, or is not waited for any longer.
    fn ends(&self, writer: &Writer) -> Moment {
        let quiet = writer.last + self.timing.quiet;
        if writer.is_in {
            return quiet;
        }
        let patience = self.timing.longest.saturating_mul(1 << writer.taken.min(6));
        quiet.min(writer.since.saturating_add(patience))
    }

    fn settle_writers(&mut self, now: Moment) {
        let ended: Vec<RelPath> = self
            .writers
            .iter()
            .filter(|(_, writer)| self.ends(writer) <= now)
            .map(|(path, _)| path.clone())
            .collect();
        for path in ended {
            let Some(writer) = self.writers.get_mut(&path) else { continue };
            let was_in = writer.is_in;
            if now >= writer.last + self.timing.quiet {
                self.writers.remove(&path);
            } else {
                (writer.is_in, writer.taken) = (true, writer.taken + 1);
            }
            if !was_in && let Some((folder, _)) = path.split() {
                self.settle(folder, false, now, Duration::ZERO);
            }
        }
    }
}

#[cfg(test)]
mod tests;
