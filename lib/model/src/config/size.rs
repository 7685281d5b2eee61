//! Sizes in bytes.

use std::fmt;
use std::str::FromStr;

use super::scalar::{BadValue, Scalar, scalars, split_unit, times};

/// A number of bytes: `10GB`, `5GiB`, `1.5TB`, `4096`.
///
/// `kB MB GB TB PB` are powers of 1000, `KiB MiB GiB TiB PiB` powers of 1024
/// (IEC 80000-13); a bare number, and `B`, are bytes. Letters count without case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Size(u64);

/// Largest first, so that the first that divides a size writes it shortest.
const UNITS: [(&str, u64); 11] = [
    ("PiB", 1 << 50),
    ("PB", 1_000_000_000_000_000),
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

impl Size {
    /// So many bytes.
    pub const fn new(bytes: u64) -> Size {
        Size(bytes)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Size, BadValue> {
        let (number, unit) = split_unit(text);
        let unit = if unit.is_empty() { "B" } else { unit };
        let known = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let bytes = known.and_then(|(_, bytes)| times(number, *bytes));
        bytes.map(Size).ok_or_else(|| BadValue::new::<Size>(text))
    }
}

impl Scalar for Size {
    const EXPECTED: &'static str = "a size in bytes, such as \"10GB\", \"5GiB\" or 4096";

    fn from_number(number: u64) -> Option<Size> {
        Some(Size(number))
    }
}

scalars!(Size);

impl fmt::Display for Size {
    /// The size in its largest unit that gives a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, unit): &&(&str, u64)| self.0 != 0 && self.0.is_multiple_of(*unit);
        match UNITS.iter().find(fits) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Size;
    use proptest::prelude::*;

    #[test]
    fn units_of_1000_and_1024_are_told_apart() {
        for (text, bytes) in [
            ("10GB", 10_000_000_000),
            ("5 GiB", 5_368_709_120),
            ("1.5tb", 1_500_000_000_000),
            ("4096", 4096),
            ("0", 0),
            ("7B", 7),
            ("1kB", 1000),
            ("1KiB", 1024),
        ] {
            assert_eq!(text.parse(), Ok(Size::new(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_says_what_one_looks_like() {
        for bad in ["", "GB", "-1GB", "1.0001kB", "10 parsecs", "1e9", "99999999999TB", "5G"] {
            let error = bad.parse::<Size>().unwrap_err().to_string();
            assert!(error.ends_with("such as \"10GB\", \"5GiB\" or 4096"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_size_written_is_read_back(bytes: u64, round in 0_u64..20_000) {
            for size in [Size::new(bytes), Size::new(round * 1_000_000_000), Size::new(round << 30)] {
                prop_assert_eq!(size.to_string().parse(), Ok(size));
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Size>();
        }
    }
}
