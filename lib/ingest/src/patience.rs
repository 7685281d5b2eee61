//! Patience: how long a run waits for files that can't be read now, and what it says when it gives up.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use host::clock::Clock;
use host::obstacle::{self, Obstacle};
use host::stop::Stop;
use model::config::Os;
use model::problem::{Code, Problem};

/// Why a file is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It changed while it was read.
    Changing,
    /// It could not be read.
    Obstacle(Obstacle),
}

/// The pause before the next try of one file, after so many tries; `None` to give up.
///
/// 100 ms, doubled each time: a file that changes is tried three times, one that is held or
/// not delivered six times within about three seconds, one that is refused once.
pub fn pause(reason: Reason, tries: u32) -> Option<Duration> {
    let most = match reason {
        Reason::Changing => 3,
        Reason::Obstacle(obstacle) if obstacle.may_pass() => 6,
        Reason::Obstacle(_) => 1,
    };
    (tries < most).then(|| Duration::from_millis(50 << tries.min(10)))
}

/// All pauses of a run together last at most so long: ten thousand locked files end it late, not never.
const OF_A_RUN: Duration = Duration::from_secs(60);
/// So many refusals, and no further file is brought in: whoever refuses one to this user refuses all.
const REFUSALS: u64 = 3;

/// What is left of a run's patience; shared by its threads.
#[derive(Debug)]
pub struct Patience {
    left_ms: AtomicU64,
    refusals: AtomicU64,
}

impl Default for Patience {
    fn default() -> Patience {
        let left_ms = u64::try_from(OF_A_RUN.as_millis()).unwrap_or(u64::MAX);
        Patience { left_ms: AtomicU64::new(left_ms), refusals: AtomicU64::new(0) }
    }
}

impl Patience {
    /// Waits before the next try; false to give up.
    pub fn wait(&self, reason: Reason, tries: u32, clock: &dyn Clock, stop: &Stop) -> bool {
        let Some(pause) = pause(reason, tries) else { return false };
        let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let take = |left: u64| left.checked_sub(ms);
        if self.left_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return false;
        }
        let slice = Duration::from_millis(50);
        let mut left = pause;
        while !left.is_zero() && !stop.asked() {
            clock.sleep(left.min(slice));
            left = left.saturating_sub(slice);
        }
        !stop.asked()
    }

    /// Notes a refusal.
    pub fn refused(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    /// True once asking further files would only be refused as well.
    pub fn is_refused(&self) -> bool {
        self.refusals.load(Ordering::Relaxed) >= REFUSALS
    }
}

/// The problem of a file or folder of the source that can't be read.
pub fn problem(error: &host::Error) -> Problem {
    let what = format!("can't {}: {}", error.attempt, error.source);
    let code = match obstacle::of(&error.source) {
        Obstacle::Busy => Code::EntryBusy,
        Obstacle::NotDelivered => Code::EntryNotDelivered,
        Obstacle::Failing => Code::EntryFailing,
        Obstacle::Forbidden | Obstacle::Other => Code::EntryUnreadable,
    };
    let problem = Problem::new(code, what).at(error.path.as_path());
    match grant(Os::HERE, &error.source, &error.path) {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// Which grant lets this program read a place that the system keeps from programs, whatever its modes say.
///
/// macOS refuses those with EPERM, a file's modes with EACCES.
pub fn grant(os: Os, error: &std::io::Error, path: &Path) -> Option<String> {
    const EPERM: i32 = 1;
    if os != Os::Macos || error.raw_os_error() != Some(EPERM) {
        return None;
    }
    let text = path.to_string_lossy();
    let of_folder = [
        ("/Desktop", "the Desktop folder"),
        ("/Documents", "the Documents folder"),
        ("/Downloads", "the Downloads folder"),
        ("/Library/Mobile Documents", "iCloud Drive"),
        ("/Library/CloudStorage", "the cloud provider's files"),
    ];
    let named = of_folder.iter().find(|(part, _)| text.contains(part)).map(|(_, name)| *name);
    let folder =
        named.map(|name| format!(", or {name} under Files and Folders")).unwrap_or_default();
    Some(format!(
        "System Settings, Privacy & Security: grant the program that runs this Full Disk Access{folder}"
    ))
}

#[cfg(test)]
mod tests {
    use super::{OF_A_RUN, Patience, Reason, grant, pause};
    use host::clock::FixedClock;
    use host::obstacle::Obstacle;
    use host::stop::Stop;
    use model::config::Os;
    use std::path::Path;
    use std::time::Duration;

    fn all(reason: Reason) -> Vec<u128> {
        (1..).map_while(|tries| pause(reason, tries)).map(|pause| pause.as_millis()).collect()
    }

    #[test]
    fn pauses_double_and_end() {
        assert_eq!(all(Reason::Changing), [100, 200]);
        assert_eq!(all(Reason::Obstacle(Obstacle::Busy)), [100, 200, 400, 800, 1600]);
        assert_eq!(all(Reason::Obstacle(Obstacle::NotDelivered)).len(), 5);
        for never in [Obstacle::Forbidden, Obstacle::Other] {
            assert!(all(Reason::Obstacle(never)).is_empty());
        }
    }

    #[test]
    fn a_run_waits_no_longer_than_a_minute_in_all() {
        let patience = Patience::default();
        let (clock, stop) = (FixedClock(jiff::Timestamp::UNIX_EPOCH), Stop::default());
        let busy = Reason::Obstacle(Obstacle::Busy);
        let waited = (0..1000).filter(|_| patience.wait(busy, 4, &clock, &stop)).count();
        assert_eq!(Duration::from_millis(800) * u32::try_from(waited).unwrap(), OF_A_RUN);
        assert!(!patience.wait(busy, 1, &clock, &stop));
    }

    #[test]
    fn refusals_add_up() {
        let patience = Patience::default();
        patience.refused();
        patience.refused();
        assert!(!patience.is_refused());
        patience.refused();
        assert!(patience.is_refused());
    }

    #[test]
    fn macos_is_asked_for_the_grant_that_helps() {
        let error = std::io::Error::from_raw_os_error;
        for (os, errno, path, says) in [
            (
                Os::Macos,
                1,
                "/Users/u/Documents/a",
                Some("the Documents folder under Files and Folders"),
            ),
            (Os::Macos, 1, "/Users/u/Library/Mobile Documents/x", Some("iCloud Drive under")),
            (
                Os::Macos,
                1,
                "/Users/u/Library/CloudStorage/OneDrive-X",
                Some("the cloud provider's files"),
            ),
            (Os::Macos, 1, "/Users/u/work", Some("Full Disk Access")),
            (Os::Macos, 13, "/Users/u/Documents/a", None),
            (Os::Linux, 1, "/home/u/Documents/a", None),
        ] {
            let hint = grant(os, &error(errno), Path::new(path));
            match says {
                Some(words) => assert!(hint.is_some_and(|hint| hint.contains(words)), "{path}"),
                None => assert_eq!(hint, None),
            }
        }
    }
}
