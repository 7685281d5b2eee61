//! Gathering, judging, and replacing `_status.json`.

use host::clock::Clock;
use host::error::Meaning;
use host::{Dir, publish};
use model::config::HostConfig;
use model::device::Device;
use model::emit::{Emit, emit};
use model::event::Payload;
use model::exit::Exit;
use model::problem::Problem;
use model::status::{Component, Status};
use serde::{Deserialize, Serialize};
use store::space::SpaceRoot;
use store::state::{self, State};
use store::{device, layout, spool};

use crate::facts::{self, PillarFacts};
use crate::judge::{Bench, judge};

/// The status in the state folder of the device.
const KEPT: &[u8] = b"status.json";
const LIMIT: u64 = 4 * 1024 * 1024;
/// How often a status that another process cleared away is written again.
const TRIES: u32 = 5;

/// What collecting needs to know.
#[derive(Debug)]
pub struct Collect<'a> {
    /// The device.
    pub device: &'a Device,
    /// This machine's state.
    pub state: &'a State,
    /// This host's part of the configuration.
    pub config: &'a HostConfig,
    /// What stands in each pillar's place.
    pub pillars: Vec<PillarFacts>,
    /// The proven space, or why there is none.
    pub space: Result<SpaceRoot, Problem>,
    /// The toolkit's version.
    pub version: &'a str,
    /// The clock.
    pub clock: &'a dyn Clock,
}

/// `phc.health.device.judged`: a device was judged; the status itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Judged(pub Status);

impl Payload for Judged {
    const NOUN_VERB: &'static str = "device.judged";

    fn subject(&self) -> Option<String> {
        Some(format!("{}/{}", self.0.host, self.0.user))
    }
}

/// Judges the device and replaces its status, in the state always, in the space when that is proven.
///
/// The status is told as an event; into the spool it goes only when a component is
/// another one than before, or came or went. The exit code says whether the status
/// arrived, not whether it is good: 0 when it did, 75 or what else kept it from the space.
///
/// # Errors
/// `state-unusable` when it can't be kept at all.
pub fn collect(what: Collect<'_>, to: &mut dyn Emit) -> Result<Exit, Problem> {
    let home = state::open_folder(&what.state.of_device(what.device)?)?;
    let previous = kept(&home)?;
    if let Ok(space) = &what.space {
        // What waits is delivered first, so that it is not judged.
        spool::publish(&[], what.state, what.device, Some(space), what.clock)?;
    }
    let facts = facts::gather(what.state, what.device, what.config, what.pillars)?;
    let bench = Bench {
        device: what.device,
        promises: what.config.health,
        kind: what.config.host.kind,
        platform: host::identity::platform(),
        version: what.version,
        now: what.clock.now(),
    };
    let status = judge(&facts, &bench, previous.as_ref());
    let text = serde_json::to_vec_pretty(&status).unwrap_or_default();
    publish::replace(&home, KEPT, &text, state::FILE_MODE).map_err(state::unusable)?;
    let event = emit(to, &Judged(status.clone()));
    let space = what.space.as_ref();
    let placed = space.map_err(Clone::clone).and_then(|space| {
        let folder = device::claim(space, what.device, what.state, what.clock)?;
        place(&folder, &text).map_err(device::away)
    });
    if previous.is_none_or(|previous| news(&previous, &status)) {
        let space = what.space.as_ref().ok().filter(|_| placed.is_ok());
        spool::publish(&[event], what.state, what.device, space, what.clock)?;
    }
    Ok(match placed {
        Ok(()) => Exit::Done,
        // On a host that is to mount nothing the state is where the status belongs.
        Err(problem) if !what.config.host.mounts && problem.exit() == Exit::TryLater => Exit::Done,
        Err(problem) => {
            let exit = problem.exit();
            to.problem(problem);
            exit
        }
    })
}

/// Replaces the status in the device's folder, and clears what a killed process left unfinished beside it.
///
/// Another process may do so at once and clear what is just being written: then it is
/// written again.
fn place(folder: &Dir, text: &[u8]) -> host::Result<()> {
    let mut tries = 0;
    loop {
        publish::clear_unfinished(folder)?;
        match publish::replace(folder, layout::STATUS, text, layout::FILE_MODE) {
            Err(e) if e.meaning() == Meaning::Missing && tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

/// True if a component came, went or changed its state.
fn news(before: &Status, after: &Status) -> bool {
    let states = |status: &Status| -> Vec<_> {
        let pair = |component: &Component| (component.name.clone(), component.state);
        status.components.iter().map(pair).collect()
    };
    states(before) != states(after)
}

/// The status that the state keeps; one that can't be understood is none.
fn kept(home: &Dir) -> Result<Option<Status>, Problem> {
    let bytes = publish::read(home, KEPT, LIMIT).map_err(state::unusable)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// The latest status of a device, as its state keeps it.
///
/// # Errors
/// `state-unusable` when it can't be read.
pub fn latest(state: &State, device: &Device) -> Result<Option<Status>, Problem> {
    kept(&state::open_folder(&state.of_device(device)?)?)
}
