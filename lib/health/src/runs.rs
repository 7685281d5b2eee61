//! Runs as their last event tells of them; `phc-ingest` leaves those events in the state.
//!
//! `<state>/devices/<host>/<user>/ingest/<cloud>/last-run.json` holds `{"event": …}` with
//! the `phc.ingest.run.finished` of the latest run, `last-success.json` that of the latest
//! run that ended done or partial.

use std::path::Path;

use host::{Dir, publish};
use jiff::Timestamp;
use model::cloud::CloudId;
use model::device::Device;
use model::event::Event;
use model::problem::{Code, Problem};
use model::run::{Outcome, RunFinished};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::state::{self, State};

const LAST_RUN: &[u8] = b"last-run.json";
const LAST_SUCCESS: &[u8] = b"last-success.json";
const LIMIT: u64 = 1024 * 1024;

/// The type of the event that ends a run of `phc-ingest`.
pub const FINISHED: &str = "phc.ingest.run.finished";

/// A run that ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// When it ended.
    pub ended: Timestamp,
    /// What it told last; its totals are kept as they came, whatever version wrote them.
    pub finished: RunFinished<Value>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    event: Event,
}

impl Run {
    /// Reads the event that ended a run.
    ///
    /// # Errors
    /// When it lacks its time or its data has another form, in words.
    pub fn of(event: &Event) -> Result<Run, String> {
        let finished = event.data.clone().ok_or("it has no data")?;
        let finished = serde_json::from_value(finished).map_err(|e| e.to_string())?;
        Ok(Run { ended: event.time.ok_or("it has no time")?, finished })
    }

    /// True if the run did its work.
    pub fn succeeded(&self) -> bool {
        matches!(self.finished.outcome, Outcome::Done | Outcome::Partial)
    }
}

/// The last run and the last success of a cloud; `None` for what never was.
///
/// # Errors
/// [`Code::StateUnusable`] when a file is there and can't be read or understood.
pub fn of_cloud(
    state: &State,
    device: &Device,
    cloud: &CloudId,
) -> Result<(Option<Run>, Option<Run>), Problem> {
    let dir = state::open_folder(&state.of_cloud(device, cloud)?)?;
    Ok((read(&dir, LAST_RUN)?, read(&dir, LAST_SUCCESS)?))
}

fn read(dir: &Dir, name: &[u8]) -> Result<Option<Run>, Problem> {
    let Some(bytes) = publish::read(dir, name, LIMIT).map_err(state::unusable)? else {
        return Ok(None);
    };
    let kept: Result<Kept, String> = serde_json::from_slice(&bytes).map_err(|e| e.to_string());
    let run = kept.and_then(|kept| Run::of(&kept.event));
    run.map(Some).map_err(|why| {
        let path = dir.path().join(&*host::name::os(name));
        Problem::new(Code::StateUnusable, format!("can't understand the last run: {why}"))
            .at(path.as_path())
            .hint("the next run replaces it")
    })
}

/// Keeps the event that ended a run, unless a later run is kept already; true if it was kept.
///
/// # Errors
/// [`Code::StateUnusable`] when it can't be written.
pub fn keep(
    state: &State,
    device: &Device,
    cloud: &CloudId,
    event: &Event,
    run: &Run,
) -> Result<bool, Problem> {
    let dir = state::open_folder(&state.of_cloud(device, cloud)?)?;
    let text = serde_json::to_vec(&Kept { event: event.clone() }).unwrap_or_default();
    let newer = |name| -> Result<bool, Problem> {
        // What can't be understood is replaced: the file says nothing to anybody.
        Ok(read(&dir, name).unwrap_or(None).is_none_or(|kept| kept.ended < run.ended))
    };
    let write =
        |name| publish::replace(&dir, name, &text, state::FILE_MODE).map_err(state::unusable);
    if run.succeeded() && newer(LAST_SUCCESS)? {
        write(LAST_SUCCESS)?;
    }
    let kept = newer(LAST_RUN)?;
    if kept {
        write(LAST_RUN)?;
    }
    Ok(kept)
}

/// The clouds that this device has a state of, in order.
///
/// # Errors
/// [`Code::StateUnusable`] when the folder can't be listed.
pub fn clouds(state: &State, device: &Device) -> Result<Vec<CloudId>, Problem> {
    let folder = state.of_device(device)?.join("ingest");
    let mut clouds = match Path::new(&folder).try_exists() {
        Ok(false) => Vec::new(),
        _ => state::open_folder(&folder)?.entries().map_err(state::unusable)?,
    }
    .into_iter()
    .filter_map(|entry| CloudId::new(std::str::from_utf8(&entry.name).ok()?).ok())
    .collect::<Vec<_>>();
    clouds.sort();
    Ok(clouds)
}
