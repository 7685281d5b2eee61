//! Records: what each consumer says of itself in the space, so that `prune` waits for it.

use host::error::Meaning;
use host::{Dir, publish};
use jiff::{SignedDuration, Timestamp};
use model::device::Device;
use model::problem::{Code, Problem};
use model::spool::ConsumerRecord;
use uuid::Uuid;

use super::{Consumer, ConsumerName, Look, Standing};
use crate::device::away;
use crate::layout::{self, FILE_MODE};
use crate::space::SpaceRoot;

const LIMIT: u64 = 16 * 1024 * 1024;
const SCHEMA: u32 = 1;
/// The key under which a consumer remembers that it wrote its record before.
const REGISTERED: &str = "registered";

/// A consumer's record as it lies in the space.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// The consumer's name, by the file's.
    pub name: ConsumerName,
    /// What it says of itself; `None` for a record that can't be read.
    pub record: Option<ConsumerRecord>,
    /// When the record was last written, by the clocks of consumer and server.
    pub seen: Timestamp,
}

impl Known {
    /// True if it was not seen for so long that it holds nothing any more.
    pub fn is_idle(&self, after: SignedDuration, now: Timestamp) -> bool {
        now.duration_since(self.seen) > after
    }
}

/// Every consumer that left a record in the space, by name.
///
/// # Errors
/// When they can't be listed.
pub fn known(space: &SpaceRoot) -> host::Result<Vec<Known>> {
    let dir = match space.dir().beneath(&layout::consumers()) {
        Ok(dir) => dir,
        Err(e) if e.meaning() == Meaning::Missing => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut known = Vec::new();
    for entry in dir.entries()? {
        let stem = std::str::from_utf8(&entry.name).ok().and_then(|n| n.strip_suffix(".json"));
        if let Some(name) = stem.and_then(|stem| stem.parse::<ConsumerName>().ok()) {
            known.extend(one(&dir, name)?);
        }
    }
    known.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(known)
}

/// The record of one consumer; `None` when there is none.
fn one(dir: &Dir, name: ConsumerName) -> host::Result<Option<Known>> {
    let file = file_name(&name);
    let facts = match dir.facts(file.as_bytes()) {
        Ok(facts) => facts,
        Err(e) if e.meaning() == Meaning::Missing => return Ok(None),
        Err(e) => return Err(e),
    };
    // What is there and can't be read is a record all the same: it holds everything.
    let text = publish::read(dir, file.as_bytes(), LIMIT).unwrap_or_default();
    let record = text.and_then(|text| serde_json::from_slice::<ConsumerRecord>(&text).ok());
    let record = record.filter(|r| r.schema == SCHEMA && r.consumer == name.as_str());
    let written = Timestamp::from_nanosecond(facts.ctime_ns.unwrap_or(facts.mtime_ns).into());
    let written = written.unwrap_or(Timestamp::UNIX_EPOCH);
    let seen = record.as_ref().map_or(written, |r| r.time.max(written));
    Ok(Some(Known { name, record, seen }))
}

fn file_name(name: &ConsumerName) -> String {
    format!("{name}.json")
}

impl Consumer {
    /// Leaves its record in the space: before it takes anything, and whenever that changed.
    ///
    /// A look that did not see everything moves nothing forward.
    ///
    /// # Errors
    /// `usage` when another machine's consumer has the name; else when it can't be written.
    pub fn register(
        &self,
        space: &SpaceRoot,
        device: &Device,
        look: Option<&Look>,
        idle: SignedDuration,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let dir = space.make_shared(&layout::consumers()).map_err(away)?;
        let id = self.id()?;
        let former = one(&dir, self.name.clone()).map_err(away)?;
        if let Some(other) = former.as_ref().filter(|f| !f.is_idle(idle, now)) {
            refuse_another(other, id, device, self.ledger.meta(REGISTERED)?.is_some())?;
        }
        let former = former.and_then(|f| f.record).filter(|record| record.id == id);
        let record = self.record(id, device, former, look, now)?;
        let text = serde_json::to_vec_pretty(&record).unwrap_or_default();
        publish::replace(&dir, file_name(&self.name).as_bytes(), &text, FILE_MODE).map_err(away)?;
        self.ledger.settle(REGISTERED, "yes").map(drop)
    }

    fn id(&self) -> Result<Uuid, Problem> {
        let id = self.ledger.settle("id", &host::id::random().to_string())?;
        Ok(Uuid::try_parse(&id).unwrap_or_default())
    }

    fn record(
        &self,
        id: Uuid,
        device: &Device,
        former: Option<ConsumerRecord>,
        look: Option<&Look>,
        now: Timestamp,
    ) -> Result<ConsumerRecord, Problem> {
        let record = former.unwrap_or_else(|| ConsumerRecord {
            schema: SCHEMA,
            consumer: self.name.to_string(),
            id,
            device: String::new(),
            only: None,
            time: now,
            looked: None,
            newest: None,
            oldest_unfinished: None,
            unfinished: 0,
            dead: Vec::new(),
            extra: serde_json::Map::new(),
        });
        let only = self.only()?.map(|only| only.to_string());
        let record = ConsumerRecord { device: device.to_string(), only, time: now, ..record };
        Ok(match look {
            Some(look) => seen(record, look),
            None => record,
        })
    }
}

/// The record after a look.
fn seen(record: ConsumerRecord, look: &Look) -> ConsumerRecord {
    let whole = look.walk.problems.is_empty();
    let oldest = look.unfinished().next().map(|found| found.id.uuid());
    let former = record.oldest_unfinished.filter(|_| !whole);
    let dead = look.rows.iter().filter(|(_, row)| row.standing == Standing::Dead);
    let mut dead: Vec<String> = dead.map(|(found, _)| found.name()).collect();
    dead.sort_unstable();
    ConsumerRecord {
        looked: if whole { Some(look.began) } else { record.looked },
        newest: look.walk.segments.last().map(|found| found.id.uuid()),
        oldest_unfinished: oldest.into_iter().chain(former).min(),
        unfinished: look.unfinished().count() as u64,
        dead,
        ..record
    }
}

/// Two machines can't share a name: `prune` would know only what one of them did.
///
/// A record that can't be read is our own if we wrote one before: then it is made anew.
fn refuse_another(
    other: &Known,
    id: Uuid,
    device: &Device,
    registered: bool,
) -> Result<(), Problem> {
    let name = &other.name;
    let what = match &other.record {
        None if registered => return Ok(()),
        Some(r) if r.id == id || r.device == device.to_string() => return Ok(()),
        Some(r) => format!("the consumer {name} of {} has this name already", r.device),
        None => format!("the record of the consumer {name} can't be read"),
    };
    let hint = format!(
        "give another name with --consumer, or remove devices/_consumers/{name}.json if nobody uses it"
    );
    Err(Problem::new(Code::Usage, what).hint(hint))
}
