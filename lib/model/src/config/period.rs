//! Lengths of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::scalar::{BadValue, Scalar, scalars, split_unit, times};

/// A length of time in whole seconds: `90s`, `15m`, `26h`, `30d`, `2w`.
///
/// `m` is minutes; a day is 24 hours and a week 7 days, whatever the calendar says.
/// A number without a unit is refused, since nobody could tell what it counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Period(u64);

/// Units with their seconds, largest first.
const UNITS: [(&str, u64); 5] =
    [("w", 7 * 86_400), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl Period {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Period {
        Period(seconds)
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Period {
        Period(hours * 3_600)
    }

    /// So many days of 24 hours.
    pub const fn days(days: u64) -> Period {
        Period(days * 86_400)
    }

    /// The number of seconds.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// The same as the standard library's type.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl FromStr for Period {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Period, BadValue> {
        let (number, unit) = split_unit(text);
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let seconds = known.and_then(|(_, seconds)| times(number, *seconds));
        // A clock counts signed nanoseconds: what is longer than its range can't be waited for.
        let sane = seconds.filter(|s| *s <= i64::MAX.unsigned_abs() / 1_000_000_000);
        sane.map(Period).ok_or_else(|| BadValue::new::<Period>(text))
    }
}

impl Scalar for Period {
    const EXPECTED: &'static str =
        "a length of time with its unit (s, m, h, d or w), such as \"26h\" or \"30d\"";
}

scalars!(Period);

impl fmt::Display for Period {
    /// The period in its largest unit, up to days, that gives a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, unit): &&(&str, u64)| self.0 != 0 && self.0.is_multiple_of(*unit);
        match UNITS[1..].iter().find(fits) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Period;
    use proptest::prelude::*;

    #[test]
    fn every_unit_is_understood() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("26h", 93_600), ("30d", 2_592_000), ("2w", 1_209_600)]
        {
            assert_eq!(text.parse(), Ok(Period::seconds(seconds)), "{text}");
        }
        assert_eq!("1.5h".parse(), Ok(Period::seconds(5_400)));
        assert_eq!(Period::hours(24).to_string(), "1d");
        assert_eq!(Period::seconds(0).to_string(), "0s");
    }

    #[test]
    fn a_number_without_a_unit_is_refused() {
        for bad in ["", "26", "h", "-1h", "1 month", "1H", "1h30m", "99999999999d", "0.1s"] {
            assert!(bad.parse::<Period>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_period_written_is_read_back(seconds in 0_u64..9_000_000_000, days in 0_u64..100_000) {
            for period in [Period::seconds(seconds), Period::days(days)] {
                prop_assert_eq!(period.to_string().parse(), Ok(period));
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Period>();
        }
    }
}
