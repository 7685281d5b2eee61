//! Status: what is known of one cloud, from the state alone.

use std::path::PathBuf;

use jiff::Timestamp;
use model::cloud::CloudId;
use model::device::Device;
use model::event::{Event, Payload};
use model::ingest::Totals;
use model::problem::Problem;
use model::run::{Outcome, RunFinished};
use serde::{Deserialize, Serialize};
use store::approvals::Plans;
use store::manifest::{Away, Manifest};
use store::state::{self, State, open_folder};

use crate::known::{self, MANIFEST};

const LIMIT: u64 = 16 * 1024 * 1024;

/// `phc.ingest.cloud.told`: what is known of one cloud on this device.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CloudTold {
    /// The cloud.
    pub cloud: String,
    /// Live files; null when the manifest can't be read.
    pub files: Option<u64>,
    /// Their bytes.
    pub bytes: Option<u64>,
    /// Files that left the source; their copies stay.
    pub tombstones: Option<u64>,
    /// How much of the source is captured; null when the manifest can't be read.
    pub completeness: Option<Completeness>,
    /// Changes that are stored and not announced yet.
    pub pending: Option<u64>,
    /// How the last run ended; null when there was none.
    pub last_run: Option<LastRun>,
    /// When a run last ended well, with or without problems.
    #[schemars(with = "Option<String>")]
    pub last_success: Option<Timestamp>,
    /// A run that began and never told its end: it was killed, or is at work now.
    #[schemars(with = "Option<String>")]
    pub unfinished_since: Option<Timestamp>,
    /// Plans that were refused and wait for an approval.
    pub refusals: Vec<Refusal>,
}

/// How much of a source is stored in the version that the cloud has, as its client tells on this machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Completeness {
    /// Bytes that are stored of it.
    pub captured_bytes: u64,
    /// Bytes that it has, as far as that is known.
    pub of_bytes: u64,
    /// Files whose content is only in the cloud, so that none or a former version is stored.
    pub deferred: u64,
    /// Those of them whose size is not known; their bytes are in no figure.
    pub deferred_unsized: u64,
    /// Folders whose entries are only in the cloud.
    pub deferred_folders: u64,
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LastRun {
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Problems on the way.
    pub problems: u64,
    /// The problem that ended it, if one did.
    pub problem: Option<Problem>,
}

/// A refused plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Refusal {
    /// Its id, for `phc-ingest approve`.
    pub plan: String,
    /// Why.
    pub why: String,
    /// When it was refused last.
    #[schemars(with = "String")]
    pub refused: Timestamp,
    /// True if it was approved and not applied yet.
    pub approved: bool,
}

impl Payload for CloudTold {
    const NOUN_VERB: &'static str = "cloud.told";

    fn subject(&self) -> Option<String> {
        Some(self.cloud.clone())
    }
}

/// The clouds that the state knows of a device, in the order of their ids.
///
/// # Errors
/// When the state can't be read.
pub fn clouds(state: &State, device: &Device) -> Result<Vec<CloudId>, Problem> {
    let folder = state.of_device(device)?.join("ingest");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = open_folder(&folder)?.entries().map_err(state::unusable)?;
    let id = |name: &[u8]| std::str::from_utf8(name).ok().and_then(|name| CloudId::new(name).ok());
    let mut clouds: Vec<CloudId> = entries.iter().filter_map(|entry| id(&entry.name)).collect();
    // A run that was wrongly asked for leaves no more than its lock.
    clouds.retain(|cloud| {
        let of_cloud = folder.join(cloud.as_str());
        of_cloud.join(MANIFEST).exists() || of_cloud.join("last-run.json").exists()
    });
    clouds.sort();
    Ok(clouds)
}

/// The clouds that were discovered or configured once and are not among `found`, with their roots.
///
/// A client that signed out takes its folder along: that is to be told, not passed over.
///
/// # Errors
/// When the state can't be read.
pub fn lost(
    state: &State,
    device: &Device,
    found: &[CloudId],
) -> Result<Vec<(CloudId, PathBuf)>, Problem> {
    let mut lost = Vec::new();
    for cloud in clouds(state, device)?.into_iter().filter(|cloud| !found.contains(cloud)) {
        if let Some(root) = known::root(&state.of_cloud(device, &cloud)?) {
            lost.push((cloud, root));
        }
    }
    Ok(lost)
}

/// The clouds that were ever brought in, and where each was read from last.
///
/// # Errors
/// When the state can't be read.
pub fn sources(state: &State, device: &Device) -> Result<Vec<(CloudId, Option<PathBuf>)>, Problem> {
    let mut sources = Vec::new();
    for cloud in clouds(state, device)? {
        let manifest = Manifest::look(&state.of_cloud(device, &cloud)?.join(MANIFEST));
        let source = manifest.ok().flatten().and_then(|manifest| known::last_source(&manifest));
        sources.push((cloud, source));
    }
    Ok(sources)
}

/// What is known of one cloud.
///
/// # Errors
/// When the state can't be read; a manifest that can't is told as null figures.
pub fn status(state: &State, device: &Device, cloud: &CloudId) -> Result<CloudTold, Problem> {
    let folder = state.of_cloud(device, cloud)?;
    let manifest = Manifest::look(&folder.join(MANIFEST)).ok().flatten();
    let counts = manifest.as_ref().and_then(|m| m.reader().and_then(|r| r.counts()).ok());
    let pending = manifest.as_ref().and_then(|m| m.pending().ok());
    let away = manifest.as_ref().and_then(|m| m.reader().and_then(|r| r.away()).ok());
    let newest =
        manifest.as_ref().and_then(|m| m.runs(1).ok()).and_then(|runs| runs.first().cloned());
    let last = last(&folder, "last-run.json")?;
    let success = last_of(&folder, "last-success.json")?;
    let refusals = Plans::of(&folder).all()?.into_iter().map(|plan| Refusal {
        plan: plan.id,
        why: plan.why,
        refused: plan.refused,
        approved: plan.approved.is_some(),
    });
    Ok(CloudTold {
        cloud: cloud.to_string(),
        files: counts.map(|c| c.0),
        bytes: counts.map(|c| c.1),
        tombstones: counts.map(|c| c.2),
        completeness: counts.zip(away).map(|(counts, away)| completeness(counts.1, &away)),
        pending,
        last_run: last,
        last_success: success.and_then(|event| event.time),
        unfinished_since: newest.filter(|run| run.finished.is_none()).map(|run| run.started),
        refusals: refusals.collect(),
    })
}

fn completeness(live_bytes: u64, away: &Away) -> Completeness {
    let captured_bytes = live_bytes.saturating_sub(away.stale_bytes);
    Completeness {
        captured_bytes,
        of_bytes: captured_bytes.saturating_add(away.bytes),
        deferred: away.files,
        deferred_unsized: away.unsized_files,
        deferred_folders: away.folders,
    }
}

fn last(folder: &std::path::Path, name: &str) -> Result<Option<LastRun>, Problem> {
    let run = last_of(folder, name)?.and_then(|event| event.data_as::<RunFinished<Totals>>());
    Ok(run.map(|run| LastRun {
        started: run.started,
        outcome: run.outcome,
        problems: run.problems,
        problem: run.problem,
    }))
}

/// The event in one of the files that a run leaves.
fn last_of(folder: &std::path::Path, name: &str) -> Result<Option<Event>, Problem> {
    #[derive(Deserialize)]
    struct Kept {
        event: Event,
    }
    let text = host::publish::read(&open_folder(folder)?, name.as_bytes(), LIMIT)
        .map_err(state::unusable)?;
    Ok(text.and_then(|text| serde_json::from_slice::<Kept>(&text).ok()).map(|kept| kept.event))
}

/// `phc.ingest.plan.approved`: a refused plan may be applied once, for 24 hours.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Approved {
    /// The plan's id.
    pub plan: String,
    /// The cloud, or `expire`.
    pub job: String,
    /// Why it had been refused.
    pub why: String,
}

impl Payload for Approved {
    const NOUN_VERB: &'static str = "plan.approved";

    fn subject(&self) -> Option<String> {
        Some(self.plan.clone())
    }
}
