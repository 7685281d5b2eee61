//! What is left out of an ingest.

use std::fmt;
use std::str::FromStr;

use super::scalar::{BadValue, Scalar, scalars};
use crate::relpath::RelPath;

/// A pattern of names to leave out: `Thumbs.db`, `~$*`, `/Archive/old`.
///
/// Without a leading `/` it is a base name and counts in every folder; with one it
/// is a path from the source root. `*` stands for any characters of one name, also
/// none; everything else is itself, with its case. A folder that is left out takes
/// what lies below it along.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Exclude(String);

impl Exclude {
    /// A pattern that is known to be one.
    pub(super) fn fixed(text: &str) -> Exclude {
        Exclude(text.to_owned())
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if a base name is left out by a pattern without a leading `/`.
    pub fn matches_name(&self, name: &[u8]) -> bool {
        glob(self.0.as_bytes(), name)
    }

    /// True if this very path is left out; whoever walks does not enter it then.
    pub fn matches(&self, path: &RelPath) -> bool {
        match self.0.strip_prefix('/') {
            Some(anchored) => {
                let mut patterns = anchored.split('/');
                path.names().all(|name| patterns.next().is_some_and(|p| glob(p.as_bytes(), name)))
                    && patterns.next().is_none()
            }
            None => path.names().next_back().is_some_and(|name| self.matches_name(name)),
        }
    }
}

/// Matches one name; on a mismatch the last `*` takes one character more.
pub(super) fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            n = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

impl FromStr for Exclude {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Exclude, BadValue> {
        let path = text.strip_prefix('/');
        let name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
        let fine = match path {
            Some(path) => path.split('/').all(name),
            None => name(text) && !text.contains('/'),
        };
        // A pattern that leaves everything out is a backup of nothing.
        let everything = path.unwrap_or(text).bytes().all(|b| b == b'*');
        if fine && !everything {
            Ok(Exclude(text.to_owned()))
        } else {
            Err(BadValue::new::<Exclude>(text))
        }
    }
}

impl Scalar for Exclude {
    const EXPECTED: &'static str = "a base name such as \"Thumbs.db\" or \"~$*\", or a path from the source root such as \"/Archive/old\"";
}

scalars!(Exclude);

impl fmt::Display for Exclude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Exclude, RelPath, glob};
    use proptest::prelude::*;

    fn out(pattern: &str, path: &str) -> bool {
        pattern.parse::<Exclude>().unwrap().matches(&RelPath::new(path).unwrap())
    }

    #[test]
    fn a_base_name_counts_in_every_folder() {
        assert!(out("Thumbs.db", "Thumbs.db") && out("Thumbs.db", "a/b/Thumbs.db"));
        assert!(!out("Thumbs.db", "Thumbs.db/a") && !out("Thumbs.db", "thumbs.db"));
        assert!(out("~$*", "docs/~$letter.docx") && !out("~$*", "docs/letter~$.docx"));
        assert!(out("*.iso", "x.iso") && !out("*.iso", "x.iso.txt"));
        assert!(!out("Thumbs.db", ""));
    }

    #[test]
    fn a_leading_slash_anchors() {
        assert!(out("/Archive/old", "Archive/old"));
        for other in ["old", "a/Archive/old", "Archive", "Archive/old/x", ""] {
            assert!(!out("/Archive/old", other), "{other}");
        }
        assert!(out("/*/cache", "app/cache") && !out("/*/cache", "app/x/cache"));
    }

    #[test]
    fn patterns_that_mean_something_else_or_everything_are_refused() {
        for bad in ["", "/", "a/b", "a/", "/a/", "/a//b", "..", "/../x", "*", "**", "/*", "a\0"] {
            assert!(bad.parse::<Exclude>().is_err(), "{bad:?}");
        }
    }

    /// The plainest definition of a match, to hold the fast one against.
    fn slow(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], _) => name.is_empty(),
            ([b'*', rest @ ..], _) => (0..=name.len()).any(|i| slow(rest, &name[i..])),
            ([p, rest @ ..], [n, names @ ..]) => p == n && slow(rest, names),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_its_definition(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            prop_assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), slow(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
