//! Sentinels: the file that makes a directory a pillar.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The sentinel's file name at a pillar's root.
pub const SENTINEL_NAME: &str = ".phc-space.json";

/// One of the backplane's three shares.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Pillar {
    /// `/flux`: hot work.
    Flux,
    /// `/space`: the only source of record.
    Space,
    /// `/time`: history.
    Time,
}

impl Pillar {
    /// All three, in the order people name them.
    pub const ALL: [Pillar; 3] = [Pillar::Flux, Pillar::Space, Pillar::Time];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Pillar::Flux => "flux",
            Pillar::Space => "space",
            Pillar::Time => "time",
        }
    }
}

impl fmt::Display for Pillar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Pillar {
    type Err = String;

    fn from_str(s: &str) -> Result<Pillar, String> {
        Pillar::ALL
            .into_iter()
            .find(|p| p.name() == s)
            .ok_or_else(|| format!("{s:?} is not a pillar: flux, space or time"))
    }
}

/// The content of `.phc-space.json`: which pillar this is, on which volume.
///
/// Unknown fields are kept out but tolerated, so that newer toolkits may add some.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sentinel {
    /// Version of this file's form; 1.
    pub schema: u32,
    /// The pillar.
    pub pillar: Pillar,
    /// The volume's random id.
    pub id: Uuid,
    /// When it was written.
    #[schemars(with = "String")]
    pub created: Timestamp,
}

impl Sentinel {
    /// Reads the file's text; a byte-order mark is tolerated.
    ///
    /// # Errors
    /// When it is not JSON of this form, or of a later schema.
    pub fn parse(text: &str) -> Result<Sentinel, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let sentinel: Sentinel = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if sentinel.schema != 1 {
            return Err(format!("schema {} is not known here, only 1", sentinel.schema));
        }
        Ok(sentinel)
    }
}
