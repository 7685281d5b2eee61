//! Configuration: the fleet as data.
//!
//! `phc.toml` describes every host, pillar and cloud; phc.toml(5) has the form.
//! Text becomes a fragment (all optional, nothing unknown), fragments are merged in
//! order, and the whole is checked once into a [`Config`], which can't be wrong:
//! no later code asks whether a value was checked. Finding and reading the files is
//! the caller's.

mod address;
mod attribute;
mod cloud;
mod error;
mod exclude;
mod fragment;
mod guard;
mod health;
mod here;
mod host;
mod inbox;
mod ingest;
mod merge;
mod name;
mod oneway;
mod os;
mod period;
mod pillar;
mod place;
mod scalar;
mod share;
mod size;
mod source;
mod spool;
mod table;
mod trash;
mod verify;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use address::{is_address, is_host_name};
pub use attribute::AttributeName;
pub use cloud::{Cloud, OnGone, Provider};
pub use error::ConfigError;
pub use exclude::Exclude;
pub use guard::Guard;
pub use health::Health;
pub use here::HostConfig;
pub use host::{Host, Kind};
pub use inbox::Inbox;
pub use ingest::Ingest;
pub use name::Name;
pub use os::Os;
pub use period::Period;
pub use pillar::PillarHere;
pub use place::Place;
pub use scalar::BadValue;
pub use share::{Free, Share};
pub use size::Size;
pub use source::Source;
pub use spool::Spool;
pub use trash::{Trash, TrashGuard};
pub use verify::Verify;

use cloud::CloudEntry;
use error::Fault;
use fragment::Fragment;
use host::Hosts;
use pillar::PillarEntry;
use source::Origins;

use crate::sentinel::Pillar;

/// The whole fleet, checked.
///
/// The default is what holds without any file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    hosts: Hosts,
    pillars: BTreeMap<Pillar, PillarEntry>,
    clouds: Vec<CloudEntry>,
    ingest: Ingest,
    trash: Trash,
    verify: Verify,
    spool: Spool,
    health: Health,
}

impl Config {
    /// Reads the main file and then its drop-ins, in the order given.
    ///
    /// A later file's scalars and lists replace earlier ones, its tables are merged
    /// into them. No source at all gives the default.
    ///
    /// # Errors
    /// The first thing that is wrong, with its file and line.
    pub fn load(sources: &[Source]) -> Result<Config, ConfigError> {
        let origins = Origins::new(sources);
        let config = fragment::read(&origins).and_then(|(fragment, table)| {
            Config::checked(fragment).map_err(|fault| fragment::named(fault, &table))
        });
        config.map_err(|fault| origins.error(fault))
    }

    /// The part of the host with this name, compared without case, as it runs this system.
    ///
    /// A host that the configuration does not name gets what holds for every host.
    pub fn for_host(&self, host: &str, os: Os) -> HostConfig {
        let defaults = here::defaults(&self.ingest, &self.health);
        let clouds = self.clouds.iter().filter(|cloud| cloud.is_on(host));
        HostConfig {
            host: self.host(host).cloned().unwrap_or_default(),
            space: self.space_on(host, os),
            flux: self.pillar_on(Pillar::Flux, host, os),
            time: self.pillar_on(Pillar::Time, host, os),
            clouds: clouds.map(|cloud| cloud.resolved(&defaults)).collect(),
            ingest: self.ingest.clone(),
            trash: self.trash,
            verify: self.verify,
            spool: self.spool,
            health: self.health,
        }
    }

    /// The names of the hosts, lower case, in order.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.keys().map(Name::as_str)
    }

    /// The entry of a host, its name compared without case.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|(known, _)| known.is(name)).map(|(_, host)| host)
    }

    fn checked(fragment: Fragment) -> Result<Config, Fault> {
        let hosts = host::hosts(fragment.host)?;
        let pillars = fragment.pillar.into_iter();
        let pillars = pillars.map(|(p, table)| Ok((p, PillarEntry::new(table, &hosts)?)));
        let pillars = pillars.collect::<Result<_, Fault>>()?;
        pillar::check_ids(&pillars)?;
        let clouds = fragment.cloud.into_iter();
        let clouds = clouds.map(|(key, table)| CloudEntry::new(key, table, &hosts));
        let config = Config {
            clouds: clouds.collect::<Result<_, Fault>>()?,
            pillars,
            hosts,
            ingest: fragment.ingest,
            trash: fragment.trash,
            verify: fragment.verify.checked()?,
            spool: fragment.spool,
            health: fragment.health.checked()?,
        };
        oneway::check(&config)?;
        Ok(config)
    }

    fn pillar_on(&self, pillar: Pillar, host: &str, os: Os) -> Option<PillarHere> {
        self.pillars.get(&pillar).map(|entry| entry.seen(pillar, host, os))
    }

    fn space_on(&self, host: &str, os: Os) -> PillarHere {
        let named = self.pillar_on(Pillar::Space, host, os);
        named.unwrap_or_else(|| PillarEntry::default().seen(Pillar::Space, host, os))
    }
}
