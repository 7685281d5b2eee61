//! Shares of a whole, and free space given as either a size or a share.

use std::fmt;
use std::str::FromStr;

use super::scalar::{BadValue, Scalar, scalars, split_unit, times};
use super::size::Size;

/// A share of a whole from `0%` to `100%`, in steps of 0.0001 %.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Share(u32);

const PER_PERCENT: u32 = 10_000;

impl Share {
    /// So many whole percent, at most 100.
    pub const fn percent(percent: u32) -> Share {
        Share(if percent > 100 { 100 } else { percent } * PER_PERCENT)
    }

    /// True if `part` is more than this share of `whole`; never of an empty whole's nothing.
    pub fn exceeded_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(100 * PER_PERCENT) > u128::from(whole) * u128::from(self.0)
    }

    /// This share of a whole, rounded up.
    pub fn of(self, whole: u64) -> u64 {
        let share =
            (u128::from(whole) * u128::from(self.0)).div_ceil(u128::from(100 * PER_PERCENT));
        u64::try_from(share).unwrap_or(whole)
    }
}

impl FromStr for Share {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Share, BadValue> {
        let (number, unit) = split_unit(text);
        let parts = times(number, u64::from(PER_PERCENT)).filter(|_| unit == "%");
        let parts = parts.and_then(|p| u32::try_from(p).ok()).filter(|p| *p <= 100 * PER_PERCENT);
        parts.map(Share).ok_or_else(|| BadValue::new::<Share>(text))
    }
}

impl Scalar for Share {
    const EXPECTED: &'static str = "a share from \"0%\" to \"100%\", such as \"25%\" or \"0.5%\"";
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / PER_PERCENT, self.0 % PER_PERCENT);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{fraction:04}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}

/// Free space on a file system: a size, or a share of the file system's size.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Free {
    /// So many bytes.
    Bytes(Size),
    /// Such a share of the whole.
    Share(Share),
}

impl Free {
    /// The bytes this means on a file system of `total` bytes.
    pub fn bytes_of(self, total: u64) -> u64 {
        match self {
            Free::Bytes(size) => size.bytes(),
            Free::Share(share) => share.of(total),
        }
    }
}

impl FromStr for Free {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Free, BadValue> {
        let share = text.parse().map(Free::Share);
        share.or_else(|_| text.parse().map(Free::Bytes)).map_err(|_| BadValue::new::<Free>(text))
    }
}

impl Scalar for Free {
    const EXPECTED: &'static str = "a size or a share, such as \"5GB\" or \"1%\"";

    fn from_number(number: u64) -> Option<Free> {
        Some(Free::Bytes(Size::new(number)))
    }
}

impl fmt::Display for Free {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Free::Bytes(size) => size.fmt(f),
            Free::Share(share) => share.fmt(f),
        }
    }
}

scalars!(Share, Free);

#[cfg(test)]
mod tests {
    use super::{Free, Share};
    use crate::config::size::Size;
    use proptest::prelude::*;

    #[test]
    fn more_than_a_quarter_is_more_than_a_quarter() {
        let quarter = Share::percent(25);
        assert!(!quarter.exceeded_by(25, 100));
        assert!(quarter.exceeded_by(26, 100));
        assert!(quarter.exceeded_by(1, 0));
        assert!(!quarter.exceeded_by(0, 0));
        assert!(!Share::percent(100).exceeded_by(u64::MAX, u64::MAX));
        assert_eq!(quarter.of(10), 3);
        assert_eq!(Share::percent(100).of(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_share_is_written_with_its_sign_and_stays_within_the_whole() {
        assert_eq!("25 %".parse(), Ok(Share::percent(25)));
        assert_eq!("0.5%".parse::<Share>().unwrap().to_string(), "0.5%");
        for bad in ["", "25", "0.25", "101%", "100.0001%", "-1%", "%", "0.00001%"] {
            assert!(bad.parse::<Share>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn free_space_is_a_size_or_a_share() {
        assert_eq!("1%".parse::<Free>().unwrap().bytes_of(200), 2);
        assert_eq!("5GB".parse(), Ok(Free::Bytes(Size::new(5_000_000_000))));
        let error = "much".parse::<Free>().unwrap_err().to_string();
        assert_eq!(error, "\"much\" is not a size or a share, such as \"5GB\" or \"1%\"");
    }

    proptest! {
        #[test]
        fn a_share_written_is_read_back(parts in 0_u32..=1_000_000) {
            prop_assert_eq!(Share(parts).to_string().parse(), Ok(Share(parts)));
            let free = Free::Share(Share(parts));
            prop_assert_eq!(free.to_string().parse(), Ok(free));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Free>();
        }
    }
}
