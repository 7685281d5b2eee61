//! How single values are read: text of a known form, or where it has a meaning a whole number.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// Why a text is not a value of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct BadValue {
    text: String,
    expected: &'static str,
}

impl BadValue {
    pub(super) fn new<T: Scalar>(text: &str) -> BadValue {
        BadValue { text: text.to_owned(), expected: T::EXPECTED }
    }
}

/// A value type with a text form of its own.
pub(super) trait Scalar: FromStr<Err = BadValue> {
    /// What stands after "expected" and "is not"; with an example.
    const EXPECTED: &'static str;

    /// The value that a bare whole number stands for, where it stands for one.
    fn from_number(_number: u64) -> Option<Self> {
        None
    }
}

/// Reads a value from its text or number.
pub(super) fn read<'de, T: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(ScalarVisitor(PhantomData))
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: Scalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        let value = u64::try_from(number).ok().and_then(T::from_number);
        value.ok_or_else(|| E::invalid_type(Unexpected::Signed(number), &self))
    }
}

/// Makes value types readable from TOML.
macro_rules! scalars {
    ($($type:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<$type, D::Error> {
                crate::config::scalar::read(d)
            }
        }
    )+};
}
pub(super) use scalars;

/// Splits `1.5 GB` into its number and its unit.
pub(super) fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// A decimal number times a unit, if that is a whole number: `1.5` × 60 is 90.
pub(super) fn times(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let scaled = u128::from(whole.parse::<u64>().ok()?) * scale + fraction.parse::<u128>().ok()?;
    let product = scaled.checked_mul(u128::from(unit))?;
    (product % scale == 0).then(|| u64::try_from(product / scale).ok())?
}

#[cfg(test)]
mod tests {
    use super::{split_unit, times};

    #[test]
    fn decimals_count_only_where_they_come_out_whole() {
        assert_eq!(times("1.5", 60), Some(90));
        assert_eq!(times("0.0001", 10_000), Some(1));
        assert_eq!(times("18446744073709551615", 1), Some(u64::MAX));
        for (number, unit) in [("1.5", 1), ("", 1), (".5", 2), ("5.", 2), ("1.2.3", 1)] {
            assert_eq!(times(number, unit), None, "{number} x {unit}");
        }
        assert_eq!(times("18446744073709551616", 1), None);
        assert_eq!(times("18446744073709551615", 2), None);
    }

    #[test]
    fn a_unit_starts_where_the_number_ends() {
        assert_eq!(split_unit(" 1.5 GB "), ("1.5", "GB"));
        assert_eq!(split_unit("90s"), ("90", "s"));
        assert_eq!(split_unit("s"), ("", "s"));
    }
}
