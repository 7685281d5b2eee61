//! After the space went back to an older state: copies that lie there again and that no row
//! explains, since their files were moved or put away later, get tombstones.

use host::stop::Stop;
use host::{Dir, Facts, Kind};
use jiff::Timestamp;
use model::problem::Problem;
use store::manifest::{Manifest, Record};
use store::names::{self, Mapped};

use crate::known::Known;
use crate::rebuild::{Names, name_folders, unexplained};
use crate::recover::{clear_folder, with_copies};
use crate::{apply, digest};

/// Reads every copy that no row explains and remembers it as of a file that left the source.
///
/// A stop remembers nothing of it, and the next run looks again. What can't be read stays a
/// stranger, which verify tells of.
///
/// # Errors
/// When the copy can't be listed, or the manifest can't be used.
pub fn explain(known: &mut Known, copy: &Dir, now: Timestamp, stop: &Stop) -> Result<(), Problem> {
    let gone_ms = now.as_millisecond();
    let (mut folders, mut rows) = (Vec::new(), Vec::new());
    let mut waiting = vec![Mapped::root()];
    while let Some(at) = waiting.pop() {
        let found = look(known, copy, &at, gone_ms, stop)?;
        if stop.asked() {
            return Ok(());
        }
        waiting.extend(found.folders.iter().map(|(folder, ..)| folder.clone()));
        folders.extend(found.folders.into_iter().filter(|(.., is_known)| !is_known));
        rows.extend(found.rows.into_iter().map(|(name, row)| (at.clone(), name, row)));
    }
    let mut batch = known.manifest.batch()?;
    for (folder, facts, _) in &folders {
        let owner = (facts.uid, facts.gid);
        batch.put_folder(&folder.path, false, facts.mtime_ns, facts.mode, owner)?;
        name_folders(&mut batch, &folder.path, folder.copy.as_ref())?;
    }
    for (folder, name, row) in &rows {
        batch.put(&folder.path, name, row)?;
    }
    Ok(batch.commit()?)
}

/// What lies in one folder of the copy.
#[derive(Default)]
struct Found {
    /// The folders, and whether each has a row.
    folders: Vec<(Mapped, Facts, bool)>,
    /// The rows that its files lack.
    rows: Vec<(Vec<u8>, Record)>,
}

fn look(
    known: &Known,
    copy: &Dir,
    at: &Mapped,
    gone_ms: i64,
    stop: &Stop,
) -> Result<Found, Problem> {
    let (manifest, target) = (&known.manifest, known.target);
    let reader = manifest.reader()?;
    let id = reader.folder_id(&at.path)?;
    let explained = id.map(|id| with_copies(&reader, id)).transpose()?.unwrap_or_default();
    let rows = Names::of(manifest, &at.path, target)?;
    let dir = copy.beneath(at.copy()).map_err(store::device::away)?;
    let mut found = Found::default();
    for entry in dir.entries().map_err(store::device::away)? {
        let facts = dir.facts(&entry.name).map_err(store::device::away)?;
        if facts.kind == Kind::Folder {
            let folder = rows.folder(at, &entry.name);
            let is_known = reader.folder_id(&folder.path)?.is_some();
            found.folders.push((folder, facts, is_known));
        } else if facts.kind == Kind::File && !explained.contains_key(&*entry.name) {
            // The older state may be of the middle of a run.
            if let Some(run) = apply::run_of_temporary(&entry.name) {
                clear_folder(copy, at.copy(), &run).map_err(store::device::away)?;
                continue;
            }
            let (name, copy_name) = names::of_copy(&target, &entry.name);
            // A live row without a copy is a link's, say: it says more than an old copy does.
            if !is_live(manifest, id, &name)?
                && let Ok(Some((digest, facts))) = digest::of_stable(&dir, &entry.name, stop)
            {
                found.rows.push((name, tombstone(&facts, digest, copy_name, gone_ms)));
            }
        }
    }
    Ok(found)
}

fn is_live(manifest: &Manifest, folder: Option<i64>, name: &[u8]) -> Result<bool, Problem> {
    let Some(folder) = folder else { return Ok(false) };
    Ok(manifest.reader()?.record(folder, name)?.is_some_and(|row| row.live))
}

fn tombstone(facts: &Facts, digest: [u8; 32], copy_name: Option<Vec<u8>>, gone_ms: i64) -> Record {
    Record {
        live: false,
        digest: Some(digest),
        copy_name,
        gone_ms: Some(gone_ms),
        ..unexplained(facts)
    }
}
