//! Pure: which names new entries of a folder get in the copy.

use std::collections::HashMap;

use super::escape::{DIGITS, escape, spelled};
use super::fold::fold;
use super::target::{LONGEST, Target};

/// A name in the source, and its copy's where that is another one.
pub type Row<'a> = (&'a [u8], Option<&'a [u8]>);

/// The names that the copies of a folder's entries have, where they are not their sources'.
pub type Chosen = HashMap<Box<[u8]>, Box<[u8]>>;

/// Chooses names for the copies of new entries, in the order that they are given.
///
/// `rows` are the names that copies have already: whoever comes later gives way. A new
/// entry may bring the name that its copy had before.
pub fn choose<'a>(
    target: &Target,
    rows: impl Iterator<Item = Row<'a>> + Clone,
    new: impl Iterator<Item = Row<'a>>,
) -> Chosen {
    let all_are_plain = target.holds_all() && rows.clone().all(|(_, copy)| copy.is_none());
    let mut taken = Taken { target, owners: HashMap::new() };
    if !all_are_plain {
        rows.for_each(|(name, copy)| taken.take(name, copy.unwrap_or(name)));
    }
    let mut chosen = Chosen::new();
    for (name, before) in new {
        if all_are_plain && name.len() <= LONGEST {
            continue;
        }
        let copy = taken.find(name, before);
        taken.take(name, &copy);
        if copy != name {
            chosen.insert(name.into(), copy.into());
        }
    }
    chosen
}

struct Taken<'a> {
    target: &'a Target,
    /// Whose copy has a name, by what a file system may take for the same.
    owners: HashMap<Vec<u8>, Vec<u8>>,
}

impl Taken<'_> {
    fn key(&self, name: &[u8]) -> Vec<u8> {
        if self.target.folds { fold(name) } else { name.to_owned() }
    }

    fn take(&mut self, owner: &[u8], copy: &[u8]) {
        let key = self.key(copy);
        self.owners.entry(key).or_insert_with(|| owner.to_owned());
    }

    fn is_free(&self, owner: &[u8], copy: &[u8]) -> bool {
        self.owners.get(&self.key(copy)).is_none_or(|other| other == owner)
    }

    fn find(&self, name: &[u8], before: Option<&[u8]>) -> Vec<u8> {
        let natural = escape(self.target, name).unwrap_or_else(|| name.to_owned());
        let twins = DIGITS.iter().map(|digits| spelled(self.target, name, *digits));
        let mut candidates =
            before.map(<[u8]>::to_owned).into_iter().chain(std::iter::once(natural)).chain(twins);
        let free = candidates.find(|copy| self.is_free(name, copy));
        // All 64 digits are nobody else's.
        free.unwrap_or_else(|| spelled(self.target, name, DIGITS[3]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::Target;
    use super::choose;
    use crate::names::fold;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn none<'a>() -> std::iter::Empty<super::Row<'a>> {
        std::iter::empty()
    }

    #[test]
    fn the_later_twin_gives_way_and_who_was_there_first_stays() {
        let new = [b"README".as_slice(), b"readme", b"other"];
        let chosen = choose(&Target::NARROWEST, none(), new.iter().map(|n| (*n, None)));
        assert_eq!(chosen.len(), 1);
        assert!(chosen[b"readme".as_slice()].starts_with(b"readme~"));
        let rows = [(b"readme".as_slice(), None)];
        let new = [(b"README".as_slice(), None)];
        let chosen = choose(&Target::NARROWEST, rows.into_iter(), new.into_iter());
        assert!(chosen[b"README".as_slice()].starts_with(b"README~"));
        assert!(choose(&Target::BYTES, rows.into_iter(), new.into_iter()).is_empty());
    }

    #[test]
    fn a_name_that_a_copy_has_is_taken_on_every_target() {
        let rows = [(b"a?".as_slice(), Some(b"b".as_slice()))];
        let new = [(b"b".as_slice(), None), (b"a?", Some(b"b".as_slice()))];
        let chosen = choose(&Target::BYTES, rows.into_iter(), new.into_iter());
        assert!(chosen[b"b".as_slice()].starts_with(b"b~"));
        assert_eq!(&*chosen[b"a?".as_slice()], b"b");
    }

    proptest! {
        #[test]
        fn no_two_copies_are_one_file(
            old in prop::collection::hash_set("[aAäÄ?%]{1,3}", 0..6),
            new in prop::collection::hash_set("[aAäÄ?%]{1,3}", 0..12),
        ) {
            let new: Vec<String> = new.difference(&old).cloned().collect();
            let rows = old.iter().map(|n| (n.as_bytes(), None));
            let wanted = new.iter().map(|n| (n.as_bytes(), None));
            let chosen = choose(&Target::NARROWEST, rows, wanted);
            let mut seen: HashSet<Vec<u8>> = old.iter().map(|n| fold(n.as_bytes())).collect();
            for name in &new {
                let copy = chosen.get(name.as_bytes()).map_or(name.as_bytes(), |c| c);
                prop_assert!(seen.insert(fold(copy)), "{} {:?}", name, copy);
            }
        }
    }
}
