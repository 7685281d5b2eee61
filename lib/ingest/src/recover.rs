//! After a run that was cut off: its temporaries are cleared, and what it renamed and did
//! not remember is remembered. Only the folders that it had noted are looked at.

use std::collections::HashMap;

use host::error::Meaning;
use host::stop::Stop;
use host::{Dir, Kind};
use model::ingest::Change;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::{Manifest, News, Record, RowKind};

use crate::apply::temporary_prefix;
use crate::{digest, rebuild};

/// Puts in order what a run that was cut off left in the folders it had noted.
///
/// # Errors
/// When the manifest can't be used, or the copy can't be read or cleared.
pub fn recover(manifest: &mut Manifest, copy: &Dir, stop: &Stop) -> Result<(), Problem> {
    let noted = manifest.inflight()?;
    if noted.is_empty() {
        return Ok(());
    }
    let mut cut = Cut::default();
    for (run, folder) in &noted {
        if let Ok(folder) = RelPath::new(folder.as_slice()) {
            clear_folder(copy, &folder, run).map_err(store::device::away)?;
            cut.look(manifest, copy, folder)?;
        }
    }
    cut.remember(manifest, copy, stop)
}

/// What the rows of noted folders do not explain.
#[derive(Default)]
struct Cut {
    /// Copies that no row explains.
    strays: Vec<(RelPath, Vec<u8>)>,
    /// Rows whose copy is not there.
    lost: Vec<(RelPath, Vec<u8>, Record)>,
}

impl Cut {
    fn look(&mut self, manifest: &Manifest, copy: &Dir, folder: RelPath) -> Result<(), Problem> {
        let reader = manifest.reader()?;
        let rows = match reader.folder_id(&folder)? {
            Some(id) => reader.records_of(id)?,
            None => Vec::new(),
        };
        let has_copy =
            |record: &Record| record.kind == RowKind::File && record.copy_mtime_ns.is_some();
        let mut rows: HashMap<Vec<u8>, Record> =
            rows.into_iter().filter(|(_, record)| has_copy(record)).collect();
        if let Ok(dir) = copy.beneath(&folder) {
            for entry in dir.entries().map_err(store::device::away)? {
                let facts = dir.facts(&entry.name).map_err(store::device::away)?;
                let row = rows.remove(&*entry.name);
                // What was found damaged is no stray: what its row says of it must not be lost.
                let explained = row.is_some_and(|row| {
                    row.is_doubted()
                        || (row.size, row.copy_mtime_ns) == (facts.size, Some(facts.mtime_ns))
                });
                if facts.kind == Kind::File && !explained {
                    self.strays.push((folder.clone(), entry.name.to_vec()));
                }
            }
        }
        self.lost.extend(rows.into_iter().map(|(name, row)| (folder.clone(), name, row)));
        Ok(())
    }

    /// Every stray gets a row: that of the lost copy which it is, or one of its own. What the
    /// source says of it is asked by the run as of any other file.
    fn remember(mut self, manifest: &mut Manifest, copy: &Dir, stop: &Stop) -> Result<(), Problem> {
        let mut batch = manifest.batch()?;
        for (folder, name) in std::mem::take(&mut self.strays) {
            let read = copy.beneath(&folder).and_then(|dir| digest::of_stable(&dir, &name, stop));
            if stop.asked() {
                // The notes stay, and the next run looks again.
                return Ok(());
            }
            let Ok(Some((digest, facts))) = read else { continue };
            let Some((from, row)) = self.take_lost(digest) else {
                let row = Record { digest: Some(digest), ..rebuild::unexplained(&facts) };
                batch.put(&folder, &name, &row)?;
                continue;
            };
            batch.put(&folder, &name, &Record { live: true, gone_ms: None, ..row })?;
            if let Some((former, old)) = from.split() {
                batch.remove(&former, old)?;
            }
            let news = News { from: Some(from.clone()), ..News::of(Change::Renamed) };
            batch.announce(&folder, &name, &news)?;
        }
        batch.forget_inflight()?;
        batch.commit()?;
        Ok(())
    }

    fn take_lost(&mut self, digest: [u8; 32]) -> Option<(RelPath, Record)> {
        let at = self.lost.iter().position(|(_, _, row)| row.digest == Some(digest))?;
        let (folder, name, row) = self.lost.swap_remove(at);
        Some((folder.join(&name), row))
    }
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
