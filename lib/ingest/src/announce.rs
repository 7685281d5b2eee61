//! Announcing: what is committed and not told yet becomes increments of the catalog.

use std::time::Duration;

use host::clock::Clock;
use host::failpoint;
use model::ingest::BatchStored;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::catalog::Catalog;
use store::manifest::Manifest;
use uuid::Uuid;

use crate::inbox::InboxArrived;

/// Lines of one increment: a few files for 100,000 changes, and little memory.
const LINES: usize = 20_000;

/// What was published and is to be forgotten once its events are safe.
#[derive(Debug, Default)]
pub struct Announced {
    /// The events that refer to the increments.
    pub events: Vec<BatchStored>,
    /// What they tell of arrivals in an inbox.
    pub arrived: Vec<InboxArrived>,
    upto: Option<(i64, Uuid)>,
}

/// Publishes everything that waits, as increments.
///
/// `inbox` is the folder of the space below which the files of an inbox lie.
///
/// Killed after this and before [`forget`], the next run tells the same again: readers
/// take a later line of a path over an earlier one, so that does no harm.
///
/// # Errors
/// When the manifest can't be read or the catalog can't be written.
pub fn publish(
    manifest: &Manifest,
    catalog: &Catalog,
    cloud: &str,
    inbox: Option<&RelPath>,
) -> Result<Announced, Problem> {
    let mut announced = Announced::default();
    let mut after = 0;
    while let Some(waiting) = manifest.unannounced(cloud, after, LINES)? {
        let id = catalog.next_id().map_err(store::device::away)?;
        let increment = catalog.publish(id, &waiting.news).map_err(store::device::away)?;
        announced.events.push(increment.event(cloud));
        let arrived =
            inbox.and_then(|root| InboxArrived::of(cloud, root, &increment, &waiting.news));
        announced.arrived.extend(arrived);
        announced.upto = Some((waiting.upto, increment.id));
        after = waiting.upto;
        point("announce.increment")?;
    }
    Ok(announced)
}

/// Forgets what was announced, and compacts the catalog when that is worth it.
///
/// # Errors
/// As [`publish`].
pub fn forget(
    manifest: &mut Manifest,
    catalog: &Catalog,
    cloud: &str,
    announced: &Announced,
    keep: Duration,
    clock: &dyn Clock,
) -> Result<(), Problem> {
    let Some((upto, newest)) = announced.upto else { return Ok(()) };
    point("announce.outbox")?;
    manifest.forget_announced(upto, newest)?;
    point("announce.marked")?;
    let reader = manifest.reader()?;
    catalog.compact(cloud, &reader, clock.now(), keep).map(drop).map_err(store::device::away)
}

/// Writes the whole state as the catalog's base: a space that was rolled back lacks a part of it.
///
/// # Errors
/// As [`publish`].
pub fn tell_all_again(manifest: &Manifest, catalog: &Catalog, cloud: &str) -> Result<(), Problem> {
    let upto = catalog.next_id().map_err(store::device::away)?;
    catalog.rewrite(cloud, &manifest.reader()?, upto).map_err(store::device::away)?;
    manifest.set_meta("newest_increment", &upto.to_string())?;
    Ok(())
}

fn point(name: &'static str) -> Result<(), Problem> {
    failpoint::hit(name).map_err(|e| Problem::new(Code::Io, format!("failed at {name}: {e}")))
}
