//! Files of an inbox: each gets a name of its own, and what arrived before keeps its.

use host::{Dir, Facts, Kind, barrier, taking};
use model::ingest::Change;
use model::problem::Problem;
use store::manifest::Record;

use super::prepare::{Names, Place, Preparer, Step, explains, row_of};
use super::same::xattrs_now;
use crate::digest;
use crate::inbox::{Arrivals, slots};
use crate::patience;
use crate::plan::Item;

/// A name, and what is to be done there.
pub(super) type Named = (Names, Step);

/// What the name is that a thing gets.
enum Slot {
    /// Nothing has this name.
    Free(Names),
    /// The very same content has it.
    Same(Names, Box<Facts>, Option<Box<Record>>),
}

impl Preparer<'_> {
    /// A file of an inbox; nothing while somebody may still be writing it.
    pub(super) fn arrival(
        &mut self,
        place: &Place,
        item: &Item,
        arrivals: Arrivals,
    ) -> Result<Option<Named>, Problem> {
        let Some(source) = &place.source else { return Ok(None) };
        let facts = source.facts(&item.name).ok().filter(|f| f.kind == Kind::File);
        let Some(facts) = facts else { return Ok(None) };
        let is_written = || source.read(&item.name).is_ok_and(|f| taking::is_being_written(&f));
        if !arrivals.is_settled(&facts, self.ground.now_ns()) || is_written() {
            self.ground.counters.add_unsettled();
            return Ok(None);
        }
        if arrivals.in_place() {
            let step = self.in_place(source, place, item);
            let names = Names { name: item.name.clone(), copy: None };
            return Ok(step.map(|step| (names, step)));
        }
        match self.slot(place, source, item)? {
            None => Ok(None),
            Some(Slot::Same(names, copy, row)) => Ok(self.again(place, item, names, &copy, row)),
            Some(Slot::Free(names)) => {
                self.named.insert(names.name.clone());
                let step = if arrivals.in_space && same_file_system(source, &place.copy) {
                    self.moved(source, place, item)
                } else {
                    self.copied_to_free(place, item)?
                };
                Ok(step.map(|step| step.named(names)))
            }
        }
    }

    /// The first name that is free or holds the same content already.
    fn slot(&mut self, place: &Place, source: &Dir, item: &Item) -> Result<Option<Slot>, Problem> {
        let mut known = None;
        for nth in 1..=slots::MOST {
            let names = slot(item, nth);
            if self.named.contains(&names.name) {
                continue;
            }
            let row = self.record(place, &names.name)?;
            let over = match self.target(place, names.copy()) {
                Ok(over) => over,
                Err(e) => return self.entry_failed(e),
            };
            let Some(over) = over else {
                // Its row alone: the copy of what arrived under this name was lost, and the
                // name is that thing's all the same, unless this is it.
                let content = match &row {
                    Some(_) => self.content_of(source, &item.name, &mut known)?,
                    None => None,
                };
                if row.is_none_or(|row| content.is_some() && row.digest == content) {
                    return Ok(Some(Slot::Free(names)));
                }
                continue;
            };
            if over.kind != Kind::File || over.size != item.size {
                continue;
            }
            let Some(content) = self.content_of(source, &item.name, &mut known)? else {
                return Ok(None);
            };
            let of_row = row.as_ref().filter(|row| explains(row, &over)).and_then(|r| r.digest);
            let copy = match of_row {
                Some(digest) => Some(digest),
                None => self.content_of(&place.copy, names.copy(), &mut None)?,
            };
            if copy == Some(content) {
                return Ok(Some(Slot::Same(names, Box::new(over), row.map(Box::new))));
            }
        }
        Ok(None)
    }

    fn content_of(
        &mut self,
        dir: &Dir,
        name: &[u8],
        known: &mut Option<[u8; 32]>,
    ) -> Result<Option<[u8; 32]>, Problem> {
        if known.is_none() {
            match digest::of_stable(dir, name, self.ground.stop) {
                Ok(read) => *known = read.map(|(digest, _)| digest),
                Err(e) => self.problems.push(patience::problem(&e)),
            }
        }
        Ok(*known)
    }

    /// The same content is there already: the row says that this file is what it came from.
    fn again(
        &mut self,
        place: &Place,
        item: &Item,
        names: Names,
        copy: &Facts,
        row: Option<Box<Record>>,
    ) -> Option<Named> {
        let read_ns = self.ground.now_ns();
        let (digest, facts) =
            digest::of_stable(place.source.as_ref()?, &item.name, self.ground.stop).ok()??;
        let is_known = row.is_some_and(|row| row.live && row.digest == Some(digest));
        let change = if is_known { Change::Touched } else { Change::Adopted };
        let suspect = self.ground.racy.is_suspect(&facts, read_ns);
        let record = Record {
            digest: Some(digest),
            xattrs: xattrs_now(place, &item.name),
            ..row_of(&facts, Some(copy.mtime_ns), suspect)
        };
        self.ground.counters.add_file();
        let step = Step::Row { record: Box::new(record), change, narrow: true, from: None };
        Some(step.named(names))
    }

    /// Digested, and left where it lies.
    fn in_place(&mut self, source: &Dir, place: &Place, item: &Item) -> Option<Step> {
        let (_, record, change) = self.digested(source, place, item)?;
        Some(Step::Row { record: Box::new(record), change, narrow: false, from: None })
    }

    /// Digested and durable, to be renamed into the copy.
    fn moved(&mut self, source: &Dir, place: &Place, item: &Item) -> Option<Step> {
        let (facts, record, _) = self.digested(source, place, item)?;
        if self.ground.barrier.is_each() {
            let synced = source.read(&item.name).and_then(|file| {
                let path = source.path().join(&*host::name::os(&item.name));
                host::error::Attempt::attempt(barrier::sync_file(&file), "sync", path)
            });
            if let Err(e) = synced {
                self.problems.push(patience::problem(&e));
                return None;
            }
        }
        let record = Box::new(Record { copy_mtime_ns: Some(record.mtime_ns), ..record });
        Some(Step::Take { from: item.name.clone(), facts: Box::new(facts), record })
    }

    fn digested(
        &mut self,
        source: &Dir,
        place: &Place,
        item: &Item,
    ) -> Option<(Facts, Record, Change)> {
        let read_ns = self.ground.now_ns();
        let read = digest::of_stable(source, &item.name, self.ground.stop);
        let (digest, facts) = match read {
            Ok(read) => read?,
            Err(e) => {
                self.problems.push(patience::problem(&e));
                return None;
            }
        };
        let was = self.record(place, &item.name).ok().flatten().filter(|row| row.live);
        let change = match was {
            Some(row) if row.digest == Some(digest) => Change::Touched,
            Some(_) => Change::Replaced,
            None => Change::Stored,
        };
        let suspect = self.ground.racy.is_suspect(&facts, read_ns);
        let xattrs = xattrs_now(place, &item.name);
        self.ground.counters.add_file();
        let record = Record { digest: Some(digest), xattrs, ..row_of(&facts, None, suspect) };
        Some((facts, record, change))
    }
}

/// The names of the nth thing of an item's name.
fn slot(item: &Item, nth: u32) -> Names {
    let name = slots::numbered(&item.name, nth);
    let copy = slots::numbered(item.copy_name(), nth);
    Names { copy: (copy != name).then_some(copy), name }
}

impl Step {
    /// The step with the names of its slot.
    fn named(mut self, names: Names) -> Named {
        if let Step::Row { record, .. } | Step::Publish { record, .. } | Step::Take { record, .. } =
            &mut self
        {
            record.copy_name.clone_from(&names.copy);
        }
        (names, self)
    }
}

/// True if a rename from one folder to the other can work.
fn same_file_system(one: &Dir, other: &Dir) -> bool {
    let of = |dir: &Dir| dir.own_facts().ok().map(|f| (f.device, f.mount_id));
    of(one).is_some() && of(one) == of(other)
}
