//! `_status.json`: a device's latest state, schema 1.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::problem::Problem;

/// How good a thing is.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As promised.
    Ok,
    /// Could not be asked; never good.
    Unknown,
    /// Wants a look.
    Warn,
    /// Wants a hand.
    Critical,
}

/// One part of a device's state.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Component {
    /// `mount.space`, `ingest.icloud`, `spool`.
    pub name: String,
    /// How good it is.
    pub state: Level,
    /// Since when it is so; null when that is not known.
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// When it last succeeded; null when never or not known.
    #[schemars(with = "Option<String>")]
    pub last_success: Option<Timestamp>,
    /// When it last ran; null when never or not known.
    #[schemars(with = "Option<String>")]
    pub last_run: Option<Timestamp>,
    /// One line for people.
    pub message: String,
    /// Counts and sizes by name; a figure that is not known is null.
    pub figures: Map<String, Value>,
    /// What is wrong, with codes and hints.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

/// The whole file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Status {
    /// Version of this file's form; 1.
    pub schema: u32,
    /// The toolkit's version.
    pub version: String,
    /// The host, lower case.
    pub host: String,
    /// The user, lower case.
    pub user: String,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// When the state was gathered.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The worst of the components.
    pub overall: Level,
    /// The parts.
    pub components: Vec<Component>,
}

impl Status {
    /// The part of this name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }
}
