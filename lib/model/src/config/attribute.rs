//! Which extended attributes copies carry.

use std::fmt;
use std::str::FromStr;

use super::exclude::glob;
use super::scalar::{BadValue, Scalar, scalars};

/// A pattern of names of extended attributes: `user.*`, `com.apple.FinderInfo`.
///
/// `*` stands for any characters, also none; everything else is itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AttributeName(String);

impl AttributeName {
    /// A pattern that is known to be one.
    pub(super) fn fixed(text: &str) -> AttributeName {
        AttributeName(text.to_owned())
    }

    /// True if an attribute has such a name.
    pub fn matches(&self, name: &[u8]) -> bool {
        glob(self.0.as_bytes(), name)
    }
}

impl FromStr for AttributeName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<AttributeName, BadValue> {
        if text.is_empty() || text.contains('\0') {
            return Err(BadValue::new::<AttributeName>(text));
        }
        Ok(AttributeName(text.to_owned()))
    }
}

impl Scalar for AttributeName {
    const EXPECTED: &'static str = "the name of an extended attribute such as \"user.*\"";
}

scalars!(AttributeName);

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
