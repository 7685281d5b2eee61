//! What discovery tells.

use std::path::{Path, PathBuf};

use model::cloud::CloudId;
use model::event::Payload;
use model::problem::Problem;
use model::text::Text;
use serde::{Deserialize, Serialize};

/// Who told of a cloud's root.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToldBy {
    /// The configuration names it.
    Configuration,
    /// The cloud's client: its settings or the Windows registry.
    Client,
    /// The folder's own name.
    Folder,
    /// The mount table.
    Mount,
}

/// `phc.ingest.cloud.found`: a cloud's root, or something that looks like one and is not taken.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CloudFound {
    /// The account's id; null for what is not taken because it is no live account.
    pub cloud: Option<CloudId>,
    /// The provider: `icloud`, `onedrive`, `gdrive`, `dropbox`, `nextcloud`, … .
    pub provider: String,
    /// The account as its client names it; empty where there is only one.
    pub account: String,
    /// The root, its links resolved; null when the configuration leaves it to discovery and nothing was found.
    pub path: Option<Text>,
    /// Who told of it.
    pub told_by: ToldBy,
    /// True if it is ingested unless something is wrong with it.
    pub taken: bool,
    /// What keeps it from being read; null when nothing does.
    pub problem: Option<Problem>,
    /// What a person should know about it; empty when nothing.
    pub note: String,
}

impl CloudFound {
    /// The root.
    pub fn root(&self) -> Option<PathBuf> {
        self.path.as_ref().map(|path| PathBuf::from(&*host::name::os(path.as_bytes())))
    }

    pub(super) fn at(path: &Path, told_by: ToldBy) -> CloudFound {
        CloudFound {
            cloud: None,
            provider: String::new(),
            account: String::new(),
            path: Some(path.into()),
            told_by,
            taken: false,
            problem: None,
            note: String::new(),
        }
    }
}

impl Payload for CloudFound {
    const NOUN_VERB: &'static str = "cloud.found";

    fn subject(&self) -> Option<String> {
        self.cloud.as_ref().map(CloudId::to_string)
    }
}
