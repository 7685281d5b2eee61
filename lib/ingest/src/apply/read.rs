//! Files whose content decides: adopted, touched, or copied to a temporary.

use host::obstacle::{self, Obstacle};
use host::{Dir, Facts, Kind};
use model::ingest::Change;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::manifest::Record;

use super::prepare::{Place, Preparer, Step, explains, row_of};
use super::same::xattrs_now;
use super::{entry_problem, folders};
use crate::copy::{Copied, Copy, Failed};
use crate::digest;
use crate::patience::{self, Reason};
use crate::placeholder;
use crate::plan::{Item, Todo};
use crate::verify::{has_facts_of, rot};

/// A file that kept its size, and either its time or at least this many bytes, is read for
/// its digest before it is copied: most such changes are touches, and a copy that is
/// thrown away costs more than a second read.
const WORTH_HASHING_FIRST: u64 = 16 * 1024 * 1024;

impl Preparer<'_> {
    /// A file whose content decides: adopted, touched, or copied to a temporary.
    pub(super) fn file(&mut self, place: &Place, item: &Item) -> Result<Option<Step>, Problem> {
        let Some(source) = &place.source else { return Ok(None) };
        if self.ground.fetches && self.ground.patience.is_refused() {
            return Ok(None);
        }
        let over = match self.target(place, item.copy_name()) {
            Ok(over) => over,
            Err(e) => return self.entry_failed(e),
        };
        let record = match &over {
            Some(_) => self.record(place, &item.name)?,
            // Only a doubted one says anything of a copy that is not there.
            None if !matches!(item.todo, Todo::Compare { .. } | Todo::Replace { .. }) => None,
            None => self.record(place, &item.name)?.filter(Record::is_doubted),
        };
        let read_ns = self.ground.now_ns();
        if let Some(step) =
            self.without_copying(place, item, over.as_ref(), record.as_ref(), read_ns)
        {
            self.ground.counters.add_file();
            return Ok(Some(step));
        }
        match self.fresh(place, source, item, over.as_ref())? {
            Some(fresh) => self.copied(place, item, fresh, over, record),
            None => Ok(None),
        }
    }

    /// A file that gets a name which nothing has.
    pub(super) fn copied_to_free(
        &mut self,
        place: &Place,
        item: &Item,
    ) -> Result<Option<Step>, Problem> {
        let Some(source) = &place.source else { return Ok(None) };
        match self.fresh(place, source, item, None)? {
            Some(fresh) => {
                let item = Item { todo: Todo::Store, ..item.clone() };
                self.copied(place, &item, fresh, None, None)
            }
            None => Ok(None),
        }
    }

    /// A new temporary with the file's content; `None` if there is none, which was reported.
    fn fresh(
        &mut self,
        place: &Place,
        source: &Dir,
        item: &Item,
        over: Option<&Facts>,
    ) -> Result<Option<Fresh>, Problem> {
        let read_ns = self.ground.now_ns();
        let temp = self.ground.next_temporary();
        match self.copier.copy(source, &item.name, &place.copy, &temp) {
            Ok(Copied::Whole(_))
                if self.ground.fetches && self.is_still_away(source, &item.name) =>
            {
                let what =
                    "its client let it be read, and still says that its content is not there";
                let problem = Problem::new(Code::EntryNotDelivered, what);
                self.problems.push(problem.at(shown(source, &item.name)));
                match place.copy.remove_file(&temp) {
                    Ok(()) => Ok(None),
                    Err(e) => self.entry_failed(e),
                }
            }
            Ok(Copied::Whole(copy)) => Ok(Some(Fresh { temp, copy, read_ns })),
            Ok(Copied::NotThere | Copied::Stopped) => Ok(None),
            Ok(Copied::KeptChanging) => {
                let what = "the file changed each time it was read";
                self.problems
                    .push(Problem::new(Code::ChangedWhileRead, what).at(shown(source, &item.name)));
                Ok(None)
            }
            Err(Failed::Source(e)) => {
                self.narrow_unread(place, item, over);
                if obstacle::of(&e.source) == Obstacle::Forbidden {
                    self.ground.patience.refused();
                }
                self.problems.push(patience::problem(&e));
                Ok(None)
            }
            Err(Failed::Space(e)) => self.entry_failed(e),
        }
    }

    /// A source that can't be read any more may have lost permission bits: its copy loses
    /// them too (safety law 9).
    fn narrow_unread(&mut self, place: &Place, item: &Item, over: Option<&Facts>) {
        let facts = place.source.as_ref().and_then(|dir| dir.facts(&item.name).ok());
        let Some(facts) = facts.filter(|_| over.is_some_and(|over| over.kind == Kind::File)) else {
            return;
        };
        if let Err(e) = folders::narrow_file(&place.copy, &item.name, facts.mode) {
            self.problems.push(entry_problem(&e));
        }
    }

    /// True for a placeholder that was opened and is one all the same; clients take a moment to say otherwise.
    fn is_still_away(&self, source: &Dir, name: &[u8]) -> bool {
        let ground = self.ground;
        let reason = Reason::Obstacle(Obstacle::NotDelivered);
        let away = |facts: Facts| placeholder::look(source, name, &facts).1.is_some();
        let mut tries = 0;
        while source.facts(name).is_ok_and(away) {
            tries += 1;
            if !ground.patience.wait(reason, tries, ground.clock, ground.stop) {
                return true;
            }
        }
        false
    }

    /// Where an equal copy may be there already: by digests, without writing anything.
    fn without_copying(
        &mut self,
        place: &Place,
        item: &Item,
        over: Option<&Facts>,
        record: Option<&Record>,
        read_ns: i64,
    ) -> Option<Step> {
        let over = over.filter(|f| f.kind == Kind::File && f.size == item.size)?;
        let explained = record.filter(|r| explains(r, over));
        if explained.is_some_and(|r| r.mtime_ns != item.mtime_ns) && item.size < WORTH_HASHING_FIRST
        {
            return None;
        }
        let stop = self.ground.stop;
        let (source, facts) =
            digest::of_stable(place.source.as_ref()?, &item.name, stop).ok()??;
        let copy = match explained.and_then(|r| r.digest) {
            Some(digest) => digest,
            None => digest::of_stable(&place.copy, item.copy_name(), stop).ok()??.0,
        };
        if source != copy {
            return None;
        }
        if let Some(old) = explained.filter(|r| r.live) {
            let xattrs = xattrs_now(place, &item.name);
            return Some(self.touched(&facts, xattrs, old.clone(), read_ns));
        }
        let suspect = self.ground.racy.is_suspect(&facts, read_ns);
        let xattrs = xattrs_now(place, &item.name);
        let record =
            Record { digest: Some(source), xattrs, ..row_of(&facts, Some(over.mtime_ns), suspect) };
        Some(Step::Row {
            record: Box::new(record),
            change: Change::Adopted,
            narrow: true,
            from: None,
        })
    }

    /// True if this stores again what a copy had lost; another content under unchanged facts is told.
    fn repaired(
        &mut self,
        place: &Place,
        item: &Item,
        copy: &Copy,
        record: Option<&Record>,
    ) -> bool {
        let Some(row) = record.filter(|row| row.live && row.is_doubted()) else { return false };
        let same = row.digest == Some(copy.digest);
        if !same && has_facts_of(row, &copy.facts) {
            let path = shown(place.source.as_ref().unwrap_or(&place.copy), &item.name);
            self.problems.push(Problem { place: Some(path), ..rot(&RelPath::root()) });
        }
        same
    }

    fn copied(
        &mut self,
        place: &Place,
        item: &Item,
        fresh: Fresh,
        over: Option<Facts>,
        record: Option<Record>,
    ) -> Result<Option<Step>, Problem> {
        let Fresh { temp, copy, read_ns } = fresh;
        self.ground.counters.add_file();
        let repaired = self.repaired(place, item, &copy, record.as_ref());
        let explained = record.filter(|r| over.as_ref().is_some_and(|f| explains(r, f)));
        if let Some(old) = explained.as_ref().filter(|r| r.digest == Some(copy.digest)) {
            if let Err(e) = place.copy.remove_file(&temp) {
                return self.entry_failed(e);
            }
            let mut step = self.touched(&copy.facts, copy.xattrs, old.clone(), read_ns);
            if let Step::Row { change, .. } = &mut step
                && !old.live
            {
                *change = Change::Adopted;
            }
            return Ok(Some(step));
        }
        let replaces = explained.as_ref().filter(|r| r.live).map(|r| r.size);
        let change = if repaired {
            Change::Repaired
        } else if replaces.is_some()
            || matches!(item.todo, Todo::Compare { .. } | Todo::Replace { .. })
        {
            Change::Replaced
        } else {
            Change::Stored
        };
        let suspect = self.ground.racy.is_suspect(&copy.facts, read_ns);
        let Copy { digest, facts, xattrs, mtime_ns } = copy;
        let record =
            Record { digest: Some(digest), xattrs, ..row_of(&facts, Some(mtime_ns), suspect) };
        let was = explained.map(Box::new);
        Ok(Some(Step::Publish { temp, record: Box::new(record), over, change, replaces, was }))
    }
}

/// A temporary that was just written.
struct Fresh {
    temp: Vec<u8>,
    copy: Copy,
    read_ns: i64,
}

fn shown(dir: &Dir, name: &[u8]) -> model::text::Text {
    dir.path().join(&*host::name::os(name)).as_path().into()
}
