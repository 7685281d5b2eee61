//! One host's part of the configuration.

use super::cloud::{Cloud, Defaults};
use super::health::Health;
use super::host::Host;
use super::ingest::Ingest;
use super::pillar::PillarHere;
use super::spool::Spool;
use super::trash::Trash;
use super::verify::Verify;
use crate::cloud::CloudId;

/// What the configuration says for one host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostConfig {
    /// The host's own entry; the default where it has none.
    pub host: Host,
    /// The space; without a word in the configuration it is the one at the usual place.
    pub space: PillarHere,
    /// Flux, where the configuration names it.
    pub flux: Option<PillarHere>,
    /// Time, where the configuration names it.
    pub time: Option<PillarHere>,
    /// The clouds that the configuration names for this host, of all its users, the disabled too.
    pub clouds: Vec<Cloud>,
    /// How clouds are brought in.
    pub ingest: Ingest,
    /// How long former versions are kept.
    pub trash: Trash,
    /// How often copies are read again.
    pub verify: Verify,
    /// How long events are kept.
    pub spool: Spool,
    /// What was promised.
    pub health: Health,
}

impl HostConfig {
    /// The pillars that are promised here, in the order people name them.
    pub fn pillars(&self) -> impl Iterator<Item = &PillarHere> {
        self.flux.iter().chain([&self.space]).chain(&self.time)
    }

    /// The clouds that the configuration names for a user of this host.
    pub fn clouds_of(&self, user: &str) -> impl Iterator<Item = &Cloud> {
        self.clouds.iter().filter(move |cloud| cloud.is_of(user))
    }

    /// The settings of a user's cloud, configured or only discovered.
    pub fn cloud(&self, id: &CloudId, user: &str) -> Cloud {
        let named = self.clouds_of(user).find(|cloud| cloud.id == *id).cloned();
        named.unwrap_or_else(|| Cloud::plain(id, &defaults(&self.ingest, &self.health)))
    }
}

/// What a cloud has where its own table says nothing.
pub(super) fn defaults<'c>(ingest: &'c Ingest, health: &Health) -> Defaults<'c> {
    Defaults {
        exclude: &ingest.exclude,
        hydrate: ingest.hydrate,
        guard: ingest.guard,
        max_age: health.ingest_max_age,
    }
}
