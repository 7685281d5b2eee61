//! Devices: a host and a user on it.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A host and a user on it, both lower-cased; system services are `<host>/system`.
#[derive(
    Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Device {
    host: String,
    user: String,
}

/// Why a host's or user's name can't name a folder below `/space/devices`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{what} name {name:?} can't name a folder: use letters, digits, '.', '-' and '_', not starting with '_' or '.'"
)]
pub struct BadDeviceName {
    what: &'static str,
    name: String,
}

impl Device {
    /// Lower-cases and checks both names.
    ///
    /// A host's domain is kept; a leading `_` is refused because such folders are
    /// the toolkit's own (`_spool`, `_bell`).
    ///
    /// # Errors
    /// When a name is empty or holds something else than letters, digits, `.`, `-`, `_`.
    pub fn new(host: &str, user: &str) -> Result<Device, BadDeviceName> {
        Ok(Device { host: lower("host", host)?, user: lower("user", user)? })
    }

    /// The host, lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The user, lower case.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The file name that stands for this device in one flat folder: `<host>.<user>`.
    pub fn flat_name(&self) -> String {
        format!("{}.{}", self.host, self.user)
    }
}

fn lower(what: &'static str, name: &str) -> Result<String, BadDeviceName> {
    let lowered = name.trim().to_lowercase();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let starts_well = lowered.chars().next().is_some_and(char::is_alphanumeric);
    if !starts_well || lowered.len() > 200 || !lowered.chars().all(plain) {
        return Err(BadDeviceName { what, name: name.to_owned() });
    }
    Ok(lowered)
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.user)
    }
}

impl std::str::FromStr for Device {
    type Err = BadDeviceName;

    /// Reads `HOST/USER`.
    fn from_str(s: &str) -> Result<Device, BadDeviceName> {
        let (host, user) = s.split_once('/').unwrap_or((s, ""));
        Device::new(host, user)
    }
}

/// `_device.json`: who may write this device's folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeviceCard {
    /// Version of this file's form; 1.
    pub schema: u32,
    /// The device's random id, also kept in its state.
    pub id: Uuid,
    /// A digest that stands for the machine (never its id itself); null when the machine has none.
    pub machine: Option<String>,
    /// When the card was written.
    #[schemars(with = "String")]
    pub created: jiff::Timestamp,
}

#[cfg(test)]
mod tests {
    use super::Device;

    #[test]
    fn names_are_lower_cased_and_checked() {
        assert_eq!(Device::new("WINTERMUTE", "Miket").unwrap().to_string(), "wintermute/miket");
        for bad in ["", "..", "_spool", "a/b", "a b", ".hidden", "a:b"] {
            assert!(Device::new(bad, "u").is_err(), "{bad:?}");
            assert!(Device::new("h", bad).is_err(), "{bad:?}");
        }
    }
}
