//! Fresh ids.

use uuid::Uuid;

/// A fresh UUIDv7 (RFC 9562): sorts by time, for events, segments and runs.
pub fn ordered() -> Uuid {
    Uuid::now_v7()
}

/// A fresh random UUIDv4 (RFC 9562): for volumes and devices, tells no time.
pub fn random() -> Uuid {
    Uuid::new_v4()
}
