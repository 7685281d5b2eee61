//! `[pillar.NAME]`: where flux, space and time come from and where they belong.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use uuid::Uuid;

use super::address::{is_address, is_host_name};
use super::error::Fault;
use super::host::{Hosts, known};
use super::name::Name;
use super::os::Os;
use super::place::Place;
use super::table;
use crate::sentinel::Pillar;

/// A pillar as one host sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PillarHere {
    /// Which one.
    pub pillar: Pillar,
    /// Where it belongs: the mount point, drive or local folder.
    pub path: Place,
    /// False where the path is only the usual one: then the adopted one goes before it.
    pub named: bool,
    /// True where it is a folder of a disk of this host, not a mount from a server.
    pub local: bool,
    /// The server's name; `None` where local, or not configured.
    pub server: Option<String>,
    /// The share's name on the server; `None` together with the server.
    pub share: Option<String>,
    /// The volume's id; wins over the one pinned in the state.
    pub id: Option<Uuid>,
    /// File system types that are accepted there; empty accepts any.
    pub fs_type: Vec<String>,
}

/// What `[pillar.NAME]` may hold.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PillarFragment {
    server: Option<Spanned<String>>,
    share: Option<Spanned<String>>,
    allow_ip: bool,
    id: Option<Spanned<Uuid>>,
    fs_type: Option<Vec<String>>,
    #[serde(deserialize_with = "table::one")]
    path: Paths,
    #[serde(deserialize_with = "table::named")]
    on: BTreeMap<Spanned<String>, OnHost>,
}

/// `[pillar.NAME.path]`: the mount point for each operating system.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Paths {
    linux: Option<Spanned<Place>>,
    macos: Option<Spanned<Place>>,
    windows: Option<Spanned<Place>>,
}

/// `[pillar.NAME.on.HOST]`: what is different on one host.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OnHost {
    path: Option<Spanned<Place>>,
    local: bool,
    id: Option<Spanned<Uuid>>,
    fs_type: Option<Vec<String>>,
}

/// A checked `[pillar.NAME]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct PillarEntry {
    server: Option<(String, String)>,
    id: Option<Spanned<Uuid>>,
    fs_type: Option<Vec<String>>,
    paths: BTreeMap<Os, Spanned<Place>>,
    on: BTreeMap<Name, OnHost>,
}

impl PillarEntry {
    /// Checks a table against the hosts of the fleet.
    pub(super) fn new(table: PillarFragment, hosts: &Hosts) -> Result<PillarEntry, Fault> {
        let server = match (table.server, table.share) {
            (None, None) => None,
            (Some(server), Some(share)) => {
                check_server(&server, table.allow_ip)?;
                check_share(&share)?;
                Some((server.into_inner(), share.into_inner()))
            }
            (Some(server), None) => {
                return Err(Fault::at(&server, "the share beside it is missing"));
            }
            (None, Some(share)) => {
                return Err(Fault::at(&share, "the server beside it is missing"));
            }
        };
        let paths = table.path.checked()?;
        let on = table.on.into_iter().map(|(host, on)| on.checked(host, hosts));
        let on = on.collect::<Result<_, Fault>>()?;
        Ok(PillarEntry { server, id: table.id, fs_type: table.fs_type, paths, on })
    }

    /// The pillar as a host with this operating system sees it.
    pub(super) fn seen(&self, pillar: Pillar, host: &str, os: Os) -> PillarHere {
        let on = self.on.iter().find(|(name, _)| name.is(host)).map(|(_, on)| on);
        let local = on.is_some_and(|on| on.local);
        let (server, share) = self.server.clone().filter(|_| !local).unzip();
        let said = on.and_then(|on| on.path.as_ref()).or(self.paths.get(&os));
        let network = || if server.is_some() { network_types() } else { Vec::new() };
        let shared = self.fs_type.clone().filter(|_| !local);
        PillarHere {
            pillar,
            named: said.is_some() || local || server.is_some(),
            path: said.map_or_else(|| default_path(pillar, os), |path| path.get_ref().clone()),
            local,
            id: on.and_then(|on| on.id.as_ref()).or(self.id.as_ref()).map(|id| *id.get_ref()),
            fs_type: on.and_then(|on| on.fs_type.clone()).or(shared).unwrap_or_else(network),
            server,
            share,
        }
    }

    fn ids(&self) -> impl Iterator<Item = &Spanned<Uuid>> {
        self.id.iter().chain(self.on.values().filter_map(|on| on.id.as_ref()))
    }
}

/// Checks that no volume stands for two pillars.
pub(super) fn check_ids(pillars: &BTreeMap<Pillar, PillarEntry>) -> Result<(), Fault> {
    let mut seen: BTreeMap<Uuid, Pillar> = BTreeMap::new();
    let ids = pillars.iter().flat_map(|(pillar, entry)| entry.ids().map(|id| (*pillar, id)));
    for (pillar, id) in ids {
        match seen.insert(*id.get_ref(), pillar) {
            Some(other) if other != pillar => {
                let what = format!("volume {} is {other}'s already", id.get_ref());
                return Err(Fault::at(id, what));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a share from an SMB server is mounted as on Linux and macOS.
fn network_types() -> Vec<String> {
    ["cifs", "smb3", "smbfs"].map(str::to_owned).to_vec()
}

/// Where a pillar belongs if nothing else is said: `/space`, `~/.mkt/space`, `S:`.
///
/// macOS has a read-only root, and its SMB sessions belong to one user; drive
/// letters are those that the fleets of the predecessor use.
fn default_path(pillar: Pillar, os: Os) -> Place {
    let drive = match pillar {
        Pillar::Flux => "X:",
        Pillar::Space => "S:",
        Pillar::Time => "T:",
    };
    match os {
        Os::Linux => Place::fixed(format!("/{pillar}")),
        Os::Macos => Place::fixed(format!("~/.mkt/{pillar}")),
        Os::Windows => Place::fixed(drive.to_owned()),
    }
}

impl Paths {
    fn checked(self) -> Result<BTreeMap<Os, Spanned<Place>>, Fault> {
        let all = [(Os::Linux, self.linux), (Os::Macos, self.macos), (Os::Windows, self.windows)];
        let given = all.into_iter().filter_map(|(os, path)| Some((os, path?)));
        given.map(|(os, path)| check_fits(&path, os).map(|()| (os, path))).collect()
    }
}

impl OnHost {
    fn checked(self, key: Spanned<String>, hosts: &Hosts) -> Result<(Name, OnHost), Fault> {
        let name: Name = key.get_ref().parse().map_err(|e| Fault::at(&key, format!("host {e}")))?;
        let name = Spanned::new(key.span(), name);
        let os = known(hosts, &name)?.os;
        if let (Some(path), Some(os)) = (&self.path, os) {
            check_fits(path, os)?;
        }
        Ok((name.into_inner(), self))
    }
}

/// Checks that a path can exist on an operating system.
pub(super) fn check_fits(path: &Spanned<Place>, os: Os) -> Result<(), Fault> {
    if path.get_ref().fits(os) {
        return Ok(());
    }
    let what = format!("\"{}\" is no path on {}", path.get_ref(), os.name());
    Err(Fault::at(path, what))
}

fn check_server(server: &Spanned<String>, allow_ip: bool) -> Result<(), Fault> {
    let text = server.get_ref();
    if is_address(text) && !allow_ip {
        let what = format!(
            "{text:?} is an IP address; give the server's name, or set allow_ip = true beside it"
        );
        return Err(Fault::at(server, what));
    }
    if !is_address(text) && !is_host_name(text) {
        return Err(Fault::at(server, format!("{text:?} is not a host's name")));
    }
    Ok(())
}

fn check_share(share: &Spanned<String>) -> Result<(), Fault> {
    let text = share.get_ref();
    // The characters that an SMB share's name can't have ([MS-SRVS] 2.2.4.22, [MS-FSCC] 2.1.6).
    let bad = |c: char| c.is_control() || "/\\[]:|<>+=;,*?\"".contains(c);
    if text.trim().is_empty() || text.contains(bad) {
        return Err(Fault::at(share, format!("{text:?} is not a share's name")));
    }
    Ok(())
}
