//! Time, as a value that is passed in.

use std::time::Duration;

use jiff::Timestamp;

/// Tells the time; engines are given one and never ask the system themselves.
pub trait Clock: Sync + std::fmt::Debug {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;

    /// Waits; what waits in steps can be asked to stop in between.
    fn sleep(&self, length: Duration) {
        std::thread::sleep(length);
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still; for tests.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn sleep(&self, _length: Duration) {}
}
