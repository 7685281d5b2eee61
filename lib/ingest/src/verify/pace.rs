//! A bounded rate: reading waits until what was read before has had its time.

use std::time::Duration;

use host::clock::Clock;
use host::stop::Stop;
use jiff::{SignedDuration, Timestamp};

/// The longest wait in one piece: in between a stop is noticed.
const STEP: Duration = Duration::from_millis(100);

/// Lets through so many bytes a second, in any stretch of time.
pub(super) struct Pace<'a> {
    clock: &'a dyn Clock,
    stop: &'a Stop,
    rate: u64,
    /// When the next bytes may come.
    free: Timestamp,
}

impl<'a> Pace<'a> {
    pub fn new(clock: &'a dyn Clock, stop: &'a Stop, rate: u64) -> Pace<'a> {
        Pace { clock, stop, rate: rate.max(1), free: clock.now() }
    }

    /// Waits until so many bytes that were just read have had their time.
    ///
    /// Time in which nothing was read is not made up for: a rate that was saved up would
    /// be a burst, and a clock that was set back would stop the work.
    pub fn spent(&mut self, bytes: u64) {
        let took = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate);
        let took = SignedDuration::from_nanos(i64::try_from(took).unwrap_or(i64::MAX));
        let now = self.clock.now();
        let is_sane = self.free.duration_since(now) <= SignedDuration::from_secs(60);
        let from = if is_sane { self.free.max(now) } else { now };
        self.free = from.saturating_add(took).unwrap_or(Timestamp::MAX);
        while !self.stop.asked() {
            let left = self.free.duration_since(self.clock.now());
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            self.clock.sleep(left.min(STEP));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use host::clock::Clock;
    use host::stop::Stop;
    use jiff::Timestamp;

    use super::Pace;

    #[derive(Debug)]
    struct Hand(Mutex<Timestamp>);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }

        fn sleep(&self, length: Duration) {
            let mut now = self.0.lock().unwrap();
            *now = now.checked_add(length).unwrap();
        }
    }

    #[test]
    fn no_second_has_more_than_its_share_whatever_was_saved_up() {
        let clock = Hand(Mutex::new(Timestamp::UNIX_EPOCH));
        let stop = Stop::never();
        let mut pace = Pace::new(&clock, &stop, 1000);
        clock.sleep(Duration::from_secs(3600));
        let began = clock.now();
        for piece in 1..=50u64 {
            pace.spent(100);
            let ms = u64::try_from(clock.now().duration_since(began).as_millis()).unwrap();
            assert!(piece * 100 <= ms + 1, "{} bytes in {ms} ms", piece * 100);
        }
        assert_eq!(clock.now().duration_since(began).as_secs(), 5);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_the_work() {
        let clock = Hand(Mutex::new(Timestamp::from_second(100_000).unwrap()));
        let stop = Stop::never();
        let mut pace = Pace::new(&clock, &stop, 1000);
        *clock.0.lock().unwrap() = Timestamp::UNIX_EPOCH;
        pace.spent(1000);
        assert_eq!(clock.now().as_second(), 1);
    }
}
