//! `[cloud.NAME]`: the source roots of the fleet's devices.

use serde::Deserialize;
use toml::Spanned;

use super::error::Fault;
use super::exclude::Exclude;
use super::guard::{Guard, GuardFragment};
use super::host::{Hosts, known};
use super::inbox::{self, Inbox, Kind};
use super::name::Name;
use super::period::Period;
use super::pillar::check_fits;
use super::place::Place;
use super::size::Size;
use super::table;
use crate::cloud::CloudId;

/// The settings of one cloud on one device, the fleet's defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cloud {
    /// Its id; names its folder below the device's.
    pub id: CloudId,
    /// The user it belongs to; `None` for every user of the host.
    pub user: Option<Name>,
    /// The source root; `None` leaves it to discovery.
    pub path: Option<Place>,
    /// Who provides it; `None` where nothing is said.
    pub provider: Option<Provider>,
    /// How it is brought in where it is an inbox.
    pub inbox: Option<Inbox>,
    /// False keeps it from being ingested, also when it is discovered.
    pub enabled: bool,
    /// What is left out: the fleet's excludes, then its own.
    pub exclude: Vec<Exclude>,
    /// What happens to the copy of a file that left the source.
    pub on_gone: OnGone,
    /// Bytes that a run brings in of what is only in the cloud; `None` for nothing.
    pub hydrate: Option<Size>,
    /// Its guard's limits.
    pub guard: Guard,
    /// How old its last success may be before health complains.
    pub max_age: Period,
}

/// Who provides a cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// iCloud Drive and the folders of its apps.
    Icloud,
    /// Microsoft OneDrive, personal or of an organisation.
    Onedrive,
    /// Google Drive.
    Gdrive,
    /// Dropbox.
    Dropbox,
    /// Nextcloud or ownCloud.
    Nextcloud,
    /// A plain folder that no client keeps in step.
    Folder,
}

/// What happens to the copy of a file that left its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnGone {
    /// It stays where it is.
    #[default]
    Keep,
    /// It moves to `_trash`, where `expire` may destroy it later.
    Trash,
}

/// What `[cloud.NAME]` may hold.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CloudFragment {
    id: Option<Spanned<CloudId>>,
    host: Option<Spanned<Name>>,
    user: Option<Spanned<Name>>,
    path: Option<Spanned<Place>>,
    provider: Option<Provider>,
    kind: Kind,
    consume: Option<Spanned<bool>>,
    remove_folders: Option<Spanned<bool>>,
    settle: Option<Spanned<Period>>,
    enabled: Option<bool>,
    exclude: Vec<Exclude>,
    on_gone: Option<Spanned<OnGone>>,
    hydrate: Option<Size>,
    max_age: Option<Period>,
    #[serde(deserialize_with = "table::one")]
    guard: GuardFragment,
}

/// A checked `[cloud.NAME]`, with its places in the text for the checks between clouds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct CloudEntry {
    pub(super) key: Spanned<String>,
    pub(super) id: Spanned<CloudId>,
    pub(super) host: Option<Name>,
    pub(super) user: Option<Name>,
    pub(super) path: Option<Spanned<Place>>,
    pub(super) enabled: bool,
    pub(super) inbox: Option<Inbox>,
    provider: Option<Provider>,
    exclude: Vec<Exclude>,
    on_gone: OnGone,
    hydrate: Option<Size>,
    max_age: Option<Period>,
    guard: GuardFragment,
}

/// The settings that a cloud of which nothing is said has.
pub(super) struct Defaults<'c> {
    pub(super) exclude: &'c [Exclude],
    pub(super) hydrate: Option<Size>,
    pub(super) guard: Guard,
    pub(super) max_age: Period,
}

impl CloudEntry {
    /// Checks a table against the hosts of the fleet.
    pub(super) fn new(
        key: Spanned<String>,
        table: CloudFragment,
        hosts: &Hosts,
    ) -> Result<CloudEntry, Fault> {
        let id = match table.id {
            Some(id) => id,
            None => id_from(&key)?,
        };
        check_device(table.host.as_ref(), table.user.as_ref(), table.path.as_ref(), hosts)?;
        let inbox = inbox::inbox(&inbox::Keys {
            key: &key,
            kind: table.kind,
            consume: table.consume.as_ref(),
            remove_folders: table.remove_folders.as_ref(),
            settle: table.settle.as_ref(),
            path: table.path.as_ref(),
            on_gone: table.on_gone.as_ref(),
        })?;
        Ok(CloudEntry {
            key,
            id,
            inbox,
            host: table.host.map(Spanned::into_inner),
            user: table.user.map(Spanned::into_inner),
            path: table.path,
            enabled: table.enabled.unwrap_or(true),
            provider: table.provider,
            exclude: table.exclude,
            on_gone: table.on_gone.map(Spanned::into_inner).unwrap_or_default(),
            hydrate: table.hydrate,
            max_age: table.max_age,
            guard: table.guard,
        })
    }

    /// True if the cloud may be on that host.
    pub(super) fn is_on(&self, host: &str) -> bool {
        self.host.as_ref().is_none_or(|name| name.is(host))
    }

    /// True if some device may have both.
    pub(super) fn meets(&self, other: &CloudEntry) -> bool {
        let same = |a: &Option<Name>, b: &Option<Name>| a.is_none() || b.is_none() || a == b;
        same(&self.host, &other.host) && same(&self.user, &other.user)
    }

    /// The cloud with everything that the table leaves open filled in.
    pub(super) fn resolved(&self, defaults: &Defaults<'_>) -> Cloud {
        Cloud {
            id: self.id.get_ref().clone(),
            user: self.user.clone(),
            path: self.path.as_ref().map(|path| path.get_ref().clone()),
            provider: self.provider,
            inbox: self.inbox,
            enabled: self.enabled,
            exclude: defaults.exclude.iter().chain(&self.exclude).cloned().collect(),
            on_gone: self.on_gone,
            hydrate: self.hydrate.or(defaults.hydrate),
            guard: self.guard.over(defaults.guard),
            max_age: self.max_age.unwrap_or(defaults.max_age),
        }
    }
}

impl Cloud {
    /// True if it may belong to that user, the name compared without case.
    pub fn is_of(&self, user: &str) -> bool {
        self.user.as_ref().is_none_or(|name| name.is(user))
    }

    /// A cloud of which the configuration says nothing.
    pub(super) fn plain(id: &CloudId, defaults: &Defaults<'_>) -> Cloud {
        Cloud {
            id: id.clone(),
            user: None,
            path: None,
            provider: None,
            inbox: None,
            enabled: true,
            exclude: defaults.exclude.to_vec(),
            on_gone: OnGone::default(),
            hydrate: defaults.hydrate,
            guard: defaults.guard,
            max_age: defaults.max_age,
        }
    }
}

/// The table's name as the cloud's id.
fn id_from(key: &Spanned<String>) -> Result<Spanned<CloudId>, Fault> {
    let id = CloudId::new(key.get_ref());
    let id = id.map_err(|e| Fault::at(key, format!("{e}; rename [cloud.NAME], or set id in it")));
    Ok(Spanned::new(key.span(), id?))
}

fn check_device(
    host: Option<&Spanned<Name>>,
    user: Option<&Spanned<Name>>,
    path: Option<&Spanned<Place>>,
    hosts: &Hosts,
) -> Result<(), Fault> {
    let Some(host) = host else { return Ok(()) };
    let known_host = known(hosts, host)?;
    if let Some(user) = user
        && !known_host.users.is_empty()
        && !known_host.users.contains(user.get_ref())
    {
        let what = format!("host {} has no user {}", host.get_ref(), user.get_ref());
        let users = known_host.users.iter().map(Name::to_string).collect();
        return Err(Fault::at(user, what).instead_of(user.get_ref().as_str(), users));
    }
    match (path, known_host.os) {
        (Some(path), Some(os)) => check_fits(path, os),
        _ => Ok(()),
    }
}
