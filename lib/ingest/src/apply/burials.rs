//! Folders that left: buried last, when nothing live is left in them.

use model::ingest::Change;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::{Manifest, News};

use crate::plan::PlanLog;

/// Buries the folders that left, the innermost first, in one transaction.
///
/// Nobody looks into a buried folder again. So a run that was cut off has buried none, and
/// one of which an entry could not be buried stays, and is found again by the next run.
pub(super) fn bury(manifest: &mut Manifest, plan: &mut PlanLog) -> Result<(), Problem> {
    let mut gone: Vec<RelPath> = Vec::new();
    for part in plan.read()? {
        let part = part?;
        if part.is_gone {
            gone.push(part.path);
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    gone.sort_unstable();
    let mut batch = manifest.batch()?;
    for path in gone.iter().rev() {
        if batch.bury_folder(path)? {
            batch.announce(path, b"", &News::of(Change::Gone))?;
        }
    }
    Ok(batch.commit()?)
}
