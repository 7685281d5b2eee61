//! The names in a folder, kept together: a million of them take some twenty megabytes.

use crate::facts::Kind;

/// What a folder lists, without `.` and `..`.
#[derive(Clone, Default, Debug)]
pub struct Listing {
    names: Vec<u8>,
    entries: Vec<Slot>,
}

/// Where in the block of names one lies.
#[derive(Clone, Copy, Debug)]
struct Slot {
    start: usize,
    length: u16,
    kind: Option<Kind>,
}

impl Listing {
    /// Adds an entry, with its kind where listing alone tells.
    pub fn push(&mut self, name: &[u8], kind: Option<Kind>) {
        // No system has names of 64 KiB; one that claims to is cut, and not found then.
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        self.entries.push(Slot { start: self.names.len(), length, kind });
        self.names.extend_from_slice(&name[..usize::from(length)]);
    }

    /// Puts the entries in the order of their names' bytes.
    pub fn sort(&mut self) {
        let names = &self.names;
        self.entries.sort_unstable_by(|a, b| a.of(names).cmp(b.of(names)));
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A stretch of entries in their order; one that reaches too far ends with the last.
    pub fn stretch(
        &self,
        from: usize,
        length: usize,
    ) -> impl ExactSizeIterator<Item = (&[u8], Option<Kind>)> {
        let end = from.saturating_add(length).min(self.len());
        self.entries[from.min(end)..end].iter().map(|slot| (slot.of(&self.names), slot.kind))
    }

    /// All entries in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], Option<Kind>)> {
        self.stretch(0, self.len())
    }

    /// Where a name is, in a sorted listing.
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        self.entries.binary_search_by(|slot| slot.of(&self.names).cmp(name)).ok()
    }
}

impl Slot {
    fn of(self, names: &[u8]) -> &[u8] {
        &names[self.start..self.start + usize::from(self.length)]
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Listing};

    #[test]
    fn names_keep_their_kinds_when_sorted_and_are_found() {
        let mut listing = Listing::default();
        for (name, kind) in [("b", Some(Kind::Folder)), ("", None), ("a\u{ff}", Some(Kind::File))] {
            listing.push(name.as_bytes(), kind);
        }
        listing.sort();
        let found: Vec<_> = listing.iter().collect();
        assert_eq!(found[0], (b"".as_slice(), None));
        assert_eq!(found[2], (b"b".as_slice(), Some(Kind::Folder)));
        assert_eq!(listing.position(b"b"), Some(2));
        assert_eq!(listing.position(b"c"), None);
        assert_eq!(listing.stretch(2, 9).len(), 1);
        assert_eq!(listing.stretch(7, 9).len(), 0);
    }
}
