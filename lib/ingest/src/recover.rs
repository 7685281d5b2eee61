//! After a run that was cut off: its temporaries are cleared, and what it renamed and did
//! not remember is remembered. Only the folders that it had noted are looked at.

use std::collections::HashMap;

use host::error::Meaning;
use host::stop::Stop;
use host::{Dir, Facts, Kind};
use model::cloud::CloudId;
use model::device::Device;
use model::ingest::Change;
use model::problem::Problem;
use model::relpath::RelPath;
use store::layout;
use store::manifest::{Batch, Busy, Manifest, News, Reader, Record, RowKind};
use store::names::Mapped;
use store::space::SpaceRoot;
use uuid::Uuid;

use crate::apply::{CutOff, again, narrow_file, temporary_prefix};
use crate::copy::FILE_MODE;
use crate::{digest, inbox, rebuild};

/// The outcome of a run at work whose plan an approval let through: the guard does not count it.
pub const APPROVED: &str = "approved";

/// How a run's work is remembered when nothing cut it off.
pub const WORKED: &str = "worked";

/// So many runs in a row may be cut off, and what they moved away is still known as theirs.
const CUT_OFF_AT_MOST: u32 = 32;

/// What runs put away that did not come to their end.
///
/// # Errors
/// When the manifest can't be read.
pub fn cut_off<'s>(
    manifest: &Manifest,
    space: &'s SpaceRoot,
    device: &Device,
    cloud: &CloudId,
) -> Result<CutOff<'s>, Problem> {
    let runs = manifest.runs(CUT_OFF_AT_MOST)?;
    let cut_off = runs.iter().filter(|run| run.outcome.as_deref() != Some(WORKED));
    let ids = cut_off.flat_map(|run| [run.id, again(run.id)].map(|id| (id, run.started)));
    let runs = ids.map(|(id, since)| layout::trash_of_run(device, since, id, cloud)).collect();
    Ok(CutOff { root: space.dir(), runs })
}

/// Puts in order what a run that was cut off left in the folders it had noted.
///
/// # Errors
/// When the manifest can't be used, or the copy can't be read or cleared.
pub fn recover(
    manifest: &mut Manifest,
    copy: &Dir,
    cut_off: &CutOff<'_>,
    stop: &Stop,
) -> Result<(), Problem> {
    let noted = manifest.inflight()?;
    if noted.is_empty() {
        return Ok(());
    }
    let mut cut = Cut { is_inbox: inbox::is_one(manifest)?, ..Cut::default() };
    for (run, busy) in &noted {
        clear_folder(copy, busy.folder.copy(), run).map_err(store::device::away)?;
        cut.look(manifest, copy, run, busy)?;
    }
    let judged = manifest
        .runs(CUT_OFF_AT_MOST)?
        .into_iter()
        .filter(|r| r.outcome.as_deref() != Some(APPROVED));
    cut.judged = judged.map(|run| run.id).collect();
    let is_in_trash =
        |(folder, name, row): &Row| !row.live && cut_off.has(folder.copy(), row.copy_name(name));
    cut.put_away = take_out(&mut cut.lost, is_in_trash);
    cut.remember(manifest, copy, stop)
}

/// A folder, a name in it, and its row.
type Row = (Mapped, Vec<u8>, Record);

/// What the rows of noted folders do not explain.
#[derive(Default)]
struct Cut {
    /// True if nothing is ever renamed there, and the source may not have what arrived any more.
    is_inbox: bool,
    /// Copies that no row explains.
    strays: Vec<Stray>,
    /// Rows whose copy is not there.
    lost: Vec<Row>,
    /// Tombstones among them whose copy is in the trash.
    put_away: Vec<Row>,
    /// Runs whose work the guard counts.
    judged: Vec<Uuid>,
}

/// A copy that no row explains.
struct Stray {
    run: Option<Uuid>,
    folder: Mapped,
    /// The name that its source has.
    name: Vec<u8>,
    /// Its own name.
    copy_name: Vec<u8>,
    /// The row of its name.
    was: Option<Record>,
}

impl Stray {
    /// Its own name, where that is not its source's.
    fn own_name(&self) -> Option<Vec<u8>> {
        (self.copy_name != self.name).then(|| self.copy_name.clone())
    }
}

impl Cut {
    fn look(
        &mut self,
        manifest: &Manifest,
        copy: &Dir,
        run: &str,
        busy: &Busy,
    ) -> Result<(), Problem> {
        let folder = &busy.folder;
        let reader = manifest.reader()?;
        let id = reader.folder_id(&folder.path)?;
        let mut rows = match id {
            Some(id) => with_copies(&reader, id)?,
            None => HashMap::new(),
        };
        let Ok(dir) = copy.beneath(folder.copy()) else {
            self.lose(folder, rows.into_values());
            return Ok(());
        };
        for entry in dir.entries().map_err(store::device::away)? {
            let facts = dir.facts(&entry.name).map_err(store::device::away)?;
            let was = rows.remove(&*entry.name);
            // What was found damaged is no stray: what its row says of it must not be lost.
            let explained = was.as_ref().is_some_and(|(_, row)| {
                row.is_doubted()
                    || (row.size, row.copy_mtime_ns) == (facts.size, Some(facts.mtime_ns))
            });
            if facts.kind == Kind::File && !explained {
                let (name, was) = match was {
                    Some((name, row)) => (name, Some(row)),
                    None => (busy.name_of(&entry.name).to_owned(), None),
                };
                let (folder, copy_name) = (folder.clone(), entry.name.to_vec());
                let run = Uuid::try_parse(run).ok();
                self.strays.push(Stray { run, folder, name, copy_name, was });
            }
        }
        self.lose(folder, rows.into_values());
        for row in id.map(|id| reader.folders(id)).transpose()?.unwrap_or_default() {
            // A folder that gave way took along what is below it, whatever was noted.
            let is_there = dir.facts(row.copy_name()).is_ok_and(|facts| facts.kind == Kind::Folder);
            if !is_there {
                let below = folder.join(&row.name, row.copy_name.as_deref());
                self.look_below(&reader, row.id, &below)?;
            }
        }
        Ok(())
    }

    /// Tombstones below a folder that is not there; what is live the run's own plan looks for.
    fn look_below(&mut self, reader: &Reader, id: i64, folder: &Mapped) -> Result<(), Problem> {
        self.lose(folder, with_copies(reader, id)?.into_values().filter(|(_, row)| !row.live));
        for row in reader.folders(id)? {
            let below = folder.join(&row.name, row.copy_name.as_deref());
            self.look_below(reader, row.id, &below)?;
        }
        Ok(())
    }

    fn lose(&mut self, folder: &Mapped, rows: impl Iterator<Item = (Vec<u8>, Record)>) {
        self.lost.extend(rows.map(|(name, row)| (folder.clone(), name, row)));
    }

    /// Every stray gets a row: that of the lost copy which it is, or one of its own. What the
    /// source says of it is asked by the run as of any other file.
    fn remember(mut self, manifest: &mut Manifest, copy: &Dir, stop: &Stop) -> Result<(), Problem> {
        let mut batch = manifest.batch()?;
        for stray in std::mem::take(&mut self.strays) {
            let dir = copy.beneath(stray.folder.copy());
            let read = dir.and_then(|dir| digest::of_stable(&dir, &stray.copy_name, stop));
            if stop.asked() {
                // The notes stay, and the next run looks again.
                return Ok(());
            }
            if let Ok(Some((digest, facts))) = read {
                self.count(&mut batch, &stray, digest)?;
                self.adopt(&mut batch, &stray, digest, &facts)?;
                if self.is_inbox {
                    copy.beneath(stray.folder.copy())
                        .and_then(|dir| narrow_file(&dir, &stray.copy_name, FILE_MODE))
                        .map_err(store::device::away)?;
                    // The inbox may not have it any more, so nobody else would tell of it.
                    let folder = &stray.folder.path;
                    batch.announce(folder, &stray.name, &News::of(Change::Stored))?;
                }
            }
        }
        for (folder, name, row) in &self.put_away {
            batch.bury(&folder.path, name, row.gone_ms.unwrap_or_default(), true)?;
            batch.announce(&folder.path, name, &News::of(Change::Gone))?;
        }
        batch.forget_inflight()?;
        batch.commit()?;
        Ok(())
    }

    fn adopt(
        &mut self,
        batch: &mut Batch<'_>,
        stray: &Stray,
        digest: [u8; 32],
        facts: &Facts,
    ) -> Result<(), Problem> {
        let (folder, name, copy_name) = (&stray.folder.path, &stray.name, stray.own_name());
        let Some((from, row)) = self.take_lost(digest) else {
            let unexplained = rebuild::unexplained(facts);
            let row = Record { digest: Some(digest), copy_name, ..unexplained };
            return Ok(batch.put(folder, name, &row)?);
        };
        batch.put(folder, name, &Record { live: true, gone_ms: None, copy_name, ..row })?;
        if let Some((former, old)) = from.split() {
            batch.remove(&former, old)?;
        }
        let news = News { from: Some(from.clone()), ..News::of(Change::Renamed) };
        Ok(batch.announce(folder, name, &news)?)
    }

    /// A version that was replaced and not remembered counts for the guard's day all the same.
    fn count(&self, batch: &mut Batch<'_>, stray: &Stray, now: [u8; 32]) -> Result<(), Problem> {
        let was = stray.was.as_ref().filter(|was| was.live && was.digest.is_some_and(|d| d != now));
        let run = stray.run.filter(|run| self.judged.contains(run));
        match run.zip(was) {
            Some((run, was)) => Ok(batch.count_applied(run, 0, 1, was.size)?),
            None => Ok(()),
        }
    }

    fn take_lost(&mut self, digest: [u8; 32]) -> Option<(RelPath, Record)> {
        if self.is_inbox {
            return None;
        }
        let at = self.lost.iter().position(|(_, _, row)| row.digest == Some(digest))?;
        let (folder, name, row) = self.lost.swap_remove(at);
        Some((folder.path.join(&name), row))
    }
}

/// Rows with their names, by the names of their copies.
pub(crate) type ByCopy = HashMap<Vec<u8>, (Vec<u8>, Record)>;

/// The rows of a folder that say there is a copy.
pub(crate) fn with_copies(reader: &Reader, folder: i64) -> Result<ByCopy, Problem> {
    let has_copy = |record: &Record| record.kind == RowKind::File && record.copy_mtime_ns.is_some();
    let rows = reader.records_of(folder)?.into_iter().filter(|(_, record)| has_copy(record));
    let by_copy = |(name, row): (Vec<u8>, Record)| (row.copy_name(&name).to_owned(), (name, row));
    Ok(rows.map(by_copy).collect())
}

/// Takes those out of a list that are meant.
fn take_out<T>(from: &mut Vec<T>, meant: impl Fn(&T) -> bool) -> Vec<T> {
    let (out, rest) = std::mem::take(from).into_iter().partition(meant);
    *from = rest;
    out
}

/// Removes one run's temporaries from a folder of the copy; a folder that is not there has none.
///
/// # Errors
/// When the folder can't be listed or a temporary can't be removed.
pub fn clear_folder(copy: &Dir, folder: &RelPath, run: &str) -> host::Result<()> {
    let dir = match copy.beneath(folder) {
        Ok(dir) => dir,
        Err(e) if e.meaning() == Meaning::Missing => return Ok(()),
        // A file took its name in the run that was killed.
        Err(e) if e.source.kind() == std::io::ErrorKind::NotADirectory => return Ok(()),
        Err(e) => return Err(e),
    };
    let prefix = temporary_prefix(run).into_bytes();
    let is_number = |rest: &[u8]| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit);
    for entry in dir.entries()? {
        if entry.name.strip_prefix(&prefix[..]).is_some_and(is_number) {
            dir.remove_file(&entry.name)?;
        }
    }
    Ok(())
}
