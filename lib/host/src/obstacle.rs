//! What stands between a program and a file of a source: whether it passes by itself, and who can do what about it.

use std::io;

/// Why a file or folder of a source can't be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// The system refuses this user or this program; trying again changes nothing.
    Forbidden,
    /// Another program holds it, or is writing it.
    Busy,
    /// Its content is elsewhere, and whoever is to bring it in did not.
    NotDelivered,
    /// The disk, or whoever stands for one, failed.
    Failing,
    /// Anything else.
    Other,
}

impl Obstacle {
    /// True if a little patience may help.
    pub fn may_pass(self) -> bool {
        matches!(self, Obstacle::Busy | Obstacle::NotDelivered | Obstacle::Failing)
    }
}

/// What stands in the way, by the system's reason.
pub fn of(error: &io::Error) -> Obstacle {
    match by_kind(error.kind()) {
        Obstacle::Other => error.raw_os_error().map_or(Obstacle::Other, by_code),
        known => known,
    }
}

fn by_kind(kind: io::ErrorKind) -> Obstacle {
    use io::ErrorKind as K;
    match kind {
        K::PermissionDenied => Obstacle::Forbidden,
        // EBUSY, ETXTBSY, EWOULDBLOCK.
        K::ResourceBusy | K::ExecutableFileBusy | K::WouldBlock => Obstacle::Busy,
        // EDEADLK is what macOS says where it may not bring a dataless file in; ETIMEDOUT what
        // its file providers say when they gave up.
        K::Deadlock | K::TimedOut => Obstacle::NotDelivered,
        _ => Obstacle::Other,
    }
}

/// By the number of an error that has no kind of its own.
fn by_code(code: i32) -> Obstacle {
    if cfg!(windows) { by_windows(code) } else { by_errno(code) }
}

/// EIO is 5 on every Unix.
fn by_errno(code: i32) -> Obstacle {
    if code == 5 { Obstacle::Failing } else { Obstacle::Other }
}

/// Numbers of winerror.h.
fn by_windows(code: i32) -> Obstacle {
    match code {
        // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_CLOUD_FILE_IN_USE.
        32 | 33 | 391 => Obstacle::Busy,
        // ERROR_CLOUD_FILE_ACCESS_DENIED, and …_AUTHENTICATION_FAILED: the system's own account may not recall.
        386 | 395 => Obstacle::Forbidden,
        // …_PROVIDER_NOT_RUNNING, _INSUFFICIENT_RESOURCES, _NETWORK_UNAVAILABLE, _UNSUCCESSFUL,
        // _REQUEST_ABORTED, _REQUEST_CANCELED, _PROVIDER_TERMINATED, _REQUEST_TIMEOUT.
        362 | 387 | 388 | 389 | 393 | 398 | 404 | 426 => Obstacle::NotDelivered,
        // ERROR_CRC, ERROR_IO_DEVICE.
        23 | 1117 => Obstacle::Failing,
        _ => Obstacle::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Obstacle, by_errno, by_windows};

    #[test]
    #[cfg(target_os = "linux")]
    fn errors_of_linux() {
        for (errno, obstacle) in [
            (1, Obstacle::Forbidden),
            (13, Obstacle::Forbidden),
            (11, Obstacle::Busy),
            (16, Obstacle::Busy),
            (26, Obstacle::Busy),
            (35, Obstacle::NotDelivered),
            (110, Obstacle::NotDelivered),
            (5, Obstacle::Failing),
            (2, Obstacle::Other),
            (21, Obstacle::Other),
        ] {
            let error = std::io::Error::from_raw_os_error(errno);
            assert_eq!(super::of(&error), obstacle, "{error}");
        }
        assert_eq!(super::of(&std::io::Error::other("x")), Obstacle::Other);
    }

    #[test]
    fn numbers_without_a_kind() {
        assert_eq!((by_errno(5), by_errno(6)), (Obstacle::Failing, Obstacle::Other));
        for (code, obstacle) in [
            (32, Obstacle::Busy),
            (33, Obstacle::Busy),
            (391, Obstacle::Busy),
            (395, Obstacle::Forbidden),
            (362, Obstacle::NotDelivered),
            (426, Obstacle::NotDelivered),
            (1117, Obstacle::Failing),
            (2, Obstacle::Other),
        ] {
            assert_eq!(by_windows(code), obstacle, "{code}");
        }
    }

    #[test]
    fn a_refusal_does_not_pass() {
        for (obstacle, passes) in [
            (Obstacle::Forbidden, false),
            (Obstacle::Busy, true),
            (Obstacle::NotDelivered, true),
            (Obstacle::Failing, true),
            (Obstacle::Other, false),
        ] {
            assert_eq!(obstacle.may_pass(), passes);
        }
    }
}
