//! Relative paths below a source root or a copy, as bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// A relative path of plain names joined by `/`; the empty path is the root itself.
///
/// Names are the operating system's own bytes (WTF-8 on Windows). No name is
/// empty, `.`, `..`, or holds `/` or NUL, so a `RelPath` never leaves its root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct RelPath(Text);

/// Why some bytes are not a relative path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a relative path of plain names: {0}")]
pub struct NotRelative(pub Text);

impl RelPath {
    /// The root itself.
    pub fn root() -> RelPath {
        RelPath::default()
    }

    /// Checks bytes and takes them as a path.
    ///
    /// # Errors
    /// When a name is empty, `.`, `..` or holds NUL.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<RelPath, NotRelative> {
        let bytes = bytes.into();
        if !bytes.is_empty() && !bytes.split(|b| *b == b'/').all(is_plain_name) {
            return Err(NotRelative(Text::new(bytes)));
        }
        Ok(RelPath(Text::new(bytes)))
    }

    /// This path with one more name, which the operating system gave as a directory entry.
    pub fn join(&self, name: &[u8]) -> RelPath {
        let mut bytes = Vec::with_capacity(self.0.as_bytes().len() + 1 + name.len());
        bytes.extend_from_slice(self.0.as_bytes());
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        RelPath(Text::new(bytes))
    }

    /// The path's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The path as text for JSON and people.
    pub fn text(&self) -> &Text {
        &self.0
    }

    /// True for the root itself.
    pub fn is_root(&self) -> bool {
        self.0.as_bytes().is_empty()
    }

    /// The names from the top down.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.as_bytes().split(|b| *b == b'/').filter(|name| !name.is_empty())
    }

    /// The folder and the last name; `None` for the root.
    pub fn split(&self) -> Option<(RelPath, &[u8])> {
        let bytes = self.0.as_bytes();
        if bytes.is_empty() {
            return None;
        }
        match bytes.iter().rposition(|b| *b == b'/') {
            Some(at) => Some((RelPath(Text::new(&bytes[..at])), &bytes[at + 1..])),
            None => Some((RelPath::root(), bytes)),
        }
    }

    /// True if `self` is `other` or lies below it.
    pub fn is_within(&self, other: &RelPath) -> bool {
        let (me, other) = (self.as_bytes(), other.as_bytes());
        other.is_empty()
            || me == other
            || (me.len() > other.len() && me.starts_with(other) && me[other.len()] == b'/')
    }
}

fn is_plain_name(name: &[u8]) -> bool {
    !name.is_empty() && name != b"." && name != b".." && !name.contains(&0)
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<RelPath, D::Error> {
        let text = Text::deserialize(deserializer)?;
        RelPath::new(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::RelPath;
    use proptest::prelude::*;

    #[test]
    fn paths_that_leave_their_root_are_refused() {
        for bad in ["/etc", "a//b", "..", "a/../b", "a/", "./a", "a\0b"] {
            assert!(RelPath::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn within_compares_whole_names() {
        let at = |s: &str| RelPath::new(s).unwrap();
        assert!(at("a/b").is_within(&at("a")));
        assert!(at("a").is_within(&RelPath::root()));
        assert!(!at("ab").is_within(&at("a")));
    }

    proptest! {
        #[test]
        fn split_undoes_join(names in prop::collection::vec("[^/\0.][^/\0]{0,9}", 1..5)) {
            let path = names.iter().fold(RelPath::root(), |p, n| p.join(n.as_bytes()));
            let (folder, last) = path.split().unwrap();
            prop_assert_eq!(last, names.last().unwrap().as_bytes());
            prop_assert_eq!(folder.join(last), path);
        }
    }
}
