//! Stage two of a batch: final names, after the data is on disk.

use host::error::{Attempt, Meaning};
use host::taking::{self, Taken};
use host::{Dir, Facts, Kind, failpoint};
use model::ingest::Change;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::Record;
use store::names::Mapped;

use super::prepare::{Names, PreparedPart, Step};
use super::trash::FolderTrash;
use super::{Ground, entry_problem, folders, is_fatal};
use crate::plan::FolderPlan;

/// A part of a plan whose names are all in place; what is left is to remember it.
#[derive(Debug)]
pub struct SettledPart {
    /// The part of the plan, without its items.
    pub plan: FolderPlan,
    /// What is to be remembered.
    pub entries: Vec<Settled>,
    /// What went wrong.
    pub problems: Vec<Problem>,
}

/// One entry that is as it should be in the copy.
#[derive(Debug)]
pub struct Settled {
    /// Its name.
    pub name: Vec<u8>,
    /// Its row; `None` when the row is to be buried.
    pub record: Option<Box<Record>>,
    /// What is told of it.
    pub change: Change,
    /// The former path of a rename.
    pub from: Option<RelPath>,
    /// Bytes of the live version that is no longer the live one.
    pub destroyed: Option<u64>,
    /// The version that gave way, where its row was known.
    pub was: Option<Box<Record>>,
    /// What is in the trash now and was under this name.
    pub trashed: Option<Kind>,
    /// Files that this entry put there: all of them, when a folder stood in its way.
    pub put_away: u64,
    /// True if it was only looked at again: nothing is told of it.
    pub is_as_before: bool,
}

/// Gives everything of a part its final name.
pub fn settle(ground: &Ground<'_>, part: PreparedPart) -> Result<SettledPart, Problem> {
    let mut settled = SettledPart { plan: part.plan, entries: Vec::new(), problems: part.problems };
    if part.steps.is_empty() {
        return Ok(settled);
    }
    let at = settled.plan.mapped();
    let opened =
        if ground.is_in_place() { ground.copy.again() } else { ground.copy.beneath(at.copy()) };
    let copy = match opened {
        Ok(copy) => copy,
        // The copy of a gone folder may be in the trash already; its rows are buried all the same.
        Err(_) if settled.plan.is_gone => return Ok(buried(ground, settled, part.steps)),
        Err(e) => return Err(store::device::away(e)),
    };
    let mut trash = ground.trash.of(at.copy());
    let kept = keep(&copy, &mut trash, &part.steps).map_err(store::device::away)?;
    for ((names, step), kept) in part.steps.into_iter().zip(kept) {
        let temp = match &step {
            Step::Publish { temp, .. } => Some(temp.clone()),
            _ => None,
        };
        let mut place = Place { ground, copy: &copy, at: &at, trash: &mut trash };
        match kept.and_then(|kept| one(&mut place, &names, step, kept)) {
            Ok(entry) => settled.entries.extend(entry),
            Err(e) if is_fatal(&e) => return Err(store::device::away(e)),
            Err(e) => {
                settled.problems.push(entry_problem(&e));
                if let Some(temp) = temp {
                    // The entry's own failure is what is reported.
                    let _ = copy.remove_file(&temp);
                }
            }
        }
    }
    if ground.barrier.is_each() {
        copy.sync().map_err(store::device::away)?;
    }
    Ok(settled)
}

/// Keeps every file that will be replaced as a former version: all of them before the first
/// loses its name, so that one sync of the trash does for all.
fn keep(
    copy: &Dir,
    trash: &mut FolderTrash<'_>,
    steps: &[(Names, Step)],
) -> host::Result<Vec<host::Result<bool>>> {
    let replaces = |step: &Step| {
        let Step::Publish { over: Some(over), .. } = step else { return false };
        over.kind == Kind::File
    };
    let mut keep = |(names, step): &(Names, Step)| {
        if replaces(step) { trash.keep(copy, names.copy()) } else { Ok(false) }
    };
    let kept = steps.iter().map(&mut keep).collect();
    trash.sync()?;
    Ok(kept)
}

fn buried(ground: &Ground<'_>, mut settled: SettledPart, steps: Vec<(Names, Step)>) -> SettledPart {
    for (names, step) in steps {
        if let Step::Gone { size, is_file, .. } = step {
            let was_put_away = ground.trash.of_cut_off.has(settled.plan.copy(), names.copy());
            let trashed = is_file && was_put_away;
            // Whoever took the folder's name put its files away, and counted them.
            let entry = gone(names.name, size, is_file, trashed.then_some(Kind::File));
            settled.entries.push(Settled { put_away: 0, ..entry });
        }
    }
    settled
}

fn gone(name: Vec<u8>, size: u64, is_file: bool, trashed: Option<Kind>) -> Settled {
    let destroyed = is_file.then_some(size);
    let put_away = u64::from(trashed.is_some());
    Settled {
        name,
        record: None,
        change: Change::Gone,
        from: None,
        destroyed,
        was: None,
        trashed,
        put_away,
        is_as_before: false,
    }
}

/// Where steps are done.
struct Place<'p, 't> {
    ground: &'p Ground<'p>,
    copy: &'p Dir,
    at: &'p Mapped,
    trash: &'p mut FolderTrash<'t>,
}

/// Does a step; `kept` is true if what it replaces has a second name in the trash.
///
/// Nothing comes of a file of an inbox that changed meanwhile.
fn one(
    place: &mut Place<'_, '_>,
    names: &Names,
    step: Step,
    kept: bool,
) -> host::Result<Option<Settled>> {
    let (copy, name) = (place.copy, names.copy());
    let of_row = |record, change| Settled {
        name: names.name.clone(),
        record: Some(record),
        change,
        from: None,
        destroyed: None,
        was: None,
        trashed: None,
        put_away: 0,
        is_as_before: false,
    };
    let settled = match step {
        Step::Take { from, facts, record } => {
            if !take(place, &from, &facts, name, record.mode)? {
                place.ground.counters.add_unsettled();
                return Ok(None);
            }
            Ok(of_row(record, Change::Stored))
        }
        Step::Seen { record } => {
            Ok(Settled { is_as_before: true, ..of_row(record, Change::Touched) })
        }
        Step::Row { record, change, narrow, from, .. } => {
            if narrow {
                folders::narrow_file(copy, name, record.mode)?;
                let ground = place.ground;
                ground.attributes.follow(copy, name, &record.xattrs, ground.barrier)?;
            }
            Ok(Settled { from, ..of_row(record, change) })
        }
        Step::Publish { temp, record, over, change, replaces, was } => {
            let in_the_way = over.as_ref().filter(|facts| facts.kind == Kind::Folder);
            let files = if in_the_way.is_some() { files_below(&copy.sub(name)?)? } else { 1 };
            let trashed = publish(place, &temp, name, over.as_ref(), kept)?;
            let put_away = if trashed.is_some() { files } else { 0 };
            Ok(Settled { destroyed: replaces, was, trashed, put_away, ..of_row(record, change) })
        }
        Step::Rename { from, record } => {
            rename(place.ground, &from, copy, name)?;
            Ok(Settled { from: Some(from.path), ..of_row(record, Change::Renamed) })
        }
        Step::MakeWay => {
            let trashed = put_away(place, name)?.then_some(Kind::File);
            // It was counted when it left.
            Ok(Settled { destroyed: None, ..gone(name.to_owned(), 0, true, trashed) })
        }
        Step::Gone { size, is_file, to_trash } => {
            let trashed = (to_trash && put_away(place, name)?).then_some(Kind::File);
            failpoint::hit("apply.gone").attempt("bury", copy.path())?;
            Ok(gone(names.name.clone(), size, is_file, trashed))
        }
    };
    settled.map(Some)
}

/// Renames a file of an inbox into the copy, if it is still what was read.
fn take(
    place: &Place<'_, '_>,
    from: &[u8],
    facts: &Facts,
    name: &[u8],
    mode: u32,
) -> host::Result<bool> {
    let inbox = place.ground.source.beneath(&place.at.path)?;
    let rename = || inbox.rename_new(from, place.copy, name);
    if taking::take(&inbox, from, facts, rename)? != Taken::Yes {
        return Ok(false);
    }
    failpoint::hit("inbox.moved").attempt("take from the inbox", inbox.path())?;
    folders::narrow_file(place.copy, name, mode)?;
    if place.ground.barrier.is_each() {
        // First the new name, then the loss of the old one.
        place.copy.sync()?;
        inbox.sync()?;
    }
    Ok(true)
}

/// How many files, links and special files a folder holds.
fn files_below(dir: &Dir) -> host::Result<u64> {
    let mut files = 0;
    for entry in dir.entries()? {
        let kind = entry.kind.map_or_else(|| dir.facts(&entry.name).map(|f| f.kind), Ok)?;
        files += if kind == Kind::Folder { files_below(&dir.sub(&entry.name)?)? } else { 1 };
    }
    Ok(files)
}

/// Gives a temporary its final name; tells what had it before and is in the trash now.
fn publish(
    place: &mut Place<'_, '_>,
    temp: &[u8],
    name: &[u8],
    over: Option<&Facts>,
    kept: bool,
) -> host::Result<Option<Kind>> {
    let copy = place.copy;
    failpoint::hit("apply.publishing").attempt("rename in", copy.path())?;
    let kind = match over {
        Some(facts) => facts.kind,
        None => match copy.rename_new(temp, copy, name) {
            // Somebody made it since it was looked for: it is a former version like any other.
            Err(e) if e.meaning() == Meaning::Exists && place.ground.arrivals.is_none() => {
                copy.facts(name)?.kind
            }
            other => return other.map(|()| None),
        },
    };
    // What was made since it was looked for, or can't have two names, was not kept yet.
    if kept || place.trash.keep_now(copy, name, kind)? {
        copy.rename(temp, copy, name)?;
    } else {
        copy.rename_new(temp, copy, name)?;
    }
    Ok(Some(kind))
}

/// Renames a copy; one that a folder took along when it gave way comes back from the trash.
fn rename(ground: &Ground<'_>, from: &Mapped, copy: &Dir, name: &[u8]) -> host::Result<()> {
    let Some((folder, old)) = from.copy().split() else { return Ok(()) };
    let renamed = ground.copy.beneath(&folder).and_then(|old_folder| {
        old_folder.rename_new(old, copy, name)?;
        if ground.barrier.is_each() { old_folder.sync() } else { Ok(()) }
    });
    match renamed {
        Err(e) if is_not_there(&e) && ground.trash.give_back(&folder, old, copy, name) => Ok(()),
        other => other,
    }
}

/// True where nothing has the name, or a file has that of a folder on the way to it.
fn is_not_there(error: &host::Error) -> bool {
    error.meaning() == Meaning::Missing || error.source.kind() == std::io::ErrorKind::NotADirectory
}

/// Moves a copy to the trash; false if there is none, and none that a run moved there before it was cut off.
fn put_away(place: &mut Place<'_, '_>, name: &[u8]) -> host::Result<bool> {
    match place.trash.put_away(place.copy, name) {
        Ok(()) => Ok(true),
        Err(e) if e.meaning() == Meaning::Missing => {
            Ok(place.ground.trash.of_cut_off.has(place.at.copy(), name))
        }
        Err(e) => Err(e),
    }
}
