//! Pure: what a file system may take for the same name.

use unicode_normalization::UnicodeNormalization;

/// What all names have in common that some file system takes for one: case, Unicode form
/// and characters that are not seen make no difference.
///
/// No two file systems fold alike. This is coarser than each, which costs a name that was
/// kept apart in vain no more than a few digits.
pub fn fold(name: &[u8]) -> Vec<u8> {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let mut folded = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        let chars = chunk.valid().nfd().flat_map(fold_char).nfd();
        let text: String = chars.filter(|c| !is_ignorable(*c)).collect();
        folded.extend_from_slice(text.as_bytes());
        folded.extend_from_slice(chunk.invalid());
    }
    folded
}

/// Down, up and down again: so `ẞ`, `ß` and `SS` meet, and the final sigma meets its like.
fn fold_char(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Characters that HFS+ and case-folding ext4 skip (Default_Ignorable_Code_Point).
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn twins_meet_and_others_do_not() {
        for (one, other) in [
            ("README", "ReadMe"),
            ("Ä.txt", "a\u{308}.TXT"),
            ("ẞ", "ss"),
            ("ΟΔΟΣ", "οδος"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("\u{212a}", "k"),
            ("\u{1e69}", "s\u{307}\u{323}"),
        ] {
            assert_eq!(fold(one.as_bytes()), fold(other.as_bytes()), "{one} {other}");
        }
        assert_ne!(fold(b"a"), fold(b"b"));
        assert_ne!(fold(b"a\xff"), fold(b"a\xfe"));
    }

    #[test]
    fn no_single_change_of_case_makes_another_name_of_any_character() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let folded = fold(c.to_string().as_bytes());
            for other in [c.to_uppercase().to_string(), c.to_lowercase().to_string()] {
                assert_eq!(fold(other.as_bytes()), folded, "{c:?} {other:?}");
            }
        }
    }
}
