//! The outbox: segments that wait in the state until the space takes them.

use host::error::Meaning;
use host::{Dir, publish};
use jiff::{SignedDuration, Timestamp};
use model::device::Device;
use model::event::Event;
use model::problem::Problem;
use uuid::Uuid;

use super::segment::{self, SegmentId};
use super::{MAX_SEGMENT_BYTES, ORPHAN_HOURS};
use crate::state::{self, State};

/// One device's outbox; any number of processes may use it at once.
#[derive(Debug)]
pub struct Outbox {
    dir: Dir,
}

/// A segment that waits for the space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Its id.
    pub id: SegmentId,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Outbox {
    /// Opens a device's outbox, making it when missing.
    ///
    /// # Errors
    /// `state-unusable` when that fails.
    pub fn open(state: &State, device: &Device) -> Result<Outbox, Problem> {
        Ok(Outbox { dir: state::open_folder(&state.outbox(device)?)? })
    }

    /// Stores events as synced segments; no events make none.
    ///
    /// # Errors
    /// `event-invalid` when an event is over 64 KiB: then nothing is stored.
    /// `state-unusable` when a segment can't be written.
    pub fn put(&self, events: &[Event]) -> Result<Vec<SegmentId>, Problem> {
        let store = |content: &String| {
            let id = SegmentId::fresh();
            publish::create(
                &self.dir,
                id.file_name().as_bytes(),
                content.as_bytes(),
                state::FILE_MODE,
            )
            .map_err(state::unusable)?;
            Ok(id)
        };
        segment::encode(events)?.iter().map(store).collect()
    }

    /// What waits, in name order; files that are no segments are not ours to judge.
    ///
    /// # Errors
    /// `state-unusable` when it can't be listed.
    pub fn waiting(&self) -> Result<Vec<Waiting>, Problem> {
        let mut waiting = Vec::new();
        for entry in self.dir.entries().map_err(state::unusable)? {
            let Some(id) = SegmentId::of_file_name(&entry.name) else { continue };
            match self.dir.facts(&entry.name) {
                Ok(facts) => waiting.push(Waiting { id, bytes: facts.size }),
                // Another process delivered it just now.
                Err(e) if e.meaning() == Meaning::Missing => {}
                Err(e) => return Err(state::unusable(e)),
            }
        }
        waiting.sort_unstable_by_key(|w| w.id);
        Ok(waiting)
    }

    /// How long the oldest waits; `None` when nothing does.
    ///
    /// # Errors
    /// As [`Outbox::waiting`].
    pub fn oldest_age(&self, now: Timestamp) -> Result<Option<SignedDuration>, Problem> {
        Ok(self.waiting()?.first().map(|oldest| now.duration_since(oldest.id.time())))
    }

    /// A segment's content; `None` when another process delivered it meanwhile.
    pub(super) fn content(&self, id: SegmentId) -> host::Result<Option<Vec<u8>>> {
        publish::read(&self.dir, id.file_name().as_bytes(), 2 * MAX_SEGMENT_BYTES as u64)
    }

    /// Forgets a delivered segment.
    pub(super) fn remove(&self, id: SegmentId) -> host::Result<()> {
        absent_is_fine(self.dir.remove_file(id.file_name().as_bytes())).map(drop)
    }

    /// Gives a segment a fresh id; `None` when another process took it meanwhile.
    pub(super) fn rename(&self, id: SegmentId) -> host::Result<Option<SegmentId>> {
        let fresh = SegmentId::fresh();
        let (old, new) = (id.file_name(), fresh.file_name());
        let renamed = self.dir.rename_new(old.as_bytes(), &self.dir, new.as_bytes());
        Ok(absent_is_fine(renamed)?.then_some(fresh))
    }

    /// Removes what a killed [`Outbox::put`] left behind a day ago.
    pub(super) fn sweep(&self, now: Timestamp) -> host::Result<()> {
        for entry in self.dir.entries()? {
            if temporary_since(&entry.name).is_some_and(|made| is_orphan(made, now)) {
                absent_is_fine(self.dir.remove_file(&entry.name))?;
            }
        }
        Ok(())
    }
}

/// When a temporary file of [`publish`] was made; `None` for other names.
fn temporary_since(name: &[u8]) -> Option<Timestamp> {
    let id = std::str::from_utf8(name).ok()?.strip_prefix(".phc-")?;
    SegmentId::new(Uuid::try_parse(id).ok()?).map(SegmentId::time)
}

/// True if nobody can still be writing a temporary file that was made then.
pub(super) fn is_orphan(made: Timestamp, now: Timestamp) -> bool {
    now.duration_since(made) > SignedDuration::from_hours(ORPHAN_HOURS)
}

/// False where another process was faster.
pub(super) fn absent_is_fine(result: host::Result<()>) -> host::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(e) if e.meaning() == Meaning::Missing => Ok(false),
        Err(e) => Err(e),
    }
}
