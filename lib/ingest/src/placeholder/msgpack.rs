//! Numbers out of a MessagePack map (github.com/msgpack/msgpack, spec.md), which is all that is wanted of one.

/// The unsigned number that a map has under a key; `None` where it has none or is broken.
pub fn number(bytes: &[u8], key: &[u8]) -> Option<u64> {
    let mut rest = bytes;
    let pairs = match take(&mut rest, 1)?[0] {
        head @ 0x80..=0x8f => u64::from(head & 0x0f),
        0xde => big_endian(take(&mut rest, 2)?),
        _ => return None,
    };
    for _ in 0..pairs {
        let found = text(&mut rest)? == key;
        let value = value(&mut rest)?;
        if found {
            return value;
        }
    }
    None
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = match take(rest, 1)?[0] {
        head @ 0xa0..=0xbf => u64::from(head & 0x1f),
        0xd9 => big_endian(take(rest, 1)?),
        0xda => big_endian(take(rest, 2)?),
        _ => return None,
    };
    take(rest, usize::try_from(length).ok()?)
}

/// Goes past a value; tells it when it is an unsigned number.
fn value(rest: &mut &[u8]) -> Option<Option<u64>> {
    let number = match rest.first()? {
        head @ 0x00..=0x7f => u64::from(*head),
        0xcc..=0xcf => {
            let length = 1usize << (rest[0] - 0xcc);
            return Some(take(rest, 1 + length).map(|bytes| big_endian(&bytes[1..])));
        }
        0xc0 | 0xc2 | 0xc3 => return take(rest, 1).map(|_| None),
        _ => return text(rest).map(|_| None),
    };
    take(rest, 1).map(|_| Some(number))
}

#[cfg(test)]
mod tests {
    use super::number;
    use proptest::prelude::*;

    /// `{"etag":"e","fileid":"f","size":70000,"state":1,"pinstate":1}`, as nlohmann::json packs it.
    const DATA: &[u8] = b"\x85\xa4etag\xa1e\xa6fileid\xa1f\xa4size\xce\x00\x01\x11\x70\xa5state\x01\xa8pinstate\x01";

    #[test]
    fn numbers_are_found_by_their_keys() {
        for (key, found) in [
            (b"size".as_slice(), Some(70_000)),
            (b"state", Some(1)),
            (b"etag", None),
            (b"none", None),
        ] {
            assert_eq!(number(DATA, key), found, "{}", key.escape_ascii());
        }
        for length in [4u32, 8] {
            let wide = [
                &[0x81, 0xa1, b'n', 0xcc + length.ilog2() as u8][..],
                &vec![0; length as usize - 1],
                &[9],
            ]
            .concat();
            assert_eq!(number(&wide, b"n"), Some(9));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>, cut in 0..DATA.len()) {
            number(&bytes, b"size");
            number(&DATA[..cut], b"pinstate");
        }
    }
}
