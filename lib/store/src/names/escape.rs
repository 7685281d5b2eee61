//! Pure: a name that a target can't hold, spelled so that it can, and back.
//!
//! `what?.txt` becomes `what%3F~5e2a7b1c.txt`: what can't stand is written as the bytes it
//! has, and before the extension stand `~` and the first digits of the name's BLAKE3
//! digest. The digits prove that a name was spelled here, tell twins apart, and stand for
//! what had to be cut off a name that is too long.

use super::target::{Alphabet, Target};
use super::windows;

/// How many digits of the digest are written; more only where fewer are taken.
pub(super) const DIGITS: [usize; 4] = [8, 16, 32, 64];
/// A longer ending is no extension.
const LONGEST_EXTENSION: usize = 16;

/// The name that a copy gets where the target can't hold its source's; `None` if it can.
pub fn escape(target: &Target, name: &[u8]) -> Option<Vec<u8>> {
    (!is_plain(target, name)).then(|| spelled(target, name, DIGITS[0]))
}

/// True if a target holds this name as it is, and nobody could take it for one spelled here.
fn is_plain(target: &Target, name: &[u8]) -> bool {
    if !target.has_room_for(name) {
        return false;
    }
    match target.alphabet {
        Alphabet::Bytes => true,
        Alphabet::Unicode => std::str::from_utf8(name).is_ok() && unescape(name).is_none(),
        Alphabet::Windows => windows::holds(name) && unescape(name).is_none(),
    }
}

/// The name spelled with so many digits of its digest, cut where it would be too long.
pub(super) fn spelled(target: &Target, name: &[u8], digits: usize) -> Vec<u8> {
    let (stem, extension) = split(name);
    let hex = blake3::hash(name).to_hex();
    let tail = [b"~", &hex.as_bytes()[..digits], extension].concat();
    let mut body: Vec<u8> = Vec::with_capacity(stem.len());
    for piece in pieces(target, name, stem) {
        // The narrowest limit, whatever the target: a spelled name stays what it is wherever it is moved.
        if body.len() + piece.len() + tail.len() > super::target::LONGEST {
            break;
        }
        body.extend_from_slice(&piece);
    }
    body.extend_from_slice(&tail);
    body
}

/// What a name's stem is spelled of, so that it can be cut between any two.
fn pieces(target: &Target, name: &[u8], stem: &[u8]) -> Vec<Vec<u8>> {
    let keeps_bytes = target.alphabet == Alphabet::Bytes;
    let mut pieces = Vec::with_capacity(stem.len());
    for chunk in stem.utf8_chunks() {
        for c in chunk.valid().chars() {
            let bytes = c.encode_utf8(&mut [0; 4]).as_bytes().to_vec();
            let is_first = pieces.is_empty();
            let cant_stand = !keeps_bytes
                && (windows::is_forbidden(c) || (is_first && windows::begins_badly(name)));
            pieces.push(if c == '%' || cant_stand { percent(&bytes) } else { bytes });
        }
        for byte in chunk.invalid() {
            pieces.push(if keeps_bytes { vec![*byte] } else { percent(&[*byte]) });
        }
    }
    pieces
}

fn percent(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|b| format!("%{b:02X}").into_bytes()).collect()
}

/// The name that was spelled so; `None` for any other, and for one that was cut.
pub fn unescape(name: &[u8]) -> Option<Vec<u8>> {
    let (stem, extension) = split(name);
    let tilde = stem.iter().rposition(|b| *b == b'~')?;
    let (body, digits) = (&stem[..tilde], &stem[tilde + 1..]);
    let is_digit = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if !DIGITS.contains(&digits.len()) || !digits.iter().all(is_digit) {
        return None;
    }
    let mut raw = plain_bytes(body)?;
    raw.extend_from_slice(extension);
    blake3::hash(&raw).to_hex().as_bytes().starts_with(digits).then_some(raw)
}

/// The source's name of a copy that nothing else tells of, and the copy's where that is another one.
pub fn of_copy(target: &Target, copy_name: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let spelled = unescape(copy_name).filter(|name| !target.holds_all() && is_one_name(name));
    match spelled {
        Some(name) => (name, Some(copy_name.to_owned())),
        None => (copy_name.to_owned(), None),
    }
}

/// True for what an entry of a folder may be called.
fn is_one_name(name: &[u8]) -> bool {
    let is_one = !name.is_empty() && name != b"." && name != b"..";
    is_one && !name.contains(&b'/') && !name.contains(&0)
}

fn plain_bytes(body: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Some(bytes)
}

/// A name's stem and its extension with the dot; an ending that is none belongs to the stem.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    let dot = name.iter().rposition(|b| *b == b'.').filter(|at| *at > 0);
    let is_extension = |at: &usize| {
        let ending = &name[at + 1..];
        (1..=LONGEST_EXTENSION).contains(&ending.len())
            && ending.iter().all(u8::is_ascii_alphanumeric)
    };
    match dot.filter(is_extension) {
        Some(at) => name.split_at(at),
        None => (name, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::{Alphabet, Target};
    use super::{escape, unescape};
    use crate::names::windows;
    use proptest::prelude::*;

    fn told(name: &str) -> String {
        let escaped = escape(&Target::NARROWEST, name.as_bytes());
        escaped.map_or(name.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn names_stay_readable_and_keep_their_extension() {
        for (name, begins, ends) in [
            ("what?.txt", "what%3F~", ".txt"),
            ("12:30", "12%3A30~", ""),
            ("NUL.tar.gz", "%4EUL.tar~", ".gz"),
            ("com¹", "%63om¹~", ""),
            ("dot.", "dot.~", ""),
            ("space ", "space ~", ""),
            (".phc-notes", "%2Ephc-notes~", ""),
            ("PROGRA~1.TXT", "PROGRA~1~", ".TXT"),
        ] {
            let told = told(name);
            assert!(told.starts_with(begins) && told.ends_with(ends), "{name}: {told}");
        }
    }

    #[test]
    fn what_a_target_holds_stays_as_it_is() {
        for name in
            ["a", "100 %", "über~alles", "conference", "a~12345678", ".hidden", "a.b.c", "💾"]
        {
            assert_eq!(told(name), name);
        }
        let long = vec![b'n'; 256];
        assert_eq!(escape(&Target::BYTES, b"NUL: \xff?"), None);
        assert!(escape(&Target::BYTES, &long).unwrap().len() <= 255);
    }

    fn any_name() -> impl Strategy<Value = Vec<u8>> {
        let nasty = "[<>:\"|?*%~.a-cA-C 1\\\\\u{1}é\u{f03a}]{1,12}".prop_map(String::into_bytes);
        let bytes = prop::collection::vec(1u8..=255, 1..=255);
        let devices = "(CON|nul|Com1|LPT²|aux)[. ~]{0,2}[a-z]{0,3}".prop_map(String::into_bytes);
        let long = "[é?a.]{120,130}".prop_map(|s| s.into_bytes()[..].to_vec());
        prop_oneof![nasty, bytes, devices, long].prop_filter("a plain name", |name| {
            !name.contains(&b'/') && name != b"." && name != b".."
        })
    }

    fn any_target() -> impl Strategy<Value = Target> {
        let alphabet =
            prop_oneof![Just(Alphabet::Bytes), Just(Alphabet::Unicode), Just(Alphabet::Windows)];
        (alphabet, any::<bool>(), any::<bool>()).prop_map(|(alphabet, folds, long)| Target {
            alphabet,
            folds,
            long,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn what_comes_out_is_legal_and_short(target in any_target(), name in any_name()) {
            if let Some(escaped) = escape(&target, &name) {
                prop_assert!(escaped.len() <= 255);
                prop_assert!(windows::holds(&escaped) || target.alphabet == Alphabet::Bytes);
                prop_assert!(!escaped.contains(&b'/') && !escaped.contains(&0));
            } else {
                prop_assert!(target.alphabet != Alphabet::Windows || windows::holds(&name));
            }
        }

        #[test]
        fn it_is_reversible_but_for_names_that_were_cut(name in any_name()) {
            let escaped = escape(&Target::NARROWEST, &name);
            match escaped {
                // Nobody takes it for one that was spelled.
                None => prop_assert_eq!(unescape(&name), None),
                Some(escaped) => match unescape(&escaped) {
                    Some(back) => prop_assert_eq!(back, name),
                    None => prop_assert!(escaped.len() > 240, "{:?}", escaped),
                },
            }
        }

        #[test]
        fn no_two_names_get_one(one in any_name(), other in any_name()) {
            let copy = |name: &[u8]| escape(&Target::NARROWEST, name).unwrap_or(name.to_vec());
            prop_assert_eq!(copy(&one) == copy(&other), one == other);
            // Nor does a name collide with what another one was spelled, unless that was cut.
            let spelled = copy(&one);
            if spelled != one && unescape(&spelled).is_some() {
                prop_assert!(copy(&spelled) != spelled);
            }
        }
    }
}
