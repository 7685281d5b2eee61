//! Reading: the segments of all devices below a space root.

use std::sync::Arc;

use host::error::Meaning;
use host::{Dir, Kind, publish};
use model::device::Device;
use model::problem::{Code, Problem};
use model::relpath::RelPath;

use super::MAX_SEGMENT_BYTES;
use super::segment::{Segment, SegmentId};
use crate::device::away;
use crate::layout;
use crate::space::SpaceRoot;

/// A segment that lies in a spool.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Found {
    /// Its id; first, since segments are taken in the order of their names.
    pub id: SegmentId,
    /// Whose spool it lies in.
    pub device: Arc<Device>,
}

impl Found {
    /// Its path below the space root.
    pub fn path(&self) -> RelPath {
        self.day().join(self.id.file_name().as_bytes())
    }

    /// How people and records name it: `<host>/<user>/<segment>`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.device, self.id)
    }

    /// Its size in bytes.
    ///
    /// # Errors
    /// When it is gone or can't be asked.
    pub fn bytes(&self, space: &SpaceRoot) -> host::Result<u64> {
        let day = space.dir().beneath(&self.day())?;
        day.facts(self.id.file_name().as_bytes()).map(|facts| facts.size)
    }

    /// The folder it lies in.
    pub(super) fn day(&self) -> RelPath {
        layout::spool(&self.device).join(b"new").join(self.id.day().as_bytes())
    }
}

/// What lies in the spools.
#[derive(Debug, Default)]
pub struct Walk {
    /// The segments in name order.
    pub segments: Vec<Found>,
    /// What lies between them and is none; ignored.
    pub strangers: Vec<RelPath>,
    /// Folders that could not be listed; what they hold is unknown.
    pub problems: Vec<Problem>,
}

/// Lists the spools of all devices, or of one.
///
/// A folder that can't be listed is a problem in the result and hides nothing else.
pub fn walk(space: &SpaceRoot, only: Option<&Device>) -> Walk {
    let mut walk = Walk::default();
    match only {
        Some(device) => walk.spool(space, device.clone()),
        None => {
            for device in walk.devices(space) {
                walk.spool(space, device);
            }
        }
    }
    walk.segments.sort_unstable();
    walk
}

/// The devices that have a folder in the space, and what could not be listed.
pub(super) fn devices(space: &SpaceRoot) -> (Vec<Device>, Vec<Problem>) {
    let mut walk = Walk::default();
    (walk.devices(space), walk.problems)
}

impl Walk {
    /// The devices that have a folder; the toolkit's own folders begin with `_`.
    fn devices(&mut self, space: &SpaceRoot) -> Vec<Device> {
        let mut devices = Vec::new();
        let mut hosts = self.names(space, &layout::devices());
        hosts.retain(|name| !name.starts_with(b"_"));
        for host in hosts {
            for user in self.names(space, &layout::devices().join(&host)) {
                let names = (std::str::from_utf8(&host), std::str::from_utf8(&user));
                let (Ok(host), Ok(user)) = names else { continue };
                let same = |d: &Device| d.host() == host && d.user() == user;
                devices.extend(Device::new(host, user).ok().filter(same));
            }
        }
        devices
    }

    fn spool(&mut self, space: &SpaceRoot, device: Device) {
        let device = Arc::new(device);
        let new = layout::spool(&device).join(b"new");
        for day in self.names(space, &new) {
            let folder = new.join(&day);
            for name in self.names(space, &folder) {
                match SegmentId::of_file_name(&name) {
                    Some(id) if id.day().as_bytes() == &*day => {
                        self.segments.push(Found { id, device: device.clone() });
                    }
                    _ => self.strangers.push(folder.join(&name)),
                }
            }
        }
    }

    /// Names in a folder; none when it is not there. A file where a folder belongs is a stranger.
    fn names(&mut self, space: &SpaceRoot, folder: &RelPath) -> Vec<Box<[u8]>> {
        match space.dir().beneath(folder).and_then(|dir| dir.entries()) {
            Ok(entries) => entries.into_iter().map(|entry| entry.name).collect(),
            Err(e) if e.meaning() == Meaning::Missing => Vec::new(),
            Err(e) if is_no_folder(space.dir(), folder) => {
                drop(e);
                self.strangers.push(folder.clone());
                Vec::new()
            }
            Err(e) => {
                self.problems.push(unlisted(e));
                Vec::new()
            }
        }
    }
}

/// The problem that a folder is which can't be listed.
fn unlisted(error: host::Error) -> Problem {
    if error.meaning() != Meaning::Forbidden {
        return away(error);
    }
    let what = format!("can't {}: {}", error.attempt, error.source);
    Problem::new(Code::Io, what)
        .at(error.path.as_path())
        .hint("let this user read the spools of all devices, or read one with --device")
}

fn is_no_folder(root: &Dir, path: &RelPath) -> bool {
    let Some((parent, name)) = path.split() else { return false };
    let facts = root.beneath(&parent).and_then(|parent| parent.facts(name));
    facts.is_ok_and(|facts| facts.kind != Kind::Folder)
}

/// Why a segment could not be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It was pruned meanwhile.
    Gone,
    /// The space failed; the segment may be as good as ever.
    Away(Problem),
    /// It is no segment, and never will be.
    Malformed(String),
}

/// Reads a segment.
///
/// # Errors
/// As [`Unreadable`] tells.
pub fn read(space: &SpaceRoot, found: &Found) -> Result<Segment, Unreadable> {
    let failed = |e: host::Error| match e.meaning() {
        Meaning::Missing => Unreadable::Gone,
        _ => Unreadable::Away(away(e)),
    };
    let day = space.dir().beneath(&found.day()).map_err(failed)?;
    let name = found.id.file_name();
    let facts = day.facts(name.as_bytes()).map_err(failed)?;
    let limit = 2 * MAX_SEGMENT_BYTES as u64;
    if facts.kind != Kind::File || facts.size > limit {
        return Err(Unreadable::Malformed(format!("not a regular file of at most {limit} bytes")));
    }
    let content = publish::read(&day, name.as_bytes(), limit).map_err(failed)?;
    Segment::parse(content.ok_or(Unreadable::Gone)?).map_err(Unreadable::Malformed)
}
