//! `[host.NAME]`: the machines of the fleet.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::address::is_address;
use super::error::Fault;
use super::name::Name;
use super::os::Os;

/// One machine; its name is the table's.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// What sort of machine it is, where that is said.
    pub kind: Option<Kind>,
    /// Its operating system; needed only to judge the configuration from another machine.
    pub os: Option<Os>,
    /// What it does in the fleet, in the owner's own words.
    pub roles: Vec<Name>,
    /// Its users; empty means that any user may be named.
    pub users: Vec<Name>,
    /// False where the pillars are not to be mounted: their absence is then as it should be.
    pub mounts: bool,
}

/// What sort of machine a host is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Always on; holds the pillars or serves others.
    Server,
    /// Stays in one place, may be off.
    Workstation,
    /// Travels, often off or away from the network.
    Laptop,
}

impl Default for Host {
    fn default() -> Host {
        Host { kind: None, os: None, roles: Vec::new(), users: Vec::new(), mounts: true }
    }
}

/// The hosts by their lower-cased names.
pub(super) type Hosts = BTreeMap<Name, Host>;

/// Takes the tables' names as host names.
pub(super) fn hosts(tables: BTreeMap<Spanned<String>, Host>) -> Result<Hosts, Fault> {
    let mut hosts = Hosts::new();
    for (key, host) in tables {
        let name = host_name(&key)?;
        if hosts.insert(name.clone(), host).is_some() {
            return Err(Fault::at(&key, format!("host {name} stands here twice, in another case")));
        }
    }
    Ok(hosts)
}

fn host_name(key: &Spanned<String>) -> Result<Name, Fault> {
    let text = key.get_ref();
    if is_address(text) {
        return Err(Fault::at(key, format!("host {text:?} is an IP address; give its name")));
    }
    text.parse().map_err(|error| Fault::at(key, format!("host {error}")))
}

/// Checks that a host that is named elsewhere is one of the fleet.
pub(super) fn known<'h>(hosts: &'h Hosts, name: &Spanned<Name>) -> Result<&'h Host, Fault> {
    hosts.get(name.get_ref()).ok_or_else(|| {
        let known = hosts.keys().map(Name::to_string).collect();
        let word = name.get_ref().as_str();
        Fault::at(name, format!("there is no [host.{word}]")).instead_of(word, known)
    })
}
