//! Stage one of a batch: everything that can be done beside the final names.

use std::collections::HashSet;

use host::error::Meaning;
use host::{Dir, Facts, Kind};
use model::ingest::Change;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::{Reader, Record, RowKind};
use store::names::Mapped;

use super::arrive::Named;
use super::{Ground, entry_problem, folders, is_fatal};
use crate::copy::Copier;
use crate::plan::{FolderPlan, Item, Todo};

/// A part of a plan with everything done beside the final names.
#[derive(Debug)]
pub struct PreparedPart {
    /// The part of the plan, without its items.
    pub plan: FolderPlan,
    /// What is left to be done with each entry, by its name in the source and in the copy.
    pub steps: Vec<(Names, Step)>,
    /// What went wrong.
    pub problems: Vec<Problem>,
}

/// The names of one entry.
#[derive(Clone, Debug)]
pub struct Names {
    /// In the source.
    pub name: Vec<u8>,
    /// In the copy, where that is another one.
    pub copy: Option<Vec<u8>>,
}

impl Names {
    /// The name in the copy.
    pub fn copy(&self) -> &[u8] {
        self.copy.as_deref().unwrap_or(&self.name)
    }
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
        /// The row of the version that it puts away, a tombstone's too.
        was: Option<Box<Record>>,
    },
    /// Write a row; the copy is as it should be.
    Row {
        /// The row.
        record: Box<Record>,
        /// What is told of it.
        change: Change,
        /// True if the copy may have permission bits that the source lost, or other attributes.
        narrow: bool,
        /// The former path of a rename whose copy was renamed already.
        from: Option<RelPath>,
    },
    /// Write a row that says what it said before, but for whether it is to be trusted: there is no news.
    Seen {
        /// The row.
        record: Box<Record>,
    },
    /// Rename a file of an inbox that lies in the space.
    Take {
        /// Its name there.
        from: Vec<u8>,
        /// Its facts when it was read.
        facts: Box<Facts>,
        /// The row it becomes.
        record: Box<Record>,
    },
    /// Rename the copy.
    Rename {
        /// The former path, in the source and in the copy.
        from: Mapped,
        /// The row it becomes.
        record: Box<Record>,
    },
    /// Move a tombstone's copy to the trash.
    MakeWay,
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

impl Step {
    /// Gives the row the name that the plan has for the copy.
    fn name_copy(&mut self, item: &Item) -> Names {
        let copy = match self {
            Step::Row { record, .. }
            | Step::Seen { record }
            | Step::Publish { record, .. }
            | Step::Rename { record, .. } => {
                let copy = item.copy_name.clone().filter(|_| record.kind == RowKind::File);
                record.copy_name.clone_from(&copy);
                copy
            }
            Step::Take { .. } | Step::Gone { .. } | Step::MakeWay => item.copy_name.clone(),
        };
        Names { name: item.name.clone(), copy }
    }
}

/// One thread's tools.
#[derive(Debug)]
pub struct Preparer<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) copier: Copier<'a>,
    pub(super) reader: Reader,
    pub(super) problems: Vec<Problem>,
    /// Names that things of this part of an inbox get.
    pub(super) named: HashSet<Vec<u8>>,
}

/// What is known of an entry's folder while its items are prepared.
pub(super) struct Place {
    pub row: Option<i64>,
    pub source: Option<Dir>,
    pub copy: Dir,
    pub copy_is_empty: bool,
}

impl<'a> Preparer<'a> {
    /// Tools for one thread.
    pub fn new(ground: &'a Ground<'a>) -> Result<Preparer<'a>, Problem> {
        let copier = Copier::new(ground);
        let (reader, problems) = (ground.readers.open()?, Vec::new());
        Ok(Preparer { ground, copier, reader, problems, named: HashSet::new() })
    }

    /// Prepares a part; what fails for one entry is a problem, what fails for the space ends the run.
    pub fn part(&mut self, plan: &FolderPlan) -> Result<PreparedPart, Problem> {
        let head = FolderPlan { items: Vec::new(), ..plan.clone() };
        let mut part = PreparedPart { plan: head, steps: Vec::new(), problems: Vec::new() };
        if plan.items.is_empty() && plan.facts.is_none() && !plan.is_gone {
            return Ok(part);
        }
        if let Some(place) = self.place(plan)? {
            for item in &plan.items {
                if self.ground.stop.asked() {
                    break;
                }
                part.steps.extend(self.named_step(&place, item)?);
            }
        }
        part.problems = std::mem::take(&mut self.problems);
        self.named.clear();
        Ok(part)
    }

    /// Opens the folder on both sides; `None` when nothing can be done in it, which was reported.
    fn place(&mut self, plan: &FolderPlan) -> Result<Option<Place>, Problem> {
        let ground = self.ground;
        let source = ground.source.beneath(&plan.path).ok();
        let made = if ground.is_in_place() {
            ground.copy.again().map(|dir| (dir, false))
        } else if plan.is_gone {
            // Its copy may never have been made, or lie in the trash already.
            ground
                .copy
                .beneath(plan.copy())
                .or_else(|_| ground.copy.again())
                .map(|dir| (dir, false))
        } else {
            folders::make(ground, &plan.mapped())
        };
        let (copy, copy_is_empty) = match made {
            Ok(made) => made,
            Err(e) => return self.entry_failed(e),
        };
        if let Some(facts) =
            plan.facts.filter(|_| plan.is_new && !plan.path.is_root() && !copy_is_empty)
            && !ground.is_in_place()
            && let Err(e) = folders::narrow(&copy, facts.mode)
        {
            return self.entry_failed(e);
        }
        let row = self.reader.folder_id(&plan.path)?;
        Ok(Some(Place { row, source, copy, copy_is_empty }))
    }

    /// The step and the name it is about: in an inbox it may be another than the entry's.
    fn named_step(&mut self, place: &Place, item: &Item) -> Result<Option<Named>, Problem> {
        let has_content = !matches!(item.todo, Todo::Gone { .. } | Todo::MakeWay | Todo::Symlink);
        match self.ground.arrivals.filter(|_| has_content) {
            Some(arrivals) => self.arrival(place, item, arrivals),
            None => Ok(self.step(place, item)?.map(|mut step| (step.name_copy(item), step))),
        }
    }

    fn step(&mut self, place: &Place, item: &Item) -> Result<Option<Step>, Problem> {
        match &item.todo {
            Todo::Gone { is_file, gives_way, .. } => {
                let to_trash =
                    *is_file && (*gives_way || self.ground.on_gone == model::config::OnGone::Trash);
                Ok(Some(Step::Gone { size: item.size, is_file: *is_file, to_trash }))
            }
            Todo::MakeWay => Ok(Some(Step::MakeWay)),
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

    /// What has this name in the copy.
    pub(super) fn target(&self, place: &Place, name: &[u8]) -> host::Result<Option<Facts>> {
        if place.copy_is_empty {
            return Ok(None);
        }
        match place.copy.facts(name) {
            Ok(facts) => Ok(Some(facts)),
            Err(e) if e.meaning() == Meaning::Missing => Ok(None),
            Err(e) => Err(e),
        }
    }

    pub(super) fn record(&self, place: &Place, name: &[u8]) -> Result<Option<Record>, Problem> {
        match place.row {
            Some(id) => Ok(self.reader.record(id, name)?),
            None => Ok(None),
        }
    }

    pub(super) fn entry_failed<T>(&mut self, error: host::Error) -> Result<Option<T>, Problem> {
        if is_fatal(&error) {
            return Err(store::device::away(error));
        }
        self.problems.push(entry_problem(&error));
        Ok(None)
    }
}

pub(super) fn is_as_left(dir: &Dir, name: &[u8], record: &Record) -> bool {
    dir.facts(name).is_ok_and(|facts| explains(record, &facts))
}

/// True if a row explains what lies under its name in the copy.
pub(super) fn explains(record: &Record, copy: &Facts) -> bool {
    record.kind == RowKind::File
        && record.digest.is_some()
        && copy.kind == Kind::File
        && copy.size == record.size
        && Some(copy.mtime_ns) == record.copy_mtime_ns
}

/// The row of a file with these facts.
pub(super) fn row_of(facts: &Facts, copy_mtime_ns: Option<i64>, suspect: bool) -> Record {
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
        copy_name: None,
        target: None,
        xattrs: std::collections::BTreeMap::new(),
        gone_ms: None,
    }
}
