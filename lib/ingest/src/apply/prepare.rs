//! Stage one of a batch: everything that can be done beside the final names.

use host::error::Meaning;
use host::{Dir, Facts, Kind};
use model::ingest::Change;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::manifest::{Reader, Record, RowKind};

use super::{Ground, entry_problem, folders, is_fatal};
use crate::copy::{Copied, Copier, Copy, Failed};
use crate::digest;
use crate::plan::{FolderPlan, Item, Todo};

/// A file that kept its size, and either its time or at least this many bytes, is read for
/// its digest before it is copied: most such changes are touches, and a copy that is
/// thrown away costs more than a second read.
const WORTH_HASHING_FIRST: u64 = 16 * 1024 * 1024;

/// A part of a plan with everything done beside the final names.
#[derive(Debug)]
pub struct PreparedPart {
    /// The part of the plan, without its items.
    pub plan: FolderPlan,
    /// What is left to be done.
    pub steps: Vec<(Vec<u8>, Step)>,
    /// What went wrong.
    pub problems: Vec<Problem>,
}

/// What is left to be done with one entry.
#[derive(Debug)]
pub enum Step {
    /// Give a temporary its final name.
    Publish {
        /// The temporary's name.
        temp: Vec<u8>,
        /// The row it becomes.
        record: Box<Record>,
        /// What has the final name now.
        over: Option<Facts>,
        /// What is told of it.
        change: Change,
        /// Bytes of the live version that it replaces.
        replaces: Option<u64>,
    },
    /// Write a row; the copy is as it should be.
    Row {
        /// The row.
        record: Box<Record>,
        /// What is told of it.
        change: Change,
        /// True if the copy may have permission bits that the source lost.
        narrow: bool,
        /// The former path of a rename whose copy was renamed already.
        from: Option<RelPath>,
    },
    /// Rename the copy.
    Rename {
        /// The former path.
        from: RelPath,
        /// The row it becomes.
        record: Box<Record>,
    },
    /// Bury a row.
    Gone {
        /// Bytes of the copy.
        size: u64,
        /// True if it is a file with a copy.
        is_file: bool,
        /// True if the copy moves to the trash.
        to_trash: bool,
    },
}

/// One thread's tools.
#[derive(Debug)]
pub struct Preparer<'a> {
    ground: &'a Ground<'a>,
    copier: Copier<'a>,
    reader: Reader,
    problems: Vec<Problem>,
}

/// What is known of an entry's folder while its items are prepared.
struct Place {
    row: Option<i64>,
    source: Option<Dir>,
    copy: Dir,
    copy_is_empty: bool,
}

impl<'a> Preparer<'a> {
    /// Tools for one thread.
    pub fn new(ground: &'a Ground<'a>) -> Result<Preparer<'a>, Problem> {
        let copier = Copier::new(ground);
        Ok(Preparer { ground, copier, reader: ground.readers.open()?, problems: Vec::new() })
    }

    /// Prepares a part; what fails for one entry is a problem, what fails for the space ends the run.
    pub fn part(&mut self, plan: &FolderPlan) -> Result<PreparedPart, Problem> {
        let head = FolderPlan { items: Vec::new(), ..plan.clone() };
        let mut part = PreparedPart { plan: head, steps: Vec::new(), problems: Vec::new() };
        if let Some(place) = self.place(plan)? {
            for item in &plan.items {
                if self.ground.stop.asked() {
                    break;
                }
                if let Some(step) = self.step(&place, item)? {
                    part.steps.push((item.name.clone(), step));
                }
            }
        }
        part.problems = std::mem::take(&mut self.problems);
        Ok(part)
    }

    /// Opens the folder on both sides; `None` when nothing can be done in it, which was reported.
    fn place(&mut self, plan: &FolderPlan) -> Result<Option<Place>, Problem> {
        let ground = self.ground;
        let source = ground.source.beneath(&plan.path).ok();
        let made = if plan.is_gone {
            // Its copy may never have been made, or lie in the trash already.
            ground.copy.beneath(&plan.path).or_else(|_| ground.copy.again()).map(|dir| (dir, false))
        } else {
            folders::make(ground, &plan.path)
        };
        let (copy, copy_is_empty) = match made {
            Ok(made) => made,
            Err(e) => return self.entry_failed(e),
        };
        if let Some(facts) =
            plan.facts.filter(|_| plan.is_new && !plan.path.is_root() && !copy_is_empty)
            && let Err(e) = folders::narrow(&copy, facts.mode)
        {
            return self.entry_failed(e);
        }
        let row = self.reader.folder_id(&plan.path)?;
        Ok(Some(Place { row, source, copy, copy_is_empty }))
    }

    fn step(&mut self, place: &Place, item: &Item) -> Result<Option<Step>, Problem> {
        match &item.todo {
            Todo::Gone { is_file, gives_way, .. } => {
                let to_trash =
                    *is_file && (*gives_way || self.ground.on_gone == model::config::OnGone::Trash);
                Ok(Some(Step::Gone { size: item.size, is_file: *is_file, to_trash }))
            }
            Todo::Symlink => Ok(self.symlink(place, item)),
            Todo::Rename { from } => self.rename(place, item, from),
            Todo::Link { to } => self.link(place, item, to),
            Todo::Touch { digest } => self.touch(place, item, *digest),
            Todo::Store | Todo::Compare { .. } | Todo::Replace { .. } => self.file(place, item),
        }
    }

    fn symlink(&mut self, place: &Place, item: &Item) -> Option<Step> {
        let source = place.source.as_ref()?;
        let facts = source.facts(&item.name).ok().filter(|f| f.kind == Kind::Symlink)?;
        let target = source.read_link(&item.name).ok()?;
        let suspect = self.ground.racy.is_suspect(&facts, self.ground.began_ns);
        let record = Record {
            kind: RowKind::Symlink,
            target: Some(target),
            ..row_of(&facts, None, suspect)
        };
        Some(Step::Row {
            record: Box::new(record),
            change: Change::Stored,
            narrow: false,
            from: None,
        })
    }

    /// Only the facts of a file whose content was read and is equal.
    fn touch(
        &mut self,
        place: &Place,
        item: &Item,
        digest: [u8; 32],
    ) -> Result<Option<Step>, Problem> {
        let record =
            self.record(place, &item.name)?.map(|old| Record { digest: Some(digest), ..old });
        match (facts_now(place, item), record) {
            (Some(facts), Some(old)) if is_as_left(&place.copy, &item.name, &old) => {
                Ok(Some(self.touched(&facts, old, self.ground.began_ns)))
            }
            _ => self.file(place, item),
        }
    }

    fn touched(&self, facts: &Facts, old: Record, read_ns: i64) -> Step {
        let suspect = self.ground.racy.is_suspect(facts, read_ns);
        let narrow = facts.mode != old.mode;
        let kept = Record {
            digest: old.digest,
            copy_mtime_ns: old.copy_mtime_ns,
            xattrs: old.xattrs,
            ..row_of(facts, None, suspect)
        };
        Step::Row { record: Box::new(kept), change: Change::Touched, narrow, from: None }
    }

    /// The same file under another name: its copy is renamed, if it is as it was left.
    fn rename(
        &mut self,
        place: &Place,
        item: &Item,
        from: &RelPath,
    ) -> Result<Option<Step>, Problem> {
        let Some((folder, name)) = from.split() else { return Ok(None) };
        let row = self.reader.folder_id(&folder)?;
        let old = match row {
            Some(id) => self.reader.record(id, name)?,
            None => None,
        };
        let old_place = self.ground.copy.beneath(&folder).ok();
        let as_left = old
            .as_ref()
            .zip(old_place.as_ref())
            .is_some_and(|(old, dir)| is_as_left(dir, name, old));
        let name_is_free = place.copy_is_empty || place.copy.facts(&item.name).is_err();
        match (facts_now(place, item), old) {
            (Some(facts), Some(old)) if as_left && name_is_free => {
                let suspect =
                    old.suspect || self.ground.racy.is_suspect(&facts, self.ground.began_ns);
                let record = Record {
                    digest: old.digest,
                    copy_mtime_ns: old.copy_mtime_ns,
                    xattrs: old.xattrs,
                    ..row_of(&facts, None, suspect)
                };
                Ok(Some(Step::Rename { from: from.clone(), record: Box::new(record) }))
            }
            (_, old) => {
                let copy_is_gone = old_place.is_none_or(|dir| {
                    dir.facts(name).is_err_and(|e| e.meaning() == Meaning::Missing)
                });
                let step = self.file(place, item)?;
                Ok(step
                    .map(|step| if copy_is_gone { renamed_before(step, from, old) } else { step }))
            }
        }
    }

    /// A further name of a file that is stored: the copy gets a further name, too.
    fn link(&mut self, place: &Place, item: &Item, to: &RelPath) -> Result<Option<Step>, Problem> {
        let Some((folder, name)) = to.split() else { return Ok(None) };
        let first = match self.reader.folder_id(&folder)? {
            Some(id) => self.reader.record(id, name)?,
            None => None,
        };
        let facts = place.source.as_ref().and_then(|dir| dir.facts(&item.name).ok());
        let (Some(first), Some(facts)) = (first, facts) else { return self.file(place, item) };
        let same = first.live
            && first.digest.is_some()
            && (first.file_id, first.size, first.mtime_ns, first.ctime_ns)
                == (facts.file_id, facts.size, facts.mtime_ns, facts.ctime_ns);
        let over = if place.copy_is_empty { None } else { place.copy.facts(&item.name).ok() };
        let temp = self.ground.next_temporary();
        let linked = || -> host::Result<()> {
            self.ground.copy.beneath(&folder)?.hard_link(name, &place.copy, &temp)
        };
        if !same || over.is_some() || linked().is_err() {
            return self.file(place, item);
        }
        self.ground.counters.add_file();
        let record = Box::new(Record { gone_ms: None, ..first });
        Ok(Some(Step::Publish { temp, record, over: None, change: Change::Linked, replaces: None }))
    }

    /// A file whose content decides: adopted, touched, or copied to a temporary.
    fn file(&mut self, place: &Place, item: &Item) -> Result<Option<Step>, Problem> {
        let Some(source) = &place.source else { return Ok(None) };
        let over = match self.target(place, &item.name) {
            Ok(over) => over,
            Err(e) => return self.entry_failed(e),
        };
        let record = match &over {
            Some(_) => self.record(place, &item.name)?,
            None => None,
        };
        let read_ns = self.ground.now_ns();
        if let Some(step) =
            self.without_copying(place, item, over.as_ref(), record.as_ref(), read_ns)
        {
            self.ground.counters.add_file();
            return Ok(Some(step));
        }
        let temp = self.ground.next_temporary();
        match self.copier.copy(source, &item.name, &place.copy, &temp) {
            Ok(Copied::Whole(copy)) => {
                self.copied(place, item, Fresh { temp, copy, read_ns }, over, record)
            }
            Ok(Copied::NotThere | Copied::Stopped) => Ok(None),
            Ok(Copied::KeptChanging) => {
                let what = "the file changed each time it was read";
                self.problems
                    .push(Problem::new(Code::ChangedWhileRead, what).at(shown(source, &item.name)));
                Ok(None)
            }
            Err(Failed::Source(e)) => {
                let what = format!("can't {}: {}", e.attempt, e.source);
                self.problems.push(Problem::new(Code::EntryUnreadable, what).at(e.path.as_path()));
                Ok(None)
            }
            Err(Failed::Space(e)) => self.entry_failed(e),
        }
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
            None => digest::of_stable(&place.copy, &item.name, stop).ok()??.0,
        };
        if source != copy {
            return None;
        }
        if let Some(old) = explained.filter(|r| r.live) {
            return Some(self.touched(&facts, old.clone(), read_ns));
        }
        let suspect = self.ground.racy.is_suspect(&facts, read_ns);
        let record =
            Record { digest: Some(source), ..row_of(&facts, Some(over.mtime_ns), suspect) };
        Some(Step::Row {
            record: Box::new(record),
            change: Change::Adopted,
            narrow: true,
            from: None,
        })
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
        let explained = record.filter(|r| over.as_ref().is_some_and(|f| explains(r, f)));
        if let Some(old) = explained.as_ref().filter(|r| r.digest == Some(copy.digest)) {
            if let Err(e) = place.copy.remove_file(&temp) {
                return self.entry_failed(e);
            }
            let mut step = self.touched(&copy.facts, old.clone(), read_ns);
            if let Step::Row { change, .. } = &mut step
                && !old.live
            {
                *change = Change::Adopted;
            }
            return Ok(Some(step));
        }
        let replaces = explained.filter(|r| r.live).map(|r| r.size);
        let change = if replaces.is_some()
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
        Ok(Some(Step::Publish { temp, record: Box::new(record), over, change, replaces }))
    }

    fn target(&self, place: &Place, name: &[u8]) -> host::Result<Option<Facts>> {
        if place.copy_is_empty {
            return Ok(None);
        }
        match place.copy.facts(name) {
            Ok(facts) => Ok(Some(facts)),
            Err(e) if e.meaning() == Meaning::Missing => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn record(&self, place: &Place, name: &[u8]) -> Result<Option<Record>, Problem> {
        match place.row {
            Some(id) => Ok(self.reader.record(id, name)?),
            None => Ok(None),
        }
    }

    fn entry_failed<T>(&mut self, error: host::Error) -> Result<Option<T>, Problem> {
        if is_fatal(&error) {
            return Err(store::device::away(error));
        }
        self.problems.push(entry_problem(&error));
        Ok(None)
    }
}

/// A run that was killed may have renamed the copy and not remembered it: then the row moves now.
///
/// Whatever else became of the former copy, its row is buried by the next run, whose
/// plan finds it gone.
fn renamed_before(step: Step, from: &RelPath, old: Option<Record>) -> Step {
    match step {
        Step::Row { record, .. } if old.is_some_and(|old| old.digest == record.digest) => {
            Step::Row { record, change: Change::Renamed, narrow: true, from: Some(from.clone()) }
        }
        other => other,
    }
}

/// A temporary that was just written.
struct Fresh {
    temp: Vec<u8>,
    copy: Copy,
    read_ns: i64,
}

/// The entry's facts, if they still are those that were planned with.
fn facts_now(place: &Place, item: &Item) -> Option<Facts> {
    let facts = place.source.as_ref()?.facts(&item.name).ok()?;
    (facts.kind == Kind::File && item.still_is(&facts)).then_some(facts)
}

fn is_as_left(dir: &Dir, name: &[u8], record: &Record) -> bool {
    dir.facts(name).is_ok_and(|facts| explains(record, &facts))
}

/// True if a row explains what lies under its name in the copy.
fn explains(record: &Record, copy: &Facts) -> bool {
    record.kind == RowKind::File
        && record.digest.is_some()
        && copy.kind == Kind::File
        && copy.size == record.size
        && Some(copy.mtime_ns) == record.copy_mtime_ns
}

/// The row of a file with these facts.
fn row_of(facts: &Facts, copy_mtime_ns: Option<i64>, suspect: bool) -> Record {
    Record {
        kind: RowKind::File,
        live: true,
        suspect,
        size: facts.size,
        mtime_ns: facts.mtime_ns,
        ctime_ns: facts.ctime_ns,
        btime_ns: facts.btime_ns,
        file_id: facts.file_id,
        mode: facts.mode,
        uid: facts.uid,
        gid: facts.gid,
        digest: None,
        copy_mtime_ns,
        target: None,
        xattrs: std::collections::BTreeMap::new(),
        gone_ms: None,
    }
}

fn shown(dir: &Dir, name: &[u8]) -> model::text::Text {
    dir.path().join(&*host::name::os(name)).as_path().into()
}
