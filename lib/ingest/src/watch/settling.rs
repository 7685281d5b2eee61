//! Pure: what an inbox was left with, and when to look at it again. The clock is handed in.
//!
//! Nobody tells when a file was left alone for long enough, so whoever left one for later
//! comes back by itself once it may be settled.

use std::collections::BTreeMap;
use std::time::Duration;

use super::pending::Moment;
use crate::scope::Folders;

/// No two looks come closer than this, however soon things settle.
const SHORTEST: Duration = Duration::from_millis(500);
/// What does not settle, as a file that stays open, is looked at again at least this often,
/// unless things take longer than this to settle.
const LONGEST: Duration = Duration::from_secs(60);
/// Looks so close together, as a part of the time to settle, are one.
const CLOSE: u32 = 16;

/// The looks that are to come.
#[derive(Debug, Default)]
pub(super) struct Settling {
    at: BTreeMap<Moment, Folders>,
    /// True from when a look is due until a run made it.
    is_look: bool,
    /// How many looks brought nothing in, one after the other.
    in_vain: u32,
}

impl Settling {
    /// When the next look is due.
    pub fn wake_at(&self) -> Option<Moment> {
        self.at.keys().next().copied()
    }

    /// What is to be looked at by now.
    pub fn due(&mut self, now: Moment) -> Folders {
        let mut due = Folders::new();
        while let Some(first) = self.at.first_entry().filter(|first| *first.key() <= now) {
            due.merge(first.remove());
            self.is_look = true;
        }
        due
    }

    /// A run looked at these folders: whether it left files to settle, and brought any in.
    pub fn ran(
        &mut self,
        folders: &Folders,
        left: bool,
        brought: bool,
        (now, settle): (Moment, Duration),
    ) {
        let was_look = std::mem::take(&mut self.is_look);
        if brought || !left {
            self.in_vain = 0;
        } else if was_look {
            self.in_vain += 1;
        }
        if !left {
            return;
        }
        let settle = settle.max(SHORTEST);
        // What was heard of just now is no matter of what did not settle before.
        let times = if was_look { 1 << self.in_vain.min(16) } else { 1 };
        let wait = settle.saturating_mul(times).min(LONGEST.max(settle));
        let step = (settle / CLOSE).as_nanos();
        let at = now.saturating_add(wait).as_nanos().div_ceil(step) * step;
        let at = u64::try_from(at).map_or(Moment::MAX, Duration::from_nanos);
        self.at.entry(at).or_default().merge(folders.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::{Folders, Moment, Settling};
    use model::relpath::RelPath;
    use std::time::Duration;

    const SETTLE: Duration = Duration::from_secs(16);

    fn folder(path: &str) -> Folders {
        std::iter::once((RelPath::new(path).unwrap(), false)).collect()
    }

    fn s(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_left_is_looked_at_again_once_it_may_be_settled() {
        let mut settling = Settling::default();
        settling.ran(&folder("a"), true, false, (s(100), SETTLE));
        settling.ran(&folder("b"), true, true, (s(110), SETTLE));
        settling.ran(&folder("c"), false, true, (s(111), SETTLE));
        assert_eq!(settling.wake_at(), Some(s(116)));
        assert!(settling.due(s(115)).is_empty());
        assert_eq!(settling.due(s(116)), folder("a"));
        settling.ran(&folder("a"), false, true, (s(117), SETTLE));
        assert_eq!(settling.wake_at(), Some(s(126)));
        assert_eq!(settling.due(s(200)), folder("b"));
        assert_eq!(settling.wake_at(), None);
    }

    #[test]
    fn many_looks_are_few() {
        let mut settling = Settling::default();
        for n in 0..10_000 {
            settling.ran(&folder("a"), true, true, (Duration::from_millis(n), SETTLE));
        }
        assert!(settling.at.len() <= 11, "{}", settling.at.len());
        settling.ran(&folder("a"), true, true, (s(0), Duration::MAX));
        settling.ran(&folder("a"), true, true, (s(0), Duration::ZERO));
    }

    #[test]
    fn what_never_settles_is_looked_at_less_often_and_holds_up_nothing_new() {
        let mut settling = Settling::default();
        let mut now = s(0);
        settling.ran(&folder("open"), true, false, (now, SETTLE));
        for wait in [32, 60, 60, 60] {
            now = settling.wake_at().unwrap();
            assert_eq!(settling.due(now), folder("open"));
            settling.ran(&folder("open"), true, false, (now, SETTLE));
            assert_eq!(settling.wake_at(), Some(now + s(wait)));
        }
        settling.ran(&folder("new"), true, false, (now, SETTLE));
        assert_eq!(settling.wake_at(), Some(now + SETTLE));
    }
}
