//! What a target can hold, as far as names are concerned.

use serde::{Deserialize, Serialize};

/// Which names a file system takes and gives back as they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// Any bytes but `/` and NUL.
    Bytes,
    /// Any text.
    Unicode,
    /// Text without what Windows has a meaning for; SMB shares, exFAT and NTFS are such.
    Windows,
}

/// What a target can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Which names it takes.
    pub alphabet: Alphabet,
    /// True if it takes names for the same that differ in case or in their Unicode form.
    pub folds: bool,
    /// True if only UTF-16 units count: names may have more than 255 bytes.
    pub long: bool,
}

/// Names have at most so many bytes on a file system of bytes, and UTF-16 units on any other.
pub const LONGEST: usize = 255;

impl Target {
    /// A local file system of bytes: ext4, xfs, btrfs.
    pub const BYTES: Target = Target { alphabet: Alphabet::Bytes, folds: false, long: false };
    /// The narrowest of all: what it can't hold, some target can't.
    pub const NARROWEST: Target = Target { alphabet: Alphabet::Windows, folds: true, long: false };

    /// True if it holds all names of up to 255 bytes, each for itself.
    pub fn holds_all(&self) -> bool {
        self.alphabet == Alphabet::Bytes && !self.folds
    }

    /// True if a name is not too long.
    pub(super) fn has_room_for(&self, name: &[u8]) -> bool {
        let units = || match std::str::from_utf8(name) {
            Ok(text) => text.encode_utf16().count(),
            Err(_) => name.len(),
        };
        name.len() <= LONGEST
            || (self.long && self.alphabet != Alphabet::Bytes && units() <= LONGEST)
    }
}
