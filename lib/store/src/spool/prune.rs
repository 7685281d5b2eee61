//! Pruning: what is old and what every consumer finished leaves the spools.
//!
//! It runs on the server, for all devices. [`plan`] decides from facts alone.

use std::collections::HashSet;

use host::clock::Clock;
use host::error::Meaning;
use host::{Dir, Facts};
use jiff::{SignedDuration, Timestamp};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use model::spool::SpoolsPruned;

use super::consumer::{Known, known};
use super::outbox::{absent_is_fine, is_orphan};
use super::walk::{Found, walk};
use crate::device::away;
use crate::layout;
use crate::space::SpaceRoot;

/// How far apart the clocks of server and consumers may be.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// What is kept in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Age below which no segment is removed.
    pub retention: SignedDuration,
    /// Time unseen after which a consumer holds nothing any more.
    pub idle: SignedDuration,
}

/// A segment with what the server says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aged {
    /// The segment.
    pub found: Found,
    /// When it arrived, by the server's clock.
    pub arrived: Timestamp,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Segments that go.
    pub remove: Vec<Aged>,
    /// Segments past their retention that a consumer still holds.
    pub held: u64,
}

/// Decides which segments go: those past their retention that no consumer holds.
pub fn plan(segments: Vec<Aged>, consumers: &[Known], keep: &Keep, now: Timestamp) -> Plan {
    let holders: Vec<Holder<'_>> = consumers
        .iter()
        .filter(|known| !known.is_idle(keep.idle, now))
        .map(|known| Holder::of(known, now))
        .collect();
    let old = segments.into_iter().filter(|segment| is_old(segment, keep.retention, now));
    let mut plan = Plan::default();
    for segment in old {
        match holders.iter().any(|holder| holder.holds(&segment)) {
            true => plan.held += 1,
            false => plan.remove.push(segment),
        }
    }
    plan
}

/// Old by both clocks: an outbox delivers late, and a device's clock may be wrong.
///
/// An id from the future tells nothing of the age; its arrival does.
fn is_old(segment: &Aged, retention: SignedDuration, now: Timestamp) -> bool {
    let made = Some(segment.found.id.time()).filter(|made| *made <= now + SKEW);
    let youngest = made.map_or(segment.arrived, |made| made.max(segment.arrived));
    now.duration_since(youngest) > retention
}

/// A consumer that may still want segments.
enum Holder<'a> {
    /// What it wants is not known: it holds everything.
    Everything,
    Some {
        only: Option<&'a str>,
        seen_before: Timestamp,
        from: Option<uuid::Uuid>,
        dead: HashSet<&'a str>,
    },
}

impl Holder<'_> {
    fn of(known: &Known, now: Timestamp) -> Holder<'_> {
        let Some(record) = &known.record else { return Holder::Everything };
        match record.looked {
            // A look in the future comes from a clock that is wrong.
            Some(looked) if looked <= now + SKEW => Holder::Some {
                only: record.only.as_deref(),
                seen_before: looked - SKEW,
                from: record.oldest_unfinished,
                dead: record.dead.iter().map(String::as_str).collect(),
            },
            _ => Holder::Everything,
        }
    }

    fn holds(&self, segment: &Aged) -> bool {
        let Holder::Some { only, seen_before, from, dead } = self else { return true };
        let device = segment.found.device.to_string();
        if only.is_some_and(|only| only != device) {
            return false;
        }
        segment.arrived >= *seen_before
            || from.is_some_and(|from| segment.found.id.uuid() >= from)
            || dead.contains(segment.found.name().as_str())
    }
}

/// What came of pruning.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pruned {
    /// The figures.
    pub figures: SpoolsPruned,
    /// Consumers that are known and hold nothing any more.
    pub idle: Vec<Known>,
    /// What was survived.
    pub problems: Vec<Problem>,
}

/// Removes what may go from the spools of all devices, and the litter of killed writers.
///
/// # Errors
/// `usage` on a machine that is not the server; what the space reports when the
/// consumers' records can't be listed, since then nobody knows what is held.
pub fn prune(
    space: &SpaceRoot,
    keep: &Keep,
    dry_run: bool,
    clock: &dyn Clock,
) -> Result<Pruned, Problem> {
    if !space.is_local() {
        let what = "only the server prunes, where the space is a disk of its own";
        return Err(Problem::new(Code::Usage, what).at(space.path()).hint("run it there"));
    }
    let now = clock.now();
    // Listed before the records are read: what arrives meanwhile is not even looked at.
    let walk = walk(space, None);
    let mut pruned = Pruned { problems: walk.problems, ..Pruned::default() };
    pruned.figures =
        SpoolsPruned { dry_run, segments: walk.segments.len() as u64, ..SpoolsPruned::default() };
    let segments = aged(space, walk.segments, &mut pruned.problems);
    let consumers = known(space).map_err(away)?;
    let plan = plan(segments, &consumers, keep, now);
    pruned.idle = consumers.into_iter().filter(|known| known.is_idle(keep.idle, now)).collect();
    pruned.figures.held = plan.held;
    for segment in &plan.remove {
        pruned.count(remove(space, segment, dry_run), segment.bytes);
    }
    pruned.orphans(space, now);
    Ok(pruned)
}

/// Asks the server about each segment; one that is gone meanwhile is left out.
fn aged(space: &SpaceRoot, segments: Vec<Found>, problems: &mut Vec<Problem>) -> Vec<Aged> {
    let mut day: Option<Dir> = None;
    let mut aged = Vec::new();
    for found in segments {
        let folder = host::name::below(space.path(), &found.day());
        if day.as_ref().is_none_or(|day| day.path() != folder) {
            day = space.dir().beneath(&found.day()).map_err(|e| problems.push(away(e))).ok();
        }
        let Some(dir) = &day else { continue };
        match dir.facts(found.id.file_name().as_bytes()) {
            Ok(facts) => {
                aged.push(Aged { found, arrived: written(&facts), bytes: facts.size });
            }
            Err(e) if e.meaning() == Meaning::Missing => {}
            Err(e) => problems.push(away(e)),
        }
    }
    aged
}

/// When the server last wrote anything of a file.
fn written(facts: &Facts) -> Timestamp {
    let ns = facts.ctime_ns.unwrap_or(facts.mtime_ns).max(facts.mtime_ns);
    Timestamp::from_nanosecond(ns.into()).unwrap_or(Timestamp::MAX)
}

/// False for a segment that somebody else removed.
fn remove(space: &SpaceRoot, segment: &Aged, dry_run: bool) -> host::Result<bool> {
    if dry_run {
        return Ok(true);
    }
    let day = space.dir().beneath(&segment.found.day())?;
    let removed = absent_is_fine(day.remove_file(segment.found.id.file_name().as_bytes()))?;
    remove_empty_day(space, &segment.found);
    Ok(removed)
}

/// A day that still holds something stays, and so does one that was made just now.
fn remove_empty_day(space: &SpaceRoot, found: &Found) {
    let Some((new, name)) = found.day().split().map(|(new, name)| (new, name.to_owned())) else {
        return;
    };
    // Not being empty is the usual answer.
    let _ = space.dir().beneath(&new).and_then(|new| new.remove_folder(&name));
}

impl Pruned {
    fn count(&mut self, removed: host::Result<bool>, bytes: u64) {
        match removed {
            Ok(true) => {
                self.figures.removed += 1;
                self.figures.bytes += bytes;
            }
            Ok(false) => {}
            Err(e) => self.problems.push(away(e)),
        }
    }

    /// Removes temporary files that nobody can still be writing.
    fn orphans(&mut self, space: &SpaceRoot, now: Timestamp) {
        let (devices, _told_by_the_walk) = super::walk::devices(space);
        let own = devices.iter().flat_map(|device| {
            let tmp = layout::spool(device).join(b"tmp");
            [(tmp, &b""[..]), (layout::device(device), TEMPORARY)]
        });
        let shared = [(layout::bell(), TEMPORARY), (layout::consumers(), TEMPORARY)];
        for (folder, prefix) in own.chain(shared) {
            match sweep(space, &folder, prefix, self.figures.dry_run, now) {
                Ok(orphans) => self.figures.orphans += orphans,
                Err(e) if e.meaning() == Meaning::Missing => {}
                Err(e) => self.problems.push(away(e)),
            }
        }
    }
}

/// How names of temporary files beside a file that is replaced begin.
const TEMPORARY: &[u8] = b".phc-";

fn sweep(
    space: &SpaceRoot,
    folder: &RelPath,
    prefix: &[u8],
    dry_run: bool,
    now: Timestamp,
) -> host::Result<u64> {
    let dir = space.dir().beneath(folder)?;
    let mut orphans = 0;
    for entry in dir.entries()?.iter().filter(|entry| entry.name.starts_with(prefix)) {
        let facts = match dir.facts(&entry.name) {
            Err(e) if e.meaning() == Meaning::Missing => continue,
            facts => facts?,
        };
        if facts.kind != host::Kind::File || !is_orphan(written(&facts), now) {
            continue;
        }
        orphans += u64::from(dry_run || absent_is_fine(dir.remove_file(&entry.name))?);
    }
    Ok(orphans)
}
