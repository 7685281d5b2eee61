//! Fresh ids.

use uuid::Uuid;

/// A fresh UUIDv7 (RFC 9562): sorts by time, for events, segments and runs.
pub fn ordered() -> Uuid {
    Uuid::now_v7()
}

/// A fresh UUIDv7 that sorts after another, also where the clock was set back since.
pub fn ordered_after(other: Uuid) -> Uuid {
    ordered().max(Uuid::from_u128(other.as_u128().saturating_add(1)))
}

/// A fresh random UUIDv4 (RFC 9562): for volumes and devices, tells no time.
pub fn random() -> Uuid {
    Uuid::new_v4()
}

#[cfg(test)]
mod tests {
    use super::{ordered, ordered_after};
    use uuid::Uuid;

    #[test]
    fn ids_go_on_after_one_of_a_time_to_come() {
        let now = ordered();
        assert!(ordered_after(now) > now);
        let to_come = Uuid::from_u128(now.as_u128() + (1 << 120));
        let next = ordered_after(to_come);
        assert!(next > to_come && ordered_after(next) > next);
        assert_eq!(next.get_version_num(), 7);
    }
}
