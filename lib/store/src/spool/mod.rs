//! The spool of events: outbox, segments, consumers.
//!
//! An event is told in three steps, each durable before the next: [`Outbox::put`] writes
//! a segment into the state, [`flush`] renames it into the device's own spool in the
//! space, and each [`consumer`] finishes it for itself. With the space away the first
//! step stands alone, and nothing is lost. phc-spool(5) describes the form.

mod bell;
pub mod consumer;
mod deliver;
pub mod expand;
mod grease;
mod outbox;
pub mod prune;
mod segment;
mod walk;

pub use bell::{Bells, bells};
pub use deliver::{Flushed, flush};
pub use outbox::{Outbox, Waiting};
pub use segment::{Segment, SegmentId};
pub use walk::{Found, Unreadable, Walk, read, walk};

use host::clock::Clock;
use model::device::Device;
use model::event::Event;
use model::problem::Problem;

use crate::space::SpaceRoot;
use crate::state::State;

/// The largest segment that is written, in bytes; more events make more segments.
pub const MAX_SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// Age in hours after which a temporary file belongs to nobody any more.
const ORPHAN_HOURS: i64 = 24;

/// What became of published events; they are safe in every case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Published {
    /// The segments that were made of them.
    pub segments: Vec<SegmentId>,
    /// Segments that were delivered into the space by this call, earlier ones included.
    pub delivered: usize,
    /// Segments that still wait in the outbox.
    pub waiting: usize,
    /// Why some still wait, when a space was given.
    pub problems: Vec<Problem>,
}

/// Makes events safe: into the outbox first, then into the spool when a proven space is given.
///
/// What could not be delivered waits for the next call; that is told in
/// [`Published::problems`] and is no error.
///
/// # Errors
/// `event-invalid` when an event is over 64 KiB, `state-unusable` when the outbox can't
/// be written. Then nothing of these events is stored, unless they made several segments.
pub fn publish(
    events: &[Event],
    state: &State,
    device: &Device,
    space: Option<&SpaceRoot>,
    clock: &dyn Clock,
) -> Result<Published, Problem> {
    let outbox = Outbox::open(state, device)?;
    let segments = outbox.put(events)?;
    let flushed = match space.filter(|space| !space.is_read_only()) {
        Some(space) => flush(&outbox, space, device, state, clock)?,
        None => Flushed { waiting: outbox.waiting()?.len(), ..Flushed::default() },
    };
    Ok(Published {
        segments,
        delivered: flushed.delivered.len(),
        waiting: flushed.waiting,
        problems: flushed.problems,
    })
}

#[cfg(test)]
mod tests;
