//! Law 1: what is ingested never lies where copies go, and no folder is taken twice.
//!
//! The only edges of the fleet are those from a cloud's source root to the space,
//! so a cycle is a source root that meets a pillar. The one that may is an inbox in the
//! space, beside the folder that copies go to.

use std::collections::BTreeSet;

use toml::Spanned;

use super::Config;
use super::cloud::CloudEntry;
use super::error::Fault;
use super::os::Os;
use crate::sentinel::Pillar;

/// Checks all clouds against the pillars and against each other.
pub(super) fn check(config: &Config) -> Result<(), Fault> {
    for (i, cloud) in config.clouds.iter().enumerate() {
        check_pillars(config, cloud)?;
        for other in config.clouds[..i].iter().filter(|other| other.meets(cloud)) {
            check_pair(config, other, cloud)?;
        }
    }
    Ok(())
}

fn check_pair(config: &Config, first: &CloudEntry, second: &CloudEntry) -> Result<(), Fault> {
    let names = (first.key.get_ref(), second.key.get_ref());
    if first.id == second.id {
        let what = format!(
            "[cloud.{}] and [cloud.{}] may both be the cloud {} of one device; give them different ids, hosts or users",
            names.0,
            names.1,
            first.id.get_ref()
        );
        return Err(Fault::at(later(&first.id, &second.id), what));
    }
    let (Some(a), Some(b)) = (&first.path, &second.path) else { return Ok(()) };
    let fold = [first, second].iter().any(|cloud| folds_case(config, cloud));
    if first.enabled && second.enabled && a.get_ref().overlaps(b.get_ref(), fold) {
        let what = format!(
            "[cloud.{}] at \"{}\" and [cloud.{}] at \"{}\" contain each other; one file would be ingested twice",
            names.0,
            a.get_ref(),
            names.1,
            b.get_ref()
        );
        return Err(Fault::at(later(a, b), what));
    }
    Ok(())
}

/// The one that stands further down, or in a later file: what was there before it was right.
fn later<'t, T>(a: &'t Spanned<T>, b: &'t Spanned<T>) -> &'t Spanned<T> {
    if a.span().start > b.span().start { a } else { b }
}

fn folds_case(config: &Config, cloud: &CloudEntry) -> bool {
    let host = cloud.host.as_ref().and_then(|name| config.hosts.get(name));
    host.and_then(|host| host.os).is_some_and(Os::folds_case)
}

fn check_pillars(config: &Config, cloud: &CloudEntry) -> Result<(), Fault> {
    let Some(path) = cloud.path.as_ref().filter(|_| cloud.enabled) else { return Ok(()) };
    for (host, os) in machines(config, cloud) {
        for pillar in config.for_host(host, os).pillars() {
            let fold = os.folds_case();
            let may_lie_there = cloud.inbox.is_some()
                && pillar.pillar == Pillar::Space
                && path.get_ref().is_inbox_of(&pillar.path, fold);
            if path.get_ref().overlaps(&pillar.path, fold) && !may_lie_there {
                let what = format!(
                    "\"{}\" and /{} at \"{}\" contain each other; copies would flow back into their source",
                    path.get_ref(),
                    pillar.pillar,
                    pillar.path
                );
                return Err(Fault::at(path, what));
            }
        }
    }
    Ok(())
}

/// The machines that may have the cloud; one of which nothing is said is among them.
fn machines<'c>(config: &'c Config, cloud: &CloudEntry) -> BTreeSet<(&'c str, Os)> {
    let mut machines = BTreeSet::new();
    for (name, host) in config.hosts.iter().filter(|(name, _)| cloud.is_on(name.as_str())) {
        let systems = host.os.map_or(Os::ALL.to_vec(), |os| vec![os]);
        machines.extend(systems.into_iter().map(|os| (name.as_str(), os)));
    }
    if cloud.host.is_none() {
        machines.extend(Os::ALL.map(|os| ("", os)));
    }
    machines
}
