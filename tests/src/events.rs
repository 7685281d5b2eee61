//! Events, read with a stranger's eyes.

use serde::Deserialize;
use serde_json::Value;

use crate::schemas;

/// One event as a program writes it to stdout; whatever else stands in it is an error.
#[derive(Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Always `1.0`.
    pub specversion: String,
    /// A UUIDv7.
    pub id: String,
    /// `/phc/<host>/<user>/<tool>`.
    pub source: String,
    /// `phc.<tool>.<noun>.<past verb>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The thing it is about.
    pub subject: Option<String>,
    /// When it happened.
    pub time: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// A UUIDv7.
    pub runid: String,
    /// What is told.
    pub data: Value,
}

impl Event {
    /// Reads a line, and holds it against CloudEvents' schema and that of its type.
    ///
    /// # Panics
    /// When it is not valid.
    #[track_caller]
    pub fn valid(line: &str) -> Event {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON: {e}: {line}"));
        schemas::cloud_event(&value);
        let event: Event = serde_json::from_value(value)
            .unwrap_or_else(|e| panic!("unexpected form: {e}: {line}"));
        assert!(line.len() <= 65_536, "{} is too large: {} bytes", event.kind, line.len());
        schemas::data(&event.kind, &event.data);
        event
    }

    /// A value within the data, by a JSON pointer (RFC 6901) without its first slash.
    ///
    /// # Panics
    /// When there is none: a value that is not known is null, never left out.
    #[track_caller]
    pub fn at(&self, pointer: &str) -> &Value {
        let found = self.data.pointer(&format!("/{pointer}"));
        found.unwrap_or_else(|| panic!("no {pointer} in {}", self.data))
    }

    /// A count within the data.
    #[track_caller]
    pub fn count(&self, pointer: &str) -> u64 {
        let value = self.at(pointer);
        value.as_u64().unwrap_or_else(|| panic!("{pointer} is {value}, no count"))
    }

    /// A text within the data.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> &str {
        let value = self.at(pointer);
        value.as_str().unwrap_or_else(|| panic!("{pointer} is {value}, no text"))
    }
}
