//! A time as people type it: `2026-11-20T12:00:00Z`, `2026-11-20` (its beginning, in UTC), or `3d` ago.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use model::config::Period;
use model::problem::{Code, Problem};

/// A time that was typed, as it is meant at `now`.
///
/// # Errors
/// [`Code::Usage`] when it is none, or yet to come.
pub fn time(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let ago = |period: Period| {
        let length = SignedDuration::try_from(period.duration()).ok()?;
        now.saturating_sub(length).ok()
    };
    let day = || Timestamp::from_str(&format!("{text}T00:00:00Z")).ok();
    let time = Timestamp::from_str(text).ok().or_else(day);
    let time = time.or_else(|| Period::from_str(text).ok().and_then(ago));
    let usage = |what: String| {
        let hint = "give a time such as 2026-11-20T12:00:00Z, a date, or how long ago, such as 3d";
        Problem::new(Code::Usage, what).hint(hint)
    };
    match time {
        Some(time) if time > now => Err(usage(format!("{text} is yet to come"))),
        Some(time) => Ok(time),
        None => Err(usage(format!("{text:?} is no time"))),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::time;

    #[test]
    fn times_dates_and_lengths_are_understood() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (text, meant) in [
            ("2026-11-19T10:00:00+02:00", "2026-11-19T08:00:00Z"),
            ("2026-11-19", "2026-11-19T00:00:00Z"),
            ("3d", "2026-11-17T12:00:00Z"),
            ("90m", "2026-11-20T10:30:00Z"),
        ] {
            assert_eq!(time(text, now).unwrap().to_string(), meant);
        }
        for bad in ["", "yesterday", "2026-13-01", "2027-01-01", "-3d"] {
            assert!(time(bad, now).is_err(), "{bad}");
        }
    }
}
