//! Open folders: everything below one is reached through its handle, never by a path that could change meaning.

mod listing;
pub use listing::Listing;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::Dir;
#[cfg(unix)]
pub(crate) use unix::facts_of;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::Dir;
#[cfg(windows)]
pub(crate) use windows::facts_of;

use crate::facts::Kind;

/// One entry of a folder as listing it tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The name's bytes.
    pub name: Box<[u8]>,
    /// What it is, where listing alone tells.
    pub kind: Option<Kind>,
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
