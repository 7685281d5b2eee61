//! Clouds: one account of one provider on a device.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A cloud's stable id, for example `icloud`, `onedrive-personal`, `onedrive-contoso`.
///
/// It names a folder below the device's, so it is lower case, `[a-z0-9.-]`, starts
/// with a letter or digit and has at most 100 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct CloudId(String);

/// Why a text is not a cloud's id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "cloud id {0:?} is not lower-case letters, digits, '.' and '-', starting with a letter or digit"
)]
pub struct BadCloudId(String);

impl CloudId {
    /// Checks a text and takes it as an id.
    ///
    /// # Errors
    /// When it is not of the form above.
    pub fn new(id: &str) -> Result<CloudId, BadCloudId> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
        let starts_well = id.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if !starts_well || id.len() > 100 || !id.bytes().all(plain) {
            return Err(BadCloudId(id.to_owned()));
        }
        Ok(CloudId(id.to_owned()))
    }

    /// Makes an id from a provider and an account's free name: `onedrive`, `Contoso Ltd.` → `onedrive-contoso-ltd`.
    pub fn from_account(provider: &str, account: &str) -> CloudId {
        let mut id = provider.to_owned();
        let mut gap = true;
        for c in account.to_lowercase().chars() {
            if c.is_ascii_alphanumeric() || c == '.' {
                if gap {
                    id.push('-');
                    gap = false;
                }
                id.push(c);
            } else if !c.is_ascii() && c.is_alphanumeric() {
                if gap {
                    id.push('-');
                    gap = false;
                }
                id.push_str(&format!("u{:x}", u32::from(c)));
            } else {
                gap = true;
            }
        }
        id.truncate(100);
        CloudId(id.trim_end_matches(['.', '-']).to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CloudId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for CloudId {
    type Err = BadCloudId;

    fn from_str(s: &str) -> Result<CloudId, BadCloudId> {
        CloudId::new(s)
    }
}

impl<'de> Deserialize<'de> for CloudId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<CloudId, D::Error> {
        let text = String::deserialize(deserializer)?;
        CloudId::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::CloudId;

    #[test]
    fn accounts_become_stable_ids() {
        for (account, id) in [
            ("Contoso Ltd.", "onedrive-contoso-ltd"),
            ("Personal", "onedrive-personal"),
            ("a@b.example", "onedrive-a-b.example"),
            ("", "onedrive"),
        ] {
            assert_eq!(CloudId::from_account("onedrive", account).as_str(), id);
        }
    }

    #[test]
    fn ids_that_could_not_be_folders_are_refused() {
        for bad in ["", "_spool", "A", "a/b", "..", "a b", "-a"] {
            assert!(CloudId::new(bad).is_err(), "{bad:?}");
        }
    }
}
