//! Bells: one small file for each device, replaced whenever it published.
//!
//! They are hints, for path units on the server and for readers that poll: whoever misses
//! one finds the segments by looking.

use host::error::Meaning;
use host::publish;
use model::device::Device;

use super::segment::SegmentId;
use crate::layout::{self, FILE_MODE};
use crate::space::SpaceRoot;

/// The state of all bells, to be compared with a later one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bells(Vec<(Box<[u8]>, u64, i64)>);

/// Replaces a device's bell.
pub(super) fn ring(space: &SpaceRoot, device: &Device, newest: SegmentId) -> host::Result<()> {
    let bells = space.make_shared(&layout::bell())?;
    let text = format!("{newest}\n");
    publish::replace_hint(&bells, device.flat_name().as_bytes(), text.as_bytes(), FILE_MODE)
}

/// Looks at all bells.
///
/// # Errors
/// When they can't be listed; where none was ever rung there are none.
pub fn bells(space: &SpaceRoot) -> host::Result<Bells> {
    let dir = match space.dir().beneath(&layout::bell()) {
        Err(e) if e.meaning() == Meaning::Missing => return Ok(Bells(Vec::new())),
        dir => dir?,
    };
    let mut bells = Vec::new();
    for entry in dir.entries()? {
        // One that vanishes was replaced just now: then the next look differs.
        if let Ok(facts) = dir.facts(&entry.name) {
            bells.push((entry.name, facts.file_id, facts.mtime_ns));
        }
    }
    bells.sort_unstable();
    Ok(Bells(bells))
}
