//! Events: CloudEvents 1.0 in JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::device::Device;
use crate::run::RunId;

/// The largest event in bytes of JSON, without the newline (CloudEvents 1.0, "Size Limits").
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// One event (CloudEvents 1.0, JSON format), with unknown attributes kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique among all events of its source; a UUIDv7 in ours.
    pub id: String,
    /// `/phc/<host>/<user>/<tool>` in ours.
    pub source: String,
    /// `phc.<tool>.<noun>.<past verb>` in ours.
    #[serde(rename = "type")]
    pub kind: String,
    /// The thing it is about, when that is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The form of `data`; `application/json` in ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// The run it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runid: Option<RunId>,
    /// What is told, typed per event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Every other attribute, kept as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What is typed about an event: its data and the last two words of its type.
pub trait Payload: Serialize {
    /// `<noun>.<past verb>`, for example `file.stored`.
    const NOUN_VERB: &'static str;

    /// The thing it is about, when that is UTF-8.
    fn subject(&self) -> Option<String>;
}

/// An event that has no id and time yet: what an engine hands to [`crate::emit::Emit`].
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// `<noun>.<past verb>`.
    pub noun_verb: &'static str,
    /// The thing it is about.
    pub subject: Option<String>,
    /// What is told.
    pub data: Value,
}

impl Draft {
    /// The draft of a payload.
    ///
    /// A payload that can't be JSON is a bug of its type; its error text stands as the data.
    pub fn of<P: Payload>(payload: &P) -> Draft {
        let data = serde_json::to_value(payload).unwrap_or_else(|e| Value::String(e.to_string()));
        Draft { noun_verb: P::NOUN_VERB, subject: payload.subject(), data }
    }
}

/// Who writes events: a tool on a device, in one run.
#[derive(Clone, Debug)]
pub struct Author {
    /// The device.
    pub device: Device,
    /// The tool's last word: `ingest`, `mount`, `health`, `spool`.
    pub tool: &'static str,
    /// The run.
    pub run: RunId,
}

impl Author {
    /// Makes the event of a draft, given its id and time.
    pub fn event(&self, draft: Draft, id: Uuid, time: Timestamp) -> Event {
        Event {
            specversion: "1.0".to_owned(),
            id: id.to_string(),
            source: format!("/phc/{}/{}", self.device, self.tool),
            kind: format!("phc.{}.{}", self.tool, draft.noun_verb),
            subject: draft.subject.filter(|s| !s.is_empty()),
            time: Some(time),
            datacontenttype: Some("application/json".to_owned()),
            runid: Some(self.run),
            data: Some(draft.data),
            extra: Map::new(),
        }
    }
}

/// Why a line is not an event that may enter the spool.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    /// Not JSON, or a required attribute is missing or of another type.
    #[error("not a CloudEvents 1.0 object: {0}")]
    Form(#[from] serde_json::Error),
    /// Another version of the specification.
    #[error("specversion is {0:?}, not \"1.0\"")]
    Version(String),
    /// A required attribute is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// Larger than 64 KiB.
    #[error("{0} bytes are more than the 65536 that an event may have")]
    TooLarge(usize),
    /// An attribute's name that CloudEvents does not allow.
    #[error("attribute name {0:?} is not lower-case letters and digits")]
    AttributeName(String),
}

impl Event {
    /// Reads one line of JSON and checks it as CloudEvents 1.0 asks.
    ///
    /// # Errors
    /// When it is not JSON, lacks a required attribute, or is over 64 KiB.
    pub fn parse(line: &str) -> Result<Event, BadEvent> {
        if line.len() > MAX_EVENT_BYTES {
            return Err(BadEvent::TooLarge(line.len()));
        }
        let event: Event = serde_json::from_str(line)?;
        event.check()?;
        Ok(event)
    }

    fn check(&self) -> Result<(), BadEvent> {
        if self.specversion != "1.0" {
            return Err(BadEvent::Version(self.specversion.clone()));
        }
        for (name, value) in [("id", &self.id), ("source", &self.source), ("type", &self.kind)] {
            if value.is_empty() {
                return Err(BadEvent::Empty(name));
            }
        }
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        match self.extra.keys().find(|k| *k != "data_base64" && !k.bytes().all(plain)) {
            Some(name) => Err(BadEvent::AttributeName(name.clone())),
            None => Ok(()),
        }
    }

    /// The event as one line of JSON, without the newline.
    ///
    /// # Errors
    /// When its data can't be JSON or it is over 64 KiB.
    pub fn to_line(&self) -> Result<String, BadEvent> {
        let line = serde_json::to_string(self)?;
        if line.len() > MAX_EVENT_BYTES {
            return Err(BadEvent::TooLarge(line.len()));
        }
        Ok(line)
    }

    /// The data as its type, if it has that form.
    pub fn data_as<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        self.data.clone().and_then(|data| serde_json::from_value(data).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::Event;

    #[test]
    fn unknown_attributes_survive_a_round_trip() {
        let line = r#"{"specversion":"1.0","id":"1","source":"/x","type":"t","novel":{"a":[1]},"data":{"b":null}}"#;
        let event = Event::parse(line).unwrap();
        let again = Event::parse(&event.to_line().unwrap()).unwrap();
        assert_eq!(event, again);
        assert!(again.extra.contains_key("novel"));
    }

    #[test]
    fn what_is_no_event_is_refused_with_its_reason() {
        for (line, reason) in [
            ("", "not a CloudEvents"),
            (r#"{"specversion":"0.3","id":"1","source":"/x","type":"t"}"#, "specversion"),
            (r#"{"specversion":"1.0","id":"","source":"/x","type":"t"}"#, "id is empty"),
            (r#"{"specversion":"1.0","id":"1","source":"/x"}"#, "type"),
            (
                r#"{"specversion":"1.0","id":"1","source":"/x","type":"t","Bad-Name":1}"#,
                "attribute name",
            ),
        ] {
            let error = Event::parse(line).unwrap_err().to_string();
            assert!(error.contains(reason), "{line} gave {error}");
        }
    }
}
