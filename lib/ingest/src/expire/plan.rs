//! Pure: which versions the policy no longer keeps.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use model::config::Trash;
use serde::{Deserialize, Serialize};

use super::Version;

/// Why a version may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Older than `keep_age`.
    Age,
    /// There are `keep_versions` newer ones of the same path.
    Count,
    /// Together with the newer ones it is more than `max_bytes`.
    Bytes,
}

/// The versions to destroy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Their places in the list of versions, newest first.
    pub doomed: Vec<(usize, Why)>,
}

/// Tells which versions may go at this time.
pub fn plan(versions: &[Version], policy: &Trash, now: Timestamp) -> Plan {
    let mut newest_first: Vec<usize> = (0..versions.len()).collect();
    newest_first.sort_by(|a, b| {
        let key = |at: &usize| (versions[*at].put_away, &versions[*at].path);
        key(b).cmp(&key(a))
    });
    let age = SignedDuration::try_from(policy.keep_age.duration()).unwrap_or(SignedDuration::MAX);
    let mut seen: HashMap<_, u64> = HashMap::new();
    let mut kept_bytes = 0u64;
    let mut plan = Plan::default();
    for at in newest_first {
        let version = &versions[at];
        let newer = seen.entry(version.of_file()).or_default();
        *newer += 1;
        let bytes = kept_bytes.saturating_add(version.size);
        let why = if now.duration_since(version.put_away) > age {
            Some(Why::Age)
        } else if policy.keep_versions.is_some_and(|most| *newer > most) {
            Some(Why::Count)
        } else if policy.max_bytes.is_some_and(|most| bytes > most.bytes()) {
            Some(Why::Bytes)
        } else {
            None
        };
        match why {
            Some(why) => plan.doomed.push((at, why)),
            None => kept_bytes = bytes,
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::{Version, Why, plan};
    use jiff::{SignedDuration, Timestamp};
    use model::config::{Period, Size, Trash};
    use model::relpath::RelPath;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn version(path: &str, days_ago: i64, size: u64) -> Version {
        let put_away = NOW.saturating_sub(SignedDuration::from_hours(24 * days_ago)).unwrap();
        let path = RelPath::new(format!("date/run{days_ago}/{path}")).unwrap();
        Version { path, put_away, size }
    }

    fn doomed(versions: &[Version], policy: &Trash) -> Vec<(usize, Why)> {
        plan(versions, policy, NOW).doomed
    }

    #[test]
    fn age_count_and_bytes_each_end_a_version() {
        let versions = [
            version("c/a", 1, 10),
            version("c/a", 2, 10),
            version("c/a", 100, 10),
            version("c/b", 3, 10),
        ];
        let keep = Trash {
            keep_age: Period::days(90),
            keep_versions: None,
            max_bytes: None,
            ..Trash::default()
        };
        assert_eq!(doomed(&versions, &keep), [(2, Why::Age)]);
        let one = Trash { keep_versions: Some(1), ..keep };
        assert_eq!(doomed(&versions, &one), [(1, Why::Count), (2, Why::Age)]);
        let small = Trash { max_bytes: Some(Size::new(20)), ..keep };
        assert_eq!(doomed(&versions, &small), [(3, Why::Bytes), (2, Why::Age)]);
    }
}
