//! `[health]`: what was promised.

use serde::Deserialize;
use toml::Spanned;

use super::error::Fault;
use super::period::Period;
use super::share::{Free, Share};

/// The promises that `phc-health` judges by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Health {
    /// How old a cloud's last success may be; a cloud may have its own. Default 26 hours.
    pub ingest_max_age: Period,
    /// How old the oldest event in the outbox may be. Default 24 hours.
    pub outbox_max_age: Period,
    /// Free space of a file system below which it wants a look. Default 10 %.
    pub free_warn: Free,
    /// Free space of a file system below which it wants a hand. Default 3 %.
    pub free_critical: Free,
}

impl Default for Health {
    fn default() -> Health {
        Health {
            ingest_max_age: Period::hours(26),
            outbox_max_age: Period::hours(24),
            free_warn: Free::Share(Share::percent(10)),
            free_critical: Free::Share(Share::percent(3)),
        }
    }
}

/// What `[health]` may hold.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HealthFragment {
    ingest_max_age: Option<Period>,
    outbox_max_age: Option<Period>,
    free_warn: Option<Spanned<Free>>,
    free_critical: Option<Spanned<Free>>,
}

impl HealthFragment {
    /// Fills in the defaults and checks that the warning comes first.
    pub(super) fn checked(self) -> Result<Health, Fault> {
        let usual = Health::default();
        let at = self.free_critical.as_ref().or(self.free_warn.as_ref()).map(Spanned::span);
        let health = Health {
            ingest_max_age: self.ingest_max_age.unwrap_or(usual.ingest_max_age),
            outbox_max_age: self.outbox_max_age.unwrap_or(usual.outbox_max_age),
            free_warn: self.free_warn.map_or(usual.free_warn, Spanned::into_inner),
            free_critical: self.free_critical.map_or(usual.free_critical, Spanned::into_inner),
        };
        let (warn, critical) = (health.free_warn, health.free_critical);
        match at {
            Some(at) if more(critical, warn) => {
                let what = format!("critical at {critical} is above the warning at {warn}");
                Err(Fault::new(at, what))
            }
            _ => Ok(health),
        }
    }
}

/// True if one is more than the other on every file system; a size and a share can't be compared.
fn more(a: Free, b: Free) -> bool {
    match (a, b) {
        (Free::Bytes(a), Free::Bytes(b)) => a > b,
        (Free::Share(a), Free::Share(b)) => a > b,
        _ => false,
    }
}
