//! Entries and rows of one folder, merged in the order of their names.

use std::cmp::Ordering as Order;

use host::{Dir, Facts, Kind};
use model::ingest::Totals;
use model::problem::Problem;
use store::manifest::{Entries, Known, Reader, RowKind};

use super::away::{Deferred, live};
use super::look::{Here, Seen};
use super::names::CopyNames;
use super::{Change, compare};
use crate::placeholder::{self, Away};
use crate::plan::{FolderPlan, Item, PlanLog, Todo, Was};

/// So many items are kept before they go to the plan's log.
const ITEMS: usize = 4096;

/// The merge of one folder.
pub(super) struct Merge<'a> {
    pub reader: &'a Reader,
    pub totals: &'a mut Totals,
    pub log: &'a PlanLog,
    /// The folder's row.
    pub row: Option<i64>,
    /// True if copies are to be compared as well.
    pub reconcile: bool,
    /// True if a file whose row tells of no copy is as good as new.
    pub wants_copies: bool,
    /// The folder of the copy, when it is to be compared and is there.
    pub copy: Option<&'a Dir>,
    /// The folder's placeholders.
    pub deferred: Deferred,
    /// What the plan says of the folder itself; its items go to the log as they come.
    pub plan: FolderPlan,
    /// The names that copies get.
    pub names: &'a CopyNames,
    /// True if anything was to be done with an entry.
    pub differs: bool,
}

/// A folder's rows, one of them looked at beforehand.
pub(super) struct RowsAhead<'a, 'b> {
    rows: Option<&'a mut Entries<'b>>,
    next: Option<Known>,
}

impl<'a, 'b> RowsAhead<'a, 'b> {
    /// The rows of a folder that has a row itself.
    pub fn of(rows: &'a mut Entries<'b>) -> Result<RowsAhead<'a, 'b>, Problem> {
        let next = rows.next_row()?;
        Ok(RowsAhead { rows: Some(rows), next })
    }

    /// No rows.
    pub fn none() -> RowsAhead<'a, 'b> {
        RowsAhead { rows: None, next: None }
    }

    /// The next row if it stands to a name as asked.
    fn next_if(&mut self, name: Option<&[u8]>, order: Order) -> Result<Option<Known>, Problem> {
        let fits = |known: &Known| name.is_none_or(|name| (*known.name).cmp(name) == order);
        if !self.next.as_ref().is_some_and(fits) {
            return Ok(None);
        }
        let after = match &mut self.rows {
            Some(rows) => rows.next_row()?,
            None => None,
        };
        Ok(std::mem::replace(&mut self.next, after))
    }
}

impl Merge<'_> {
    /// Merges a stretch of entries; what is left of the rows waits for the next one.
    pub fn stretch(
        &mut self,
        seen: &[Seen<'_>],
        rows: &mut RowsAhead<'_, '_>,
    ) -> Result<(), Problem> {
        for entry in seen {
            while let Some(missed) = rows.next_if(Some(&entry.name), Order::Less)? {
                self.missed(&missed)?;
            }
            let of_name = rows.next_if(Some(&entry.name), Order::Equal)?;
            match &entry.here {
                Here::Other(facts) => self.entry(&entry.name, facts, of_name.as_ref())?,
                Here::Away(facts, away) => {
                    self.away(&entry.name, facts, away, of_name.as_ref())?;
                }
                Here::Folder => self.folder(of_name.as_ref())?,
                // What is left out or can't be asked is not taken for gone.
                Here::LeftOut | Here::Unasked => {}
            }
            self.flush(ITEMS)?;
        }
        Ok(())
    }

    /// Rows beyond the last entry: what they stand for is gone.
    pub fn rest(&mut self, rows: &mut RowsAhead<'_, '_>) -> Result<(), Problem> {
        while let Some(missed) = rows.next_if(None, Order::Equal)? {
            self.missed(&missed)?;
            self.flush(ITEMS)?;
        }
        Ok(())
    }

    /// Hands over what is left, and what is to be said of the folder even when nothing is;
    /// true if anything was to be done with an entry. `unasked` tells names that could not be asked.
    pub fn end(mut self, unasked: impl Fn(&[u8]) -> bool) -> Result<bool, Problem> {
        let folder_differs = self.plan.is_new || self.plan.is_gone;
        let deferrals = std::mem::take(&mut self.deferred).changes(unasked);
        if !(self.differs || folder_differs) {
            // The folder's own row is not to be written.
            self.plan.facts = None;
        }
        let defers = !deferrals.is_empty();
        self.plan.deferrals = deferrals;
        if self.plan.has_anything() {
            self.log.put(self.plan)?;
        }
        Ok(self.differs || defers)
    }

    /// Hands items over when there are so many; only the first part tells of the folder itself.
    fn flush(&mut self, at_least: usize) -> Result<(), Problem> {
        if self.plan.items.len() < at_least {
            return Ok(());
        }
        let rest = FolderPlan::of(&self.plan.mapped());
        self.log.put(std::mem::replace(&mut self.plan, rest))
    }

    fn put(&mut self, item: Item) {
        self.differs = true;
        self.plan.items.push(item);
    }

    /// A folder is there: what had its name leaves it, and so does a tombstone's copy.
    fn folder(&mut self, known: Option<&Known>) -> Result<(), Problem> {
        match (known, self.row) {
            (Some(gone), _) if gone.live => self.gives_way(gone),
            (Some(dead), Some(row)) if dead.copy_mtime_ns.is_some() => {
                if let Some(record) = self.reader.record(row, &dead.name)? {
                    self.put(Item::in_the_way(&dead.name, &record));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A placeholder is there: what is stored under its name stays, but for a link.
    fn away(
        &mut self,
        name: &[u8],
        facts: &Facts,
        away: &Away,
        known: Option<&Known>,
    ) -> Result<(), Problem> {
        if let Some(link) = live(known).filter(|k| k.kind == RowKind::Symlink) {
            self.missed(link)?;
        }
        let live = live(known).filter(|k| !self.copy_differs(k));
        let standing = away.standing(live);
        self.deferred.meet(name, facts, away, standing, self.totals);
        Ok(())
    }

    fn entry(&mut self, name: &[u8], facts: &Facts, known: Option<&Known>) -> Result<(), Problem> {
        count(self.totals, name, facts);
        let unlike = known.filter(|k| k.live && !same_kind(k.kind, facts.kind));
        match unlike {
            // A special file has no copy of its own: nobody else wants the name.
            Some(gone) if facts.kind == Kind::Special => self.missed(gone)?,
            Some(gone) => self.gives_way(gone)?,
            None => {}
        }
        let unlike = unlike.is_some();
        let is_known = |k: &&Known| !unlike && !self.was_only_catalogued(k);
        let (of_name, known) = (known, known.filter(is_known));
        let todo = match (compare(facts, known), known) {
            (Change::None, Some(k)) if facts.kind == Kind::File => {
                if !self.copy_differs(k) {
                    self.totals.unchanged += 1;
                    return Ok(());
                }
                Todo::Compare { was: self.was(k)? }
            }
            (Change::None, _) => return Ok(()),
            (Change::Facts, Some(k)) => Todo::Compare { was: self.was(k)? },
            (Change::New | Change::Facts, _) => Todo::Store,
            (Change::Symlink, _) => Todo::Symlink,
        };
        let copy_name = self.names.of_file(name, of_name);
        self.put(Item { copy_name, ..Item::of(name, facts, todo) });
        Ok(())
    }

    fn was_only_catalogued(&self, known: &Known) -> bool {
        self.wants_copies && known.kind == RowKind::File && known.copy_mtime_ns.is_none()
    }

    /// The stored version of a file whose facts changed.
    fn was(&self, known: &Known) -> Result<Was, Problem> {
        let record = match self.row {
            Some(row) => self.reader.record(row, &known.name)?,
            None => None,
        };
        Ok(Was { size: known.size, digest: record.and_then(|record| record.digest) })
    }

    /// True if the copy is to be compared and is not there as it was left.
    fn copy_differs(&self, known: &Known) -> bool {
        if !self.reconcile {
            return false;
        }
        let facts = self.copy.and_then(|dir| dir.facts(known.copy_name()).ok());
        !facts.is_some_and(|f| {
            f.kind == Kind::File && f.size == known.size && Some(f.mtime_ns) == known.copy_mtime_ns
        })
    }

    /// A live row whose name is wanted for something else.
    fn gives_way(&mut self, known: &Known) -> Result<(), Problem> {
        let before = self.plan.items.len();
        self.missed(known)?;
        if let Some(item) = self.plan.items.get_mut(before) {
            item.give_way();
        }
        Ok(())
    }

    /// A live row whose name is not there any more.
    pub fn missed(&mut self, known: &Known) -> Result<(), Problem> {
        let Some(row) = self.row.filter(|_| known.live) else { return Ok(()) };
        if let Some(record) = self.reader.record(row, &known.name)? {
            self.put(Item::gone(&known.name, &record));
        }
        Ok(())
    }
}

/// Counts an entry that was found.
pub(super) fn count(totals: &mut Totals, name: &[u8], facts: &Facts) {
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

fn same_kind(row: RowKind, kind: Kind) -> bool {
    matches!((row, kind), (RowKind::File, Kind::File) | (RowKind::Symlink, Kind::Symlink))
}
