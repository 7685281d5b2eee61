//! After a run that was killed: its temporaries are cleared, and nothing else is looked at.

use host::Dir;
use host::error::Meaning;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::Manifest;

use crate::apply::temporary_prefix;

/// Clears the temporaries that a killed run left in the folders it had noted.
///
/// # Errors
/// When the manifest can't be used, or a temporary can't be removed.
pub fn clear_litter(manifest: &mut Manifest, copy: &Dir) -> Result<(), Problem> {
    let noted = manifest.inflight()?;
    if noted.is_empty() {
        return Ok(());
    }
    for (run, folder) in &noted {
        if let Ok(folder) = RelPath::new(folder.as_slice()) {
            clear_folder(copy, &folder, run).map_err(store::device::away)?;
        }
    }
    let mut batch = manifest.batch()?;
    batch.forget_inflight()?;
    batch.commit()?;
    Ok(())
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
