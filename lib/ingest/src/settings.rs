//! What one run is asked to do.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use model::cloud::CloudId;
use model::config::{Free, Guard, Inbox, OnGone};
use model::device::Device;
use model::relpath::RelPath;
use model::run::RunId;
use store::state::State;

use crate::excludes::Excludes;
use crate::scope::Scope;

/// Everything one run needs to know before it looks at the host.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The device whose folder is written.
    pub device: Device,
    /// The cloud.
    pub cloud: CloudId,
    /// The source root.
    pub source: PathBuf,
    /// True if the root was named by hand, false if configuration or discovery told it.
    pub by_hand: bool,
    /// The account that the root is of, as its client tells; `None` where nobody does.
    pub account: Option<String>,
    /// This machine's state.
    pub state: State,
    /// What is looked at.
    pub scope: Scope,
    /// Files that are known to be written just now: a later run looks at them.
    pub unsettled: BTreeSet<RelPath>,
    /// What is left out.
    pub excludes: Excludes,
    /// The guard's limits.
    pub guard: Guard,
    /// What happens to the copy of a file that left the source.
    pub on_gone: OnGone,
    /// Bytes that are brought in from the cloud; `None` for nothing.
    pub hydrate: Option<u64>,
    /// Extended attributes that copies carry.
    pub keep_xattrs: Vec<model::config::AttributeName>,
    /// How the source is brought in where it is an inbox.
    pub inbox: Option<Inbox>,
    /// The room that the space must keep, and what is brought in leaves on the source's disk.
    pub min_free: Free,
    /// How long increments within the catalog's base are kept.
    pub keep_increments: Duration,
    /// True if nothing may be touched.
    pub dry_run: bool,
    /// The run's id.
    pub run: RunId,
    /// The program's version, for `run.started`.
    pub version: String,
}
