//! What is: the facts that a judgement needs, gathered without judging.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::cloud::CloudId;
use model::config::{HostConfig, Period};
use model::device::Device;
use model::problem::Problem;
use model::sentinel::Pillar;
use store::spool::Outbox;
use store::spool::consumer::Consumer;
use store::state::State;

use crate::runs::{self, Run};
use crate::scrubs::{self, Scrub};

/// Everything that is known of a device.
#[derive(Clone, PartialEq, Debug)]
pub struct Facts {
    /// The pillars that this host is to have.
    pub pillars: Vec<PillarFacts>,
    /// The clouds that are configured or were ever brought in.
    pub clouds: Vec<CloudFacts>,
    /// What the last verify of each cloud found.
    pub scrubs: Vec<Scrub>,
    /// What waits in the outbox, or why that could not be told.
    pub outbox: Result<OutboxFacts, Problem>,
}

/// What stands in a pillar's place.
#[derive(Clone, PartialEq, Debug)]
pub struct PillarFacts {
    /// Which one.
    pub pillar: Pillar,
    /// What it was found to be.
    pub found: Found,
    /// What was seen, one line.
    pub message: String,
    /// What keeps it from being used; `None` for the real one.
    pub problem: Option<Problem>,
    /// All bytes of its file system; `None` when that is not known.
    pub total: Option<u64>,
    /// The bytes that this user may still fill; `None` when that is not known.
    pub free: Option<u64>,
}

/// What a pillar was found to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// The real one, and it answers.
    Real,
    /// Not there; it may come back by itself.
    Away,
    /// Something else is there, or it can't be used: somebody must look.
    Wrong,
    /// Nobody said where it is.
    Unknown,
}

/// What is known of a cloud's runs.
#[derive(Clone, PartialEq, Debug)]
pub struct CloudFacts {
    /// The cloud.
    pub id: CloudId,
    /// How old its last success may be.
    pub max_age: Period,
    /// Its last run and its last success, or why they could not be read.
    pub runs: Result<(Option<Run>, Option<Run>), Problem>,
}

/// What waits in the outbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OutboxFacts {
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was written; `None` when nothing waits.
    pub oldest: Option<Timestamp>,
    /// Segments that a consumer of this user's gave up.
    pub dead: u64,
}

/// Gathers what the state tells; the pillars were looked at by the caller.
///
/// # Errors
/// `state-unusable` when not even the clouds can be listed.
pub fn gather(
    state: &State,
    device: &Device,
    config: &HostConfig,
    pillars: Vec<PillarFacts>,
) -> Result<Facts, Problem> {
    let clouds = promised(state, device, config)?.into_iter().map(|(id, max_age)| {
        let runs = runs::of_cloud(state, device, &id);
        CloudFacts { id, max_age, runs }
    });
    Ok(Facts {
        pillars,
        clouds: clouds.collect(),
        scrubs: scrubs::all(state, device)?,
        outbox: outbox(state, device),
    })
}

/// The clouds that are to be judged, each with its promise: those configured, and those
/// that were brought in and are not switched off.
fn promised(
    state: &State,
    device: &Device,
    config: &HostConfig,
) -> Result<BTreeMap<CloudId, Period>, Problem> {
    let configured = config.clouds_of(device.user()).map(|cloud| cloud.id.clone());
    let all = configured.chain(runs::clouds(state, device)?);
    let settings = all.map(|id| config.cloud(&id, device.user()));
    Ok(settings.filter(|cloud| cloud.enabled).map(|cloud| (cloud.id, cloud.max_age)).collect())
}

fn outbox(state: &State, device: &Device) -> Result<OutboxFacts, Problem> {
    let waiting = Outbox::open(state, device)?.waiting()?;
    let mut dead = 0;
    for name in Consumer::names(state)? {
        dead += Consumer::known(state, &name)?.dead()?.len() as u64;
    }
    Ok(OutboxFacts {
        segments: waiting.len() as u64,
        bytes: waiting.iter().map(|segment| segment.bytes).sum(),
        oldest: waiting.first().map(|segment| segment.id.time()),
        dead,
    })
}
