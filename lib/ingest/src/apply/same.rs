//! Files whose content is known already: touched, renamed, or a further name of one that is stored.

use std::collections::BTreeMap;

use host::error::Meaning;
use host::{Facts, Kind, xattr};
use model::ingest::Change;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::Record;

use super::prepare::{Place, Preparer, Step, is_as_left, row_of};
use crate::plan::Item;

/// Extended attributes by name.
pub(super) type Xattrs = BTreeMap<Vec<u8>, Vec<u8>>;

/// The extended attributes that a file of the source has now; none where they can't be read.
pub(super) fn xattrs_now(place: &Place, name: &[u8]) -> Xattrs {
    let file = place.source.as_ref().and_then(|dir| dir.read(name).ok());
    file.and_then(|file| xattr::read(&file).ok()).unwrap_or_default()
}

impl Preparer<'_> {
    /// Only the facts of a file whose content was read and is equal.
    pub(super) fn touch(
        &mut self,
        place: &Place,
        item: &Item,
        digest: [u8; 32],
    ) -> Result<Option<Step>, Problem> {
        let record =
            self.record(place, &item.name)?.map(|old| Record { digest: Some(digest), ..old });
        match (facts_now(place, item), record) {
            (Some(facts), Some(old)) if is_as_left(&place.copy, item.copy_name(), &old) => {
                let xattrs = xattrs_now(place, &item.name);
                Ok(Some(self.touched(&facts, xattrs, old, self.ground.began_ns)))
            }
            _ => self.file(place, item),
        }
    }

    pub(super) fn touched(&self, facts: &Facts, xattrs: Xattrs, old: Record, read_ns: i64) -> Step {
        let suspect = self.ground.racy.is_suspect(facts, read_ns);
        let narrow = facts.mode != old.mode || xattrs != old.xattrs;
        let kept = Record {
            digest: old.digest,
            copy_mtime_ns: old.copy_mtime_ns,
            copy_name: old.copy_name.clone(),
            xattrs,
            ..row_of(facts, None, suspect)
        };
        if kept == (Record { suspect, ..old }) {
            return Step::Seen { record: Box::new(kept) };
        }
        Step::Row { record: Box::new(kept), change: Change::Touched, narrow, from: None }
    }

    /// The same file under another name: its copy is renamed, if it is as it was left.
    pub(super) fn rename(
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
        let from_folder = self.reader.folder_copy(&folder)?;
        let old_place = self.ground.copy.beneath(from_folder.copy()).ok();
        let old_name = old.as_ref().map_or(name, |old| old.copy_name(name)).to_owned();
        let as_left = old
            .as_ref()
            .zip(old_place.as_ref())
            .is_some_and(|(old, dir)| is_as_left(dir, &old_name, old));
        let name_is_free = place.copy_is_empty || place.copy.facts(item.copy_name()).is_err();
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
                let from = from_folder.join(name, old.copy_name.as_deref());
                Ok(Some(Step::Rename { from, record: Box::new(record) }))
            }
            (_, old) => {
                let copy_is_gone = old_place.is_none_or(|dir| {
                    dir.facts(&old_name).is_err_and(|e| e.meaning() == Meaning::Missing)
                });
                let step = self.file(place, item)?;
                Ok(step
                    .map(|step| if copy_is_gone { renamed_before(step, from, old) } else { step }))
            }
        }
    }

    /// A further name of a file that is stored: the copy gets a further name, too.
    pub(super) fn link(
        &mut self,
        place: &Place,
        item: &Item,
        to: &RelPath,
    ) -> Result<Option<Step>, Problem> {
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
        let over = if place.copy_is_empty { None } else { place.copy.facts(item.copy_name()).ok() };
        let temp = self.ground.next_temporary();
        let first_folder = self.reader.folder_copy(&folder)?;
        let linked = || -> host::Result<()> {
            let dir = self.ground.copy.beneath(first_folder.copy())?;
            dir.hard_link(first.copy_name(name), &place.copy, &temp)
        };
        if !same || over.is_some() || linked().is_err() {
            return self.file(place, item);
        }
        self.ground.counters.add_file();
        let record = Box::new(Record { gone_ms: None, ..first });
        Ok(Some(Step::Publish {
            temp,
            record,
            over: None,
            change: Change::Linked,
            replaces: None,
            was: None,
        }))
    }
}

/// A run that was killed may have renamed the copy and not remembered it: then the row moves now.
///
/// Whatever else became of the former copy, its row is buried by the next run, whose
/// plan finds it gone.
fn renamed_before(step: Step, from: &RelPath, old: Option<Record>) -> Step {
    match step {
        Step::Row { record, .. } if old.is_some_and(|old| old.digest == record.digest) => {
            let (change, from) = (Change::Renamed, Some(from.clone()));
            Step::Row { record, change, narrow: true, from }
        }
        other => other,
    }
}

/// The entry's facts, if they still are those that were planned with.
fn facts_now(place: &Place, item: &Item) -> Option<Facts> {
    let facts = place.source.as_ref()?.facts(&item.name).ok()?;
    (facts.kind == Kind::File && item.still_is(&facts)).then_some(facts)
}
