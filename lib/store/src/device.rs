//! The device's own folder in the space, and the card that says whose it is.

use host::clock::Clock;
use host::error::Meaning;
use host::{Dir, publish};
use model::device::{Device, DeviceCard};
use model::problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::layout;
use crate::space::SpaceRoot;
use crate::state::{self, State};

const LIMIT: u64 = 64 * 1024;
const KEPT: &[u8] = b"device.json";

/// What the state remembers of the device: its random id.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: Uuid,
}

/// Opens this device's folder in the space, making it and its card on first use.
///
/// Whoever has the id in its state owns the folder. A machine that lost its state is
/// known again by its machine id; another machine of the same name is refused.
///
/// # Errors
/// [`Code::DeviceTaken`] when the folder is another machine's, a card that can't be
/// read included; else what [`away`] makes of a failed call.
pub fn claim(
    space: &SpaceRoot,
    device: &Device,
    state: &State,
    clock: &dyn Clock,
) -> Result<Dir, Problem> {
    space.make_shared(&layout::host(device)).map_err(away)?;
    let folder =
        space.dir().make_beneath(&layout::device(device), layout::FOLDER_MODE).map_err(away)?;
    let home = state::open_folder(&state.of_device(device)?)?;
    let found = card(&folder)?;
    // Read after the card: whoever wrote that had remembered its id before.
    let kept = remembered(&home)?;
    let id = match found {
        Some(card) => owner_id(&card, kept, device)?,
        None => first_claim(&folder, &home, device, clock)?,
    };
    if kept != Some(id) {
        remember(&home, id)?;
    }
    Ok(folder)
}

/// Every device that has a folder in the space, sorted.
///
/// # Errors
/// What [`away`] makes of a failed call.
pub fn all(space: &SpaceRoot) -> Result<Vec<Device>, Problem> {
    let mut devices = Vec::new();
    let root = match space.dir().beneath(&layout::devices()) {
        Ok(root) => root,
        Err(e) if e.meaning() == host::error::Meaning::Missing => return Ok(devices),
        Err(e) => return Err(away(e)),
    };
    let text = |name: &[u8]| String::from_utf8(name.to_vec()).ok();
    for host in root.entries().map_err(away)?.iter().filter_map(|entry| text(&entry.name)) {
        // `_bell` and `_consumers` are no hosts, and a stray file is no device.
        let Ok(users) = root.sub(host.as_bytes()) else { continue };
        let users = users.entries().map_err(away)?;
        let device = |user: String| Device::new(&host, &user).ok();
        devices.extend(users.iter().filter_map(|entry| text(&entry.name)).filter_map(device));
    }
    devices.sort();
    Ok(devices)
}

fn owner_id(card: &DeviceCard, kept: Option<Uuid>, device: &Device) -> Result<Uuid, Problem> {
    let known_machine = kept.is_none() && card.machine.is_some() && card.machine == machine();
    if kept == Some(card.id) || known_machine {
        return Ok(card.id);
    }
    Err(Problem::new(
        Code::DeviceTaken,
        format!("{device} belongs to another machine in this space"),
    )
    .at(layout::device(device).join(layout::DEVICE_CARD).text().clone()))
}

/// The digest that stands for this machine; its id itself never leaves it (machine-id(5)).
fn machine() -> Option<String> {
    let id = host::identity::machine()?;
    let key = blake3::derive_key("PHC toolkit 2026 device card machine", id.as_bytes());
    Some(data_encoding::HEXLOWER.encode(&key))
}

fn card(folder: &Dir) -> Result<Option<DeviceCard>, Problem> {
    let Some(bytes) = publish::read(folder, layout::DEVICE_CARD, LIMIT).map_err(away)? else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|e| {
        Problem::new(Code::DeviceTaken, format!("can't read the device card: {e}"))
            .at(folder.path().join("_device.json").as_path())
    })
}

/// Writes the card. Two processes may do so at once: the id is settled in the state
/// first, so that whoever comes second finds a card with its own id. Nobody else writes
/// in the folder before there is a card, so what is unfinished there was killed, or is
/// the other's, who then tries again.
fn first_claim(
    folder: &Dir,
    home: &Dir,
    device: &Device,
    clock: &dyn Clock,
) -> Result<Uuid, Problem> {
    let id = own_id(home)?;
    let card_of_ours = DeviceCard { schema: 1, id, machine: machine(), created: clock.now() };
    let text = serde_json::to_vec_pretty(&card_of_ours).unwrap_or_default();
    let create = || publish::create(folder, layout::DEVICE_CARD, &text, layout::FILE_MODE);
    publish::clear_unfinished(folder).map_err(away)?;
    let created = match create() {
        Err(e) if e.meaning() == Meaning::Missing => create(),
        other => other,
    };
    match created {
        Err(e) if e.meaning() == Meaning::Exists => match card(folder)? {
            Some(card) => owner_id(&card, Some(id), device),
            None => Err(away(e)),
        },
        other => other.map(|()| id).map_err(away),
    }
}

/// The remembered id; a fresh one is remembered first.
fn own_id(home: &Dir) -> Result<Uuid, Problem> {
    if let Some(id) = remembered(home)? {
        return Ok(id);
    }
    let id = host::id::random();
    let text = serde_json::to_vec(&Kept { id }).unwrap_or_default();
    match publish::create(home, KEPT, &text, state::FILE_MODE) {
        Err(e) if e.meaning() == Meaning::Exists => Ok(remembered(home)?.unwrap_or(id)),
        other => other.map(|()| id).map_err(state::unusable),
    }
}

fn remembered(home: &Dir) -> Result<Option<Uuid>, Problem> {
    let bytes = publish::read(home, KEPT, LIMIT).map_err(state::unusable)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok()).map(|kept| kept.id))
}

fn remember(home: &Dir, id: Uuid) -> Result<(), Problem> {
    let text = serde_json::to_vec(&Kept { id }).unwrap_or_default();
    publish::replace(home, KEPT, &text, state::FILE_MODE).map_err(state::unusable)
}

/// The problem that a failed call below the space root is.
pub fn away(error: host::Error) -> Problem {
    use Meaning as M;
    let code = match error.meaning() {
        M::Full => Code::SpaceFull,
        M::ReadOnly => Code::SpaceReadOnly,
        M::Forbidden => Code::SpaceReadOnly,
        M::Away => Code::SpaceAway,
        M::Missing | M::Exists | M::Unsupported | M::Other => Code::Io,
    };
    Problem::new(code, format!("can't {}: {}", error.attempt, error.source))
        .at(error.path.as_path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::clock::SystemClock;
    use model::sentinel::{Pillar, Sentinel};

    fn space(at: &std::path::Path) -> SpaceRoot {
        let created = SystemClock.now();
        let sentinel =
            Sentinel { schema: 1, pillar: Pillar::Space, id: host::id::random(), created };
        SpaceRoot::proven(Dir::open(at).unwrap(), sentinel, true)
    }

    #[test]
    fn a_folder_has_one_owner_and_a_machine_that_lost_its_state_is_known_again() {
        let (here, state_dir, other) = (
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
        );
        let space = space(here.path());
        let device = Device::new("host", "user").unwrap();
        let state = State::open(state_dir.path()).unwrap();
        claim(&space, &device, &state, &SystemClock).unwrap();
        claim(&space, &device, &state, &SystemClock).unwrap();

        let path = here.path().join("devices/host/user/_device.json");
        let mut card: DeviceCard = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let lost = State::open(other.path()).unwrap();
        assert_eq!(claim(&space, &device, &lost, &SystemClock).is_ok(), card.machine.is_some());

        card.id = host::id::random();
        card.machine = Some("another".into());
        std::fs::write(&path, serde_json::to_vec(&card).unwrap()).unwrap();
        let refused = claim(&space, &device, &state, &SystemClock).unwrap_err();
        assert_eq!(refused.code, Code::DeviceTaken);
    }
}
