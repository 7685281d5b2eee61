//! Names of hosts, users and roles: lower-cased words.

use std::fmt;
use std::str::FromStr;

use super::scalar::{BadValue, Scalar, scalars};
use crate::device::Device;

/// The name of a host, user or role, lower-cased, of the form that [`Device`] takes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name(String);

impl Name {
    /// The name, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if a text names the same, whatever its case.
    pub fn is(&self, other: &str) -> bool {
        self.0 == other.trim().to_lowercase()
    }
}

impl FromStr for Name {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Name, BadValue> {
        let device = Device::new(text, "any").map_err(|_| BadValue::new::<Name>(text))?;
        Ok(Name(device.host().to_owned()))
    }
}

impl Scalar for Name {
    const EXPECTED: &'static str =
        "a name of letters, digits, '.', '-' and '_' that starts with a letter or digit";
}

scalars!(Name);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
