//! Pins: which volume each pillar is on, as this device's user adopted it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host::error::Meaning;
use host::{Dir, publish};
use jiff::Timestamp;
use model::problem::{Code, Problem};
use model::sentinel::Pillar;
use model::text::Text;
use serde::{Deserialize, Serialize};
use store::state::{self, State};
use uuid::Uuid;

/// The pins' file in the state folder.
pub const PINS: &str = "pins.json";

const LIMIT: u64 = 64 * 1024;

/// One pillar's pin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pin {
    /// The volume's id, as its sentinel said.
    pub id: Uuid,
    /// The directory, its links resolved.
    path: Text,
    /// True where it may lie on a disk of this machine, without a mount of its own.
    pub local: bool,
    /// When it was adopted.
    pub adopted: Timestamp,
}

impl Pin {
    /// A pin of a directory whose links are resolved.
    pub fn new(id: Uuid, path: &Path, local: bool, adopted: Timestamp) -> Pin {
        Pin { id, path: path.into(), local, adopted }
    }

    /// The directory.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(&*host::name::os(self.path.as_bytes()))
    }

    /// True if both pin the same volume at the same place in the same way, whenever that was.
    pub fn same_as(&self, other: &Pin) -> bool {
        self.id == other.id && self.path == other.path && self.local == other.local
    }
}

/// All pins of one state folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pins {
    schema: u32,
    pins: BTreeMap<Pillar, Pin>,
}

impl Default for Pins {
    fn default() -> Pins {
        Pins { schema: 1, pins: BTreeMap::new() }
    }
}

impl Pins {
    /// Reads the pins of a state folder; no folder and no file mean no pins. Nothing is written.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when the file is there and can't be read or understood.
    pub fn load(state: &Path) -> Result<Pins, Problem> {
        let dir = match Dir::open(state) {
            Ok(dir) => dir,
            Err(e) if e.meaning() == Meaning::Missing => return Ok(Pins::default()),
            Err(e) => return Err(state::unusable(e)),
        };
        match publish::read(&dir, PINS.as_bytes(), LIMIT).map_err(state::unusable)? {
            Some(bytes) => parse(&bytes).map_err(|why| broken(state, &why)),
            None => Ok(Pins::default()),
        }
    }

    /// Replaces the pins of a state folder whole.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when they can't be written.
    pub fn save(&self, state: &State) -> Result<(), Problem> {
        let dir = state::open_folder(state.root())?;
        let text =
            serde_json::to_vec_pretty(self).map_err(|e| broken(state.root(), &e.to_string()))?;
        publish::replace(&dir, PINS.as_bytes(), &text, state::FILE_MODE).map_err(state::unusable)
    }

    /// A pillar's pin.
    pub fn get(&self, pillar: Pillar) -> Option<&Pin> {
        self.pins.get(&pillar)
    }

    /// Pins a pillar, in place of what was pinned before.
    pub fn set(&mut self, pillar: Pillar, pin: Pin) {
        self.pins.insert(pillar, pin);
    }
}

fn parse(bytes: &[u8]) -> Result<Pins, String> {
    let pins: Pins = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if pins.schema != 1 {
        return Err(format!("schema {} is not known here, only 1", pins.schema));
    }
    Ok(pins)
}

fn broken(state: &Path, why: &str) -> Problem {
    Problem::new(Code::StateUnusable, format!("can't understand the pins: {why}"))
        .at(state.join(PINS).as_path())
        .hint("move the file away and adopt the pillars again")
}

#[cfg(test)]
mod tests {
    use super::{PINS, Pin, Pins};
    use model::problem::Code;
    use model::sentinel::Pillar;
    use store::state::State;

    #[test]
    fn pins_are_kept_and_broken_ones_are_never_taken_for_none() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("state");
        assert_eq!(Pins::load(&root).unwrap(), Pins::default());
        assert!(!root.exists(), "loading made the folder");

        let state = State::open(&root).unwrap();
        let pin = Pin::new(
            host::id::random(),
            "/srv/space".as_ref(),
            true,
            "2026-01-02T03:04:05Z".parse().unwrap(),
        );
        let mut pins = Pins::default();
        pins.set(Pillar::Space, pin.clone());
        pins.save(&state).unwrap();
        assert_eq!(Pins::load(&root).unwrap().get(Pillar::Space), Some(&pin));

        for bad in ["", "{}", r#"{"schema":2,"pins":{}}"#, r#"{"schema":1,"pins":{"spice":{}}}"#] {
            std::fs::write(root.join(PINS), bad).unwrap();
            assert_eq!(Pins::load(&root).unwrap_err().code, Code::StateUnusable, "{bad:?}");
        }
    }
}
