//! Bringing in what is only in the cloud, within a budget: the one case in which a placeholder is opened.

use std::collections::BTreeMap;

use host::volume::room;
use host::{Dir, Kind};
use model::emit::Emit;
use model::ingest::Totals;
use model::problem::Problem;
use model::relpath::RelPath;
use store::device;
use store::manifest::{Applied, PlaceholderRow, Reader, Record, RowKind};
use store::names::Target;

use super::{Judged, Place, Work};
use crate::guard::{self, Verdict};
use crate::known::Known;
use crate::placeholder;
use crate::plan::{FolderPlan, Item, PlanLog, Todo, Was};
use crate::scan::CopyNames;
use crate::teller::Teller;

/// A placeholder that is to be opened.
struct Chosen {
    folder: RelPath,
    item: Item,
    /// Its row before.
    before: Option<Record>,
}

impl Work<'_> {
    /// Brings in what waited longest, up to the budget; what can't be had is reported and goes on waiting.
    pub(super) fn hydrate(
        &self,
        place: Place<'_>,
        known: &mut Known,
        totals: &mut Totals,
        teller: &mut Teller<'_>,
    ) -> Result<(), Problem> {
        // The budget is one of whole runs: those that look at a few folders come without number.
        let may = !self.machine.stop.asked() && !self.settings.scope.is_partial();
        let Some(budget) = self.settings.hydrate.filter(|_| may) else { return Ok(()) };
        let reader = known.manifest.reader()?;
        let mut chosen = self.choose(&place.source.dir, &reader, budget)?;
        self.spare_copies(&mut chosen, &reader, known, teller)?;
        if chosen.is_empty() {
            return Ok(());
        }
        let log = plan(&chosen, self.folder, &reader, known.target)?;
        let mut judged = Judged { tally: log.tally(), log, approval: None };
        let place = Place { fetches: true, ..place };
        let result = host::placeholder::while_fetching(|| {
            self.apply(&mut judged, place, known, totals, teller)
        });
        let settled = settle(&chosen, known, totals);
        result.and(settled)
    }

    /// The oldest that fit into the budget, and into the room that the source's disk has for them.
    fn choose(&self, source: &Dir, reader: &Reader, budget: u64) -> Result<Vec<Chosen>, Problem> {
        let room = room(source).map_err(device::away)?;
        let keep = self.settings.min_free.bytes_of(room.total);
        let mut left = budget.min(room.free.saturating_sub(keep));
        let mut chosen = Vec::new();
        let mut failed = None;
        reader.each_placeholder(&mut |folder, row| {
            let is_left_out = self.settings.excludes.leave_out_on_the_way(&folder.join(&row.name));
            if let Some(size) = fits(&row, left).filter(|_| !is_left_out) {
                match still_away(source, reader, folder, &row) {
                    Ok(Some(one)) => {
                        left -= size;
                        chosen.push(one);
                    }
                    Ok(None) => {}
                    Err(problem) => failed = Some(problem),
                }
            }
            left > 0 && failed.is_none()
        })?;
        failed.map_or(Ok(chosen), Err)
    }

    /// Leaves those alone whose copies the guard would not let this run replace.
    fn spare_copies(
        &self,
        chosen: &mut Vec<Chosen>,
        reader: &Reader,
        known: &Known,
        teller: &mut Teller<'_>,
    ) -> Result<(), Problem> {
        if chosen.iter().all(|one| one.before.is_none()) {
            return Ok(());
        }
        let tally = plan(chosen, self.folder, reader, known.target)?.tally();
        let (known_files, ..) = reader.counts()?;
        let applied: Applied = self.applied(known)?;
        let facts = guard::Facts {
            tally: &tally,
            known_files,
            applied,
            root_is_empty: false,
            moved: false,
            other_root: None,
        };
        if let Verdict::Refuse { code, why } = guard::judge(&facts, &self.settings.guard) {
            let hint = "bring fewer in at once, or raise [ingest.guard]";
            let what = format!("what waits in the cloud would replace too many copies: {why}");
            teller.problem(Problem::new(code, what).hint(hint));
            chosen.retain(|one| one.before.is_none());
        }
        Ok(())
    }
}

/// The bytes that opening it brings in, if that is known, possible and not too much.
fn fits(row: &PlaceholderRow, left: u64) -> Option<u64> {
    row.what.size.filter(|size| row.what.opens && !row.what.is_folder && *size <= left)
}

/// What is to be done with a placeholder, if it still is the one that is known.
fn still_away(
    source: &Dir,
    reader: &Reader,
    folder: RelPath,
    row: &PlaceholderRow,
) -> Result<Option<Chosen>, Problem> {
    let found = source.beneath(&folder).and_then(|dir| Ok((dir.facts(&row.name)?, dir)));
    let Ok((facts, dir)) = found else { return Ok(None) };
    let (_, away) = placeholder::look(&dir, &row.name, &facts);
    if away.is_none_or(|away| !away.opens || away.size != row.what.size) {
        return Ok(None);
    }
    let before = match reader.folder_id(&folder)? {
        Some(id) => reader.record(id, &row.name)?,
        None => None,
    };
    let before = before.filter(|record| record.live && record.kind == RowKind::File);
    let todo = match &before {
        Some(record) => Todo::Compare { was: Was { size: record.size, digest: record.digest } },
        None => Todo::Store,
    };
    let item = Item::of(&row.name, &facts, todo);
    Ok(Some(Chosen { folder, item, before }))
}

fn plan(
    chosen: &[Chosen],
    state: &std::path::Path,
    reader: &Reader,
    target: Target,
) -> Result<PlanLog, Problem> {
    let mut folders: BTreeMap<&RelPath, Vec<Item>> = BTreeMap::new();
    for one in chosen {
        folders.entry(&one.folder).or_default().push(one.item.clone());
    }
    let log = PlanLog::new(state);
    for (path, mut items) in folders {
        items.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        name_copies(reader, target, reader.folder_id(path)?, &mut items)?;
        log.put(FolderPlan { items, ..FolderPlan::of(&reader.folder_copy(path)?) })?;
    }
    Ok(log)
}

/// Tells the names that copies have, or are to get.
fn name_copies(
    reader: &Reader,
    target: Target,
    row: Option<i64>,
    items: &mut [Item],
) -> Result<(), Problem> {
    let new = items.iter().map(|item| (&item.name[..], Some(Kind::File)));
    let names = CopyNames::of(target, reader.has_copy_names()?, reader, row, new)?;
    for item in items {
        let known = row.map_or(Ok(None), |row| reader.record(row, &item.name))?;
        item.copy_name = match known.filter(|row| row.copy_mtime_ns.is_some()) {
            Some(row) => row.copy_name,
            None => names.of_new(&item.name),
        };
    }
    Ok(())
}

/// Notes which of them are stored by now.
fn settle(chosen: &[Chosen], known: &mut Known, totals: &mut Totals) -> Result<(), Problem> {
    let reader = known.manifest.reader()?;
    let mut batch = known.manifest.batch()?;
    for Chosen { folder, item, before } in chosen {
        let after = match reader.folder_id(folder)? {
            Some(id) => reader.record(id, &item.name)?,
            None => None,
        };
        totals.hydrated_bytes += item.size;
        if after.as_ref().is_some_and(|record| record.live) && after != *before {
            batch.drop_placeholder(folder, &item.name)?;
            totals.hydrated += 1;
            totals.deferred = totals.deferred.saturating_sub(1);
            totals.deferred_bytes = totals.deferred_bytes.saturating_sub(item.size);
        } else {
            batch.note_try(folder, &item.name)?;
        }
    }
    Ok(batch.commit()?)
}

#[cfg(test)]
mod tests {
    use super::fits;
    use store::manifest::{Placeholder, PlaceholderRow};

    #[test]
    fn only_what_opening_brings_in_and_is_known_to_fit_is_opened() {
        for (size, opens, is_folder, left, fit) in [
            (Some(5), true, false, 5, Some(5)),
            (Some(5), true, false, 4, None),
            (None, true, false, 5, None),
            (Some(5), false, false, 5, None),
            (Some(5), true, true, 5, None),
        ] {
            let what = Placeholder { is_folder, size, mtime_ns: 0, opens, stub: None };
            let name = b"a".as_slice().into();
            let row = PlaceholderRow { name, what, since_ms: 0, tries: 0, is_stale: false };
            assert_eq!(fits(&row, left), fit);
        }
    }
}
