//! What a pillar is expected to be on this machine: flags over configuration over pin.

use std::path::{Path, PathBuf};

use model::config::{HostConfig, PillarHere};
use model::sentinel::Pillar;
use uuid::Uuid;

use crate::origin::Origin;
use crate::pins::{Pin, Pins};

/// What flags and configuration say of one pillar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Which one.
    pub pillar: Pillar,
    /// The directory; `None` leaves it to the pin.
    pub path: Option<PathBuf>,
    /// The volume's id; wins over the pin's and serves every user.
    pub id: Option<Uuid>,
    /// True where it may lie on a disk of this machine; `None` leaves it to the pin.
    pub local: Option<bool>,
    /// The server and share that it must be mounted from.
    pub origin: Option<Origin>,
    /// The file system types it may have; empty accepts any.
    pub fs_types: Vec<String>,
    /// False on a host that mounts nothing: its absence is then as it should be.
    pub required: bool,
}

impl Wanted {
    /// A pillar of which neither flags nor configuration say anything.
    pub fn of(pillar: Pillar) -> Wanted {
        Wanted {
            pillar,
            path: None,
            id: None,
            local: None,
            origin: None,
            fs_types: Vec::new(),
            required: true,
        }
    }

    fn configured(here: &PillarHere, home: &Path) -> Wanted {
        let origin = here.server.clone().zip(here.share.clone());
        let origin = origin.map(|(server, share)| Origin { server, share });
        Wanted {
            pillar: here.pillar,
            path: here.named.then(|| here.path.resolve(home)),
            id: here.id,
            local: if here.local { Some(true) } else { origin.as_ref().map(|_| false) },
            origin,
            fs_types: here.fs_type.clone(),
            required: true,
        }
    }

    /// What a host's configuration says of a pillar, for the user with this home; maybe nothing.
    pub fn from(config: &HostConfig, home: &Path, pillar: Pillar) -> Wanted {
        let named = config.pillars().find(|here| here.pillar == pillar);
        let wanted = named.map_or(Wanted::of(pillar), |here| Wanted::configured(here, home));
        Wanted { required: config.host.mounts, ..wanted }
    }

    /// The same pillar at a directory that was named on the command line.
    ///
    /// Elsewhere than configured, the configured server says nothing about it; the id still does.
    pub fn at(self, path: &Path) -> Wanted {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if self.path.as_ref() == Some(&path) {
            return self;
        }
        let local = self.local.filter(|local| *local);
        let (path, fs_types) = (Some(path), Vec::new());
        Wanted { path, local, origin: None, fs_types, required: true, ..self }
    }

    /// What is expected, given the pins; `None` when nobody ever said where the pillar is.
    pub fn expected(&self, pins: &Pins) -> Option<Expected> {
        let pin = pins.get(self.pillar);
        let path = self.path.clone().or_else(|| pin.map(Pin::path))?;
        Some(Expected {
            pillar: self.pillar,
            path,
            id: self.id.or(pin.map(|pin| pin.id)),
            local: self.local.unwrap_or(pin.is_some_and(|pin| pin.local)),
            origin: self.origin.clone(),
            fs_types: self.fs_types.clone(),
            required: self.required,
        })
    }
}

/// What a pillar must be, everything considered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    /// Which one.
    pub pillar: Pillar,
    /// The directory.
    pub path: PathBuf,
    /// The volume's id; `None` when it was never adopted.
    pub id: Option<Uuid>,
    /// False where it must be a mount of its own.
    pub local: bool,
    /// The server and share that it must be mounted from.
    pub origin: Option<Origin>,
    /// The file system types it may have; empty accepts any.
    pub fs_types: Vec<String>,
    /// False on a host that mounts nothing: its absence is then as it should be.
    pub required: bool,
}

#[cfg(test)]
mod tests {
    use super::Wanted;
    use crate::origin::Origin;
    use crate::pins::{Pin, Pins};
    use model::sentinel::Pillar;

    #[test]
    fn the_configured_id_wins_and_the_pin_fills_what_is_open() {
        let pinned = host::id::random();
        let mut pins = Pins::default();
        assert_eq!(Wanted::of(Pillar::Space).expected(&pins), None);
        let time = "2026-01-01T00:00:00Z".parse().unwrap();
        pins.set(Pillar::Space, Pin::new(pinned, "/pinned".as_ref(), true, time));

        let open = Wanted::of(Pillar::Space).expected(&pins).unwrap();
        assert_eq!(
            (open.path.to_str(), open.id, open.local),
            (Some("/pinned"), Some(pinned), true)
        );

        let id = Some(host::id::random());
        let mut wanted = Wanted { id, local: Some(false), ..Wanted::of(Pillar::Space) };
        wanted.path = Some("/space".into());
        let told = wanted.expected(&pins).unwrap();
        assert_eq!((told.path.to_str(), told.id, told.local), (Some("/space"), id, false));
    }

    #[test]
    fn elsewhere_the_configured_server_says_nothing_but_the_id_does() {
        let id = Some(host::id::random());
        let origin = Origin::parse("//akira/space");
        let wanted =
            Wanted { path: Some("/space".into()), id, origin, ..Wanted::of(Pillar::Space) };
        assert_eq!(wanted.clone().at("/space".as_ref()), wanted);
        let elsewhere = wanted.at("/other".as_ref());
        assert_eq!((elsewhere.id, elsewhere.origin), (id, None));
    }
}
