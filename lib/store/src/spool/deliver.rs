//! Delivery: from the outbox into the device's spool in the space, once per segment.

use std::io::Write;

use host::clock::Clock;
use host::error::{Attempt, Meaning};
use host::{Dir, barrier, failpoint, publish};
use model::device::Device;
use model::problem::Problem;
use model::relpath::RelPath;

use super::bell;
use super::outbox::{Outbox, absent_is_fine};
use super::segment::SegmentId;
use crate::device::{self, away};
use crate::layout::{self, FILE_MODE, FOLDER_MODE};
use crate::space::SpaceRoot;
use crate::state::{self, State};

/// What came of delivering.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flushed {
    /// Segments that are in the spool now and were in the outbox before.
    pub delivered: Vec<SegmentId>,
    /// Segments that still wait in the outbox.
    pub waiting: usize,
    /// Why they wait; and a bell that could not be rung.
    pub problems: Vec<Problem>,
}

/// Delivers what waits in the outbox, oldest first, and rings the bell.
///
/// Each segment is written in `tmp`, synced, renamed into the folder of its day without
/// replacing, that folder synced, and only then removed from the outbox. One that is there
/// already counts as delivered, so a kill between the two delivers nothing twice, and
/// several processes may deliver at once.
///
/// # Errors
/// `state-unusable` when the outbox can't be listed; a space that fails is a problem in
/// the result.
pub fn flush(
    outbox: &Outbox,
    space: &SpaceRoot,
    device: &Device,
    state: &State,
    clock: &dyn Clock,
) -> Result<Flushed, Problem> {
    let mut flushed = Flushed::default();
    let waiting = outbox.waiting()?;
    outbox.sweep(clock.now()).map_err(state::unusable)?;
    if waiting.is_empty() {
        return Ok(flushed);
    }
    let done = Spool::open(space, device, state, clock).and_then(|spool| {
        for segment in &waiting {
            flushed.delivered.extend(spool.take(outbox, segment.id)?);
        }
        spool.sweep(&flushed.delivered).map_err(away)
    });
    flushed.problems.extend(done.err());
    if let Some(newest) = flushed.delivered.last() {
        flushed.problems.extend(bell::ring(space, device, *newest).err().map(away));
    }
    flushed.waiting = outbox.waiting()?.len();
    Ok(flushed)
}

/// The device's own spool, open for delivery.
struct Spool {
    tmp: Dir,
    new: Dir,
}

impl Spool {
    fn open(
        space: &SpaceRoot,
        device: &Device,
        state: &State,
        clock: &dyn Clock,
    ) -> Result<Spool, Problem> {
        device::claim(space, device, state, clock)?;
        let open = |name: &[u8]| {
            make_durably(space.dir(), &layout::spool(device).join(name)).map_err(away)
        };
        Ok(Spool { tmp: open(b"tmp")?, new: open(b"new")? })
    }

    /// Takes one segment out of the outbox; `None` when another process did.
    ///
    /// Where something else lies under its name (a server that lost power), it is
    /// delivered under a fresh one: a segment is never changed.
    fn take(&self, outbox: &Outbox, mut id: SegmentId) -> Result<Option<SegmentId>, Problem> {
        let Some(content) = outbox.content(id).map_err(state::unusable)? else { return Ok(None) };
        while !self.deliver(id, &content).map_err(away)? {
            match outbox.rename(id).map_err(state::unusable)? {
                Some(fresh) => id = fresh,
                None => return Ok(None),
            }
        }
        outbox.remove(id).map_err(state::unusable)?;
        Ok(Some(id))
    }

    /// True once the segment is in the spool; false where other content has its name.
    fn deliver(&self, id: SegmentId, content: &[u8]) -> host::Result<bool> {
        let name = id.file_name();
        let day = make_durably(&self.new, &RelPath::root().join(id.day().as_bytes()))?;
        if let Some(same) = is_there(&day, &name, content)? {
            return Ok(same);
        }
        let temporary = format!("{id}.{}", host::id::random());
        let moved = self.write(&temporary, content).and_then(|()| {
            publish::move_new(&self.tmp, temporary.as_bytes(), &day, name.as_bytes())
        });
        if let Err(e) = moved {
            // The error that matters is the move's; a temporary that stays is only litter.
            let _ = self.tmp.remove_file(temporary.as_bytes());
            // Another process may have delivered it, and swept away our temporary.
            return match is_there(&day, &name, content) {
                Ok(Some(same)) => Ok(same),
                _ => Err(e),
            };
        }
        failpoint::hit("spool.delivered").attempt("deliver into", day.path())?;
        Ok(true)
    }

    fn write(&self, name: &str, content: &[u8]) -> host::Result<()> {
        let mut file = self.tmp.create_new(name.as_bytes(), FILE_MODE)?;
        let mut write = || {
            file.write_all(content)?;
            barrier::sync_file(&file)?;
            failpoint::hit("spool.delivering")
        };
        write().attempt("write in", self.tmp.path())
    }

    /// Removes what killed processes left of segments that are delivered now.
    fn sweep(&self, delivered: &[SegmentId]) -> host::Result<()> {
        for entry in self.tmp.entries()? {
            if delivered.iter().any(|id| is_temporary_of(&entry.name, *id)) {
                absent_is_fine(self.tmp.remove_file(&entry.name))?;
            }
        }
        Ok(())
    }
}

fn is_temporary_of(name: &[u8], id: SegmentId) -> bool {
    name.strip_prefix(id.to_string().as_bytes()).is_some_and(|rest| rest.starts_with(b"."))
}

/// Whether the file is there with just this content; `None` when it is not there.
fn is_there(day: &Dir, name: &str, content: &[u8]) -> host::Result<Option<bool>> {
    match day.facts(name.as_bytes()) {
        Err(e) if e.meaning() == Meaning::Missing => return Ok(None),
        Err(e) => return Err(e),
        Ok(facts) if facts.size != content.len() as u64 => return Ok(Some(false)),
        Ok(_) => {}
    }
    let there = publish::read(day, name.as_bytes(), content.len() as u64)?;
    Ok(there.map(|there| there == content))
}

/// Opens a folder, making what is missing on the way so that it outlives a loss of power.
fn make_durably(root: &Dir, path: &RelPath) -> host::Result<Dir> {
    match root.beneath(path) {
        Err(e) if e.meaning() == Meaning::Missing => {}
        found => return found,
    }
    let mut dir = root.again()?;
    for name in path.names() {
        dir = match dir.sub(name) {
            Err(e) if e.meaning() == Meaning::Missing => {
                dir.make_folder(name, FOLDER_MODE)?;
                dir.sync()?;
                dir.sub(name)?
            }
            other => other?,
        };
    }
    Ok(dir)
}
