//! Strings that may not be UTF-8, told truthfully in JSON.

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE64;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that are text almost always: a path, a name, a link's target.
///
/// In JSON it is a string when it is UTF-8 and `{"bytes":"<base64>"}` when it is
/// not, so nothing is ever lost (RFC 8259 strings can't hold arbitrary bytes). In
/// binary formats it is its bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Vec<u8>);

impl Text {
    /// Wraps bytes as they are.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Text {
        Text(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// For people only: one line, control characters escaped, bad bytes shown as `\xNN`.
    pub fn display(&self) -> Cow<'_, str> {
        match self.as_str() {
            Some(s) if !s.chars().any(char::is_control) => Cow::Borrowed(s),
            _ => Cow::Owned(escape(&self.0)),
        }
    }
}

fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.display())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display())
    }
}

impl From<&str> for Text {
    fn from(s: &str) -> Text {
        Text(s.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(s: String) -> Text {
        Text(s.into_bytes())
    }
}

impl From<&std::path::Path> for Text {
    fn from(path: &std::path::Path) -> Text {
        Text(path.as_os_str().as_encoded_bytes().to_vec())
    }
}

/// The JSON form of text that is not UTF-8.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bytes {
    /// The bytes in base64 (RFC 4648, padded).
    bytes: String,
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        match self.as_str() {
            Some(s) => serializer.serialize_str(s),
            None => Bytes { bytes: BASE64.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Bytes(Bytes),
        }
        if !deserializer.is_human_readable() {
            return Vec::deserialize(deserializer).map(Text);
        }
        match Either::deserialize(deserializer)? {
            Either::Text(s) => Ok(Text(s.into_bytes())),
            Either::Bytes(b) => {
                BASE64.decode(b.bytes.as_bytes()).map(Text).map_err(D::Error::custom)
            }
        }
    }
}

impl schemars::JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let bytes = generator.subschema_for::<Bytes>();
        schemars::json_schema!({
            "description": "text, or base64 bytes where it is not UTF-8",
            "anyOf": [{ "type": "string" }, bytes]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Text;
    use proptest::prelude::*;

    #[test]
    fn shown_text_is_one_line() {
        assert_eq!(Text::new(b"a\nb\xff".to_vec()).display(), "a\\nb\\xff");
    }

    proptest! {
        #[test]
        fn json_keeps_every_byte(bytes: Vec<u8>) {
            let json = serde_json::to_string(&Text::new(bytes.clone())).unwrap();
            let back: Text = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.as_bytes(), &bytes[..]);
        }
    }
}
