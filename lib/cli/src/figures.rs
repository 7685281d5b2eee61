//! Figures as people read them.

use std::time::Duration;

const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// A number of bytes in decimal units, as disks are sold: `999 B`, `1.5 kB`, `2.0 TB`.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        // 999.95 would be printed as 1000.0.
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// A part of a whole, both in the whole's unit: `5.8 of 54.0 GB`.
pub fn part(part: u64, whole: u64) -> String {
    let (of, in_part) = (bytes(whole), bytes(part));
    match (of.split_once(' '), in_part.split_once(' ')) {
        (Some((_, unit)), Some((number, same))) if unit == same => format!("{number} of {of}"),
        _ => format!("{in_part} of {of}"),
    }
}

/// A length of time in its two largest units: `40 ms`, `3.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub fn period(period: Duration) -> String {
    let seconds = period.as_secs();
    let pair = |large: u64, unit: &str, small: u64, below: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {below}"),
    };
    match seconds {
        0 => format!("{} ms", period.as_millis()),
        1..10 => format!("{:.1} s", period.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// A count with its noun: `1 file`, `2 files`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{bytes, part, period};
    use std::time::Duration;

    #[test]
    fn bytes_are_short_and_never_a_thousand_of_a_unit() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_999, "1.0 MB"),
            (2_000_000_000_000, "2.0 TB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn a_part_says_its_unit_where_it_has_another() {
        for (of, whole, text) in [
            (5_800_000_000, 54_000_000_000, "5.8 of 54.0 GB"),
            (800_000_000, 54_000_000_000, "800.0 MB of 54.0 GB"),
            (0, 0, "0 of 0 B"),
        ] {
            assert_eq!(part(of, whole), text);
        }
    }

    #[test]
    fn periods_have_at_most_two_units() {
        for (ms, text) in [
            (340, "340 ms"),
            (3_440, "3.4 s"),
            (12_900, "12 s"),
            (200_000, "3 min 20 s"),
            (7_500_000, "2 h 5 min"),
            (86_400_000, "1 d"),
        ] {
            assert_eq!(period(Duration::from_millis(ms)), text);
        }
    }
}
