//! What the last verify of each cloud found; `phc-ingest verify` leaves its event in the state.
//!
//! `<state>/devices/<host>/<user>/verify/<host>/<user>/<cloud>/last-verify.json`, one for
//! each cloud whose copies this device reads: its own, and on a server everybody's.

use host::{Dir, publish};
use jiff::Timestamp;
use model::device::Device;
use model::event::Event;
use model::problem::Problem;
use serde::Deserialize;
use store::state::{self, State};

const LAST: &[u8] = b"last-verify.json";
const LIMIT: u64 = 1024 * 1024;

/// What the last verify of a cloud found.
#[derive(Clone, PartialEq, Debug)]
pub struct Scrub {
    /// The cloud's id, with `HOST.USER.` before it where it is another device's.
    pub name: String,
    /// When.
    pub ended: Timestamp,
    /// What.
    pub found: Found,
}

/// As much of `phc.ingest.copies.verified` as is judged.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Found {
    /// Copies that were read.
    pub checked: u64,
    /// Copies that are damaged.
    pub damaged: u64,
    /// Copies that are missing.
    pub missing: u64,
    /// Copies that were made again.
    pub repaired: u64,
    /// Files of the source that rotted.
    pub source_rot: u64,
    /// How a rolling verify stands; `None` for any other.
    pub rolling: Option<Rolling>,
}

/// How a rolling verify stands.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Rolling {
    /// Copies that were not read for longer than was promised.
    pub overdue: u64,
    /// When the copy that waits longest was read.
    pub oldest: Option<Timestamp>,
    /// The promised period, in seconds.
    pub period_s: u64,
}

#[derive(Deserialize)]
struct Kept {
    event: Event,
}

/// What this device remembers of its verifies, in the order of their names; what makes no sense is left out.
///
/// # Errors
/// When the state can't be read.
pub fn all(state: &State, device: &Device) -> Result<Vec<Scrub>, Problem> {
    let root = state.of_job(device, "verify")?;
    let mut scrubs = Vec::new();
    let root = state::open_folder(&root)?;
    for host in names(&root)? {
        let Ok(users) = root.sub(host.as_bytes()) else { continue };
        for user in names(&users)? {
            let Ok(clouds) = users.sub(user.as_bytes()) else { continue };
            for cloud in names(&clouds)? {
                let dir = clouds.sub(cloud.as_bytes()).ok();
                let own = (host.as_str(), user.as_str()) == (device.host(), device.user());
                let name = if own { cloud } else { format!("{host}.{user}.{cloud}") };
                let scrub = dir.and_then(|dir| read(&dir, name));
                scrubs.extend(scrub);
            }
        }
    }
    scrubs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(scrubs)
}

fn names(dir: &Dir) -> Result<Vec<String>, Problem> {
    let entries = dir.entries().map_err(state::unusable)?;
    Ok(entries.into_iter().filter_map(|e| String::from_utf8(e.name.into()).ok()).collect())
}

fn read(dir: &Dir, name: String) -> Option<Scrub> {
    let bytes = publish::read(dir, LAST, LIMIT).ok()??;
    let event = serde_json::from_slice::<Kept>(&bytes).ok()?.event;
    Some(Scrub { name, ended: event.time?, found: event.data_as()? })
}
