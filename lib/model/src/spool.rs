//! What `phc-spool` tells, and what a consumer says of itself in the space.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::event::Payload;

/// The tool's name in event types and sources.
pub const TOOL: &str = "spool";

/// `phc.spool.events.published`: events are safe, in the outbox at least.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EventsPublished {
    /// How many.
    pub events: u64,
    /// The segments that were made of them.
    pub segments: Vec<Uuid>,
    /// Segments delivered into the space by the way, earlier ones included.
    pub delivered: u64,
    /// Segments that still wait in the outbox.
    pub waiting: u64,
}

impl Payload for EventsPublished {
    const NOUN_VERB: &'static str = "events.published";

    fn subject(&self) -> Option<String> {
        None
    }
}

/// `phc.spool.outbox.flushed`: what waited was delivered, as far as it could be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OutboxFlushed {
    /// Segments that were delivered.
    pub delivered: u64,
    /// Segments that still wait.
    pub waiting: u64,
}

impl Payload for OutboxFlushed {
    const NOUN_VERB: &'static str = "outbox.flushed";

    fn subject(&self) -> Option<String> {
        None
    }
}

/// Where a segment lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In this device's outbox, on this machine.
    Outbox,
    /// In a device's spool, in the space.
    Spool,
}

/// `phc.spool.segment.listed`: a segment lies there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SegmentListed {
    /// Whose it is, `<host>/<user>`.
    pub device: String,
    /// Its id.
    pub segment: Uuid,
    /// Where it lies.
    pub place: Place,
    /// When it was made, by its device's clock.
    #[schemars(with = "String")]
    pub made: Timestamp,
    /// Its size in bytes; null when it could not be asked.
    pub bytes: Option<u64>,
}

impl Payload for SegmentListed {
    const NOUN_VERB: &'static str = "segment.listed";

    fn subject(&self) -> Option<String> {
        Some(format!("{}/{}", self.device, self.segment))
    }
}

/// `phc.spool.segment.finished`: a consumer is done with a segment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SegmentFinished {
    /// The consumer.
    pub consumer: String,
    /// Whose segment it is, `<host>/<user>`.
    pub device: String,
    /// The segment.
    pub segment: Uuid,
    /// The exit code of the command that took it; null when it was acknowledged by hand.
    pub exit: Option<i32>,
}

impl Payload for SegmentFinished {
    const NOUN_VERB: &'static str = "segment.finished";

    fn subject(&self) -> Option<String> {
        Some(format!("{}/{}", self.device, self.segment))
    }
}

/// `phc.spool.segment.died`: a segment that a consumer gave up; nobody else is concerned.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SegmentDied {
    /// The consumer.
    pub consumer: String,
    /// Whose segment it is, `<host>/<user>`.
    pub device: String,
    /// The segment.
    pub segment: Uuid,
    /// How often it was tried.
    pub attempts: u64,
    /// Why the last attempt failed.
    pub reason: String,
    /// True if it was given another try just now.
    pub retried: bool,
}

impl Payload for SegmentDied {
    const NOUN_VERB: &'static str = "segment.died";

    fn subject(&self) -> Option<String> {
        Some(format!("{}/{}", self.device, self.segment))
    }
}

/// `phc.spool.spools.pruned`: what was old and finished is gone, or would be.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SpoolsPruned {
    /// True if nothing was touched.
    pub dry_run: bool,
    /// Segments that lie in the spools of all devices.
    pub segments: u64,
    /// Segments that were removed.
    pub removed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Segments past their retention that a consumer still holds.
    pub held: u64,
    /// Temporary files that killed writers left, removed.
    pub orphans: u64,
}

impl Payload for SpoolsPruned {
    const NOUN_VERB: &'static str = "spools.pruned";

    fn subject(&self) -> Option<String> {
        None
    }
}

/// `devices/_consumers/<name>.json`: how far a consumer is, for `prune` and for people.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConsumerRecord {
    /// Version of this file's form; 1.
    pub schema: u32,
    /// The consumer's name.
    pub consumer: String,
    /// The random id of its state: who else comes with its name is refused.
    pub id: Uuid,
    /// Where it runs, `<host>/<user>`.
    pub device: String,
    /// The one device whose segments it takes, `<host>/<user>`; null when it takes all.
    pub only: Option<String>,
    /// When this was written.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// When it last began to look at all spools; null when it never did.
    #[schemars(with = "Option<String>")]
    pub looked: Option<Timestamp>,
    /// The newest segment that it saw then.
    pub newest: Option<Uuid>,
    /// The oldest segment that it has neither finished nor given up; null when there is none.
    pub oldest_unfinished: Option<Uuid>,
    /// How many it has neither finished nor given up.
    pub unfinished: u64,
    /// The segments that it gave up, `<host>/<user>/<segment>`.
    pub dead: Vec<String>,
    /// What later versions add, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `phc.spool.consumer.listed`: a consumer is known.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConsumerListed {
    /// What it says of itself.
    pub record: ConsumerRecord,
    /// True if it was not seen for so long that it holds nothing any more.
    pub idle: bool,
}

impl Payload for ConsumerListed {
    const NOUN_VERB: &'static str = "consumer.listed";

    fn subject(&self) -> Option<String> {
        Some(self.record.consumer.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::ConsumerRecord;

    #[test]
    fn a_later_record_is_read_and_kept_whole() {
        let text = r#"{"schema":1,"consumer":"c","id":"018f3a1e-0000-7000-8000-000000000000",
            "device":"h/u","only":null,"time":"2026-01-01T00:00:00Z","looked":null,"newest":null,
            "oldest_unfinished":null,"unfinished":0,"dead":[],"novel":[1]}"#;
        let record: ConsumerRecord = serde_json::from_str(text).unwrap();
        let again = serde_json::to_value(&record).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
}
