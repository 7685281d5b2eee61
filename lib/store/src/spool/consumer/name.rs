//! Names of consumers.

use std::fmt;
use std::str::FromStr;

/// A consumer's name: 1 to 64 lower-case letters, digits and hyphens, a hyphen not first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConsumerName(String);

/// Why some text can't name a consumer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} can't name a consumer: use 1 to 64 lower-case letters, digits and hyphens, no hyphen first"
)]
pub struct BadName(String);

impl ConsumerName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConsumerName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<ConsumerName, BadName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=64).contains(&text.len()) && !text.starts_with('-');
        if fits && text.bytes().all(plain) {
            return Ok(ConsumerName(text.to_owned()));
        }
        Err(BadName(text.to_owned()))
    }
}

impl fmt::Display for ConsumerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ConsumerName;

    #[test]
    fn names_that_would_lead_out_of_their_folder_or_look_alike_are_refused() {
        for good in ["health", "a", "0", "mirror-2"] {
            assert!(good.parse::<ConsumerName>().is_ok(), "{good:?}");
        }
        for bad in ["", "-a", "A", "a.b", "a/b", "..", "a b", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<ConsumerName>().is_err(), "{bad:?}");
        }
    }
}
