//! The names that things of one name get when they arrive one after the other.

/// More of one name than this are too many to tell apart.
pub const MOST: u32 = 100_000;

/// File systems hold at most this many bytes in a name.
const NAME: usize = 255;

/// The name of the nth thing of this name: `scan.pdf`, `scan (2).pdf`, `scan (3).pdf`, …
///
/// A name that would become too long loses bytes before its number, whole characters of them.
pub fn numbered(name: &[u8], nth: u32) -> Vec<u8> {
    if nth <= 1 {
        return name.to_owned();
    }
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0);
    // What is long and follows a dot is no extension.
    let dot = dot.filter(|at| name.len() - at <= 16).unwrap_or(name.len());
    let (stem, extension) = name.split_at(dot);
    let number = format!(" ({nth})");
    let mut length = stem.len().min(NAME - number.len() - extension.len());
    while length > 0 && length < stem.len() && stem[length] & 0xC0 == 0x80 {
        length -= 1;
    }
    [&stem[..length], number.as_bytes(), extension].concat()
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn the_number_stands_before_the_extension_and_the_name_stays_short_enough() {
        for (name, nth, is) in [
            ("scan.pdf", 1, "scan.pdf"),
            ("scan.pdf", 2, "scan (2).pdf"),
            ("scan", 12, "scan (12)"),
            (".hidden", 2, ".hidden (2)"),
            ("a.tar.gz", 2, "a.tar (2).gz"),
            ("Mr. Somebody's letter", 2, "Mr. Somebody's letter (2)"),
        ] {
            assert_eq!(numbered(name.as_bytes(), nth), is.as_bytes());
        }
        let long = "ö".repeat(127);
        let cut = numbered(long.as_bytes(), 2);
        assert!(cut.len() <= 255 && std::str::from_utf8(&cut).unwrap().ends_with("ö (2)"));
    }
}
