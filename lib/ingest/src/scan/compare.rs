//! Pure: one file's facts against its row.

use std::time::Duration;

use host::{Facts, Kind};
use store::manifest::{Known, RowKind};

/// How a file's facts stand to its row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing to do.
    None,
    /// Not known, or known as a tombstone or as another kind of thing.
    New,
    /// Known, with other facts or not trusted: its content decides.
    Facts,
    /// A link that is new or changed.
    Symlink,
}

/// Stamps this young, seen from when a file was read, don't prove that nothing was written after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Racy {
    window_ns: i64,
}

impl Racy {
    /// The window for stamps of a local file system (at most a kernel tick of 10 ms) or of any other.
    ///
    /// exFAT counts in 2 s; SMB servers and FUSE layers promise nothing finer.
    pub fn window(fine_stamps: bool) -> Racy {
        Racy { window_ns: if fine_stamps { 20_000_000 } else { 2_500_000_000 } }
    }

    /// True for the window of a local file system.
    pub fn is_fine(self) -> bool {
        self.window_ns < 100_000_000
    }

    /// How long to wait before reading a file with these facts, so that whatever is written
    /// meanwhile shows in its stamps; none where stamps are too coarse to wait for, or lie in
    /// a future that no wait reaches.
    pub fn settling(self, facts: &Facts, now_ns: i64) -> Option<Duration> {
        let is_near = self.newest(facts) <= now_ns.saturating_add(self.window_ns);
        (self.is_fine() && is_near && self.is_suspect(facts, now_ns))
            .then(|| Duration::from_nanos(self.window_ns.unsigned_abs()))
    }

    /// True if a file with these facts, read at `read_ns`, must be read again before it is called unchanged.
    pub fn is_suspect(self, facts: &Facts, read_ns: i64) -> bool {
        self.newest(facts) > read_ns.saturating_sub(self.window_ns)
    }

    /// The stamp that tells of the last write. A local file system's change time does so
    /// alone: anybody may set a modification time, for instance to one in the year 2100.
    fn newest(self, facts: &Facts) -> i64 {
        match facts.ctime_ns {
            Some(ctime_ns) if self.is_fine() => ctime_ns,
            other => other.unwrap_or(facts.mtime_ns).max(facts.mtime_ns),
        }
    }
}

/// Tells how an entry's facts stand to the row of its name.
pub fn compare(facts: &Facts, known: Option<&Known>) -> Change {
    let live = known.filter(|k| k.live);
    match (facts.kind, live) {
        (Kind::File, Some(k)) if k.kind == RowKind::File => {
            if same_facts(facts, k) && !k.suspect {
                Change::None
            } else {
                Change::Facts
            }
        }
        (Kind::File, _) => Change::New,
        (Kind::Symlink, Some(k)) if k.kind == RowKind::Symlink && same_facts(facts, k) => {
            Change::None
        }
        (Kind::Symlink, _) => Change::Symlink,
        (Kind::Folder | Kind::Special, _) => Change::None,
    }
}

fn same_facts(facts: &Facts, known: &Known) -> bool {
    facts.size == known.size
        && facts.mtime_ns == known.mtime_ns
        && facts.ctime_ns == known.ctime_ns
        && facts.file_id == known.file_id
}

#[cfg(test)]
mod tests {
    use super::{Change, Racy, compare};
    use host::Facts;
    use store::manifest::{Known, RowKind};

    fn facts() -> Facts {
        Facts {
            mtime_ns: 1_000,
            ctime_ns: Some(1_000),
            btime_ns: Some(900),
            file_id: 7,
            device: 1,
            ..Facts::plain(5)
        }
    }

    fn known() -> Known {
        Known {
            name: b"a".as_slice().into(),
            kind: RowKind::File,
            live: true,
            suspect: false,
            size: 5,
            mtime_ns: 1_000,
            ctime_ns: Some(1_000),
            file_id: 7,
            copy_mtime_ns: Some(1_000),
            copy_name: None,
        }
    }

    #[test]
    fn every_fact_counts() {
        assert_eq!(compare(&facts(), Some(&known())), Change::None);
        type Edit = fn(&mut Facts);
        let edits: [Edit; 4] =
            [|f| f.size = 6, |f| f.mtime_ns += 1, |f| f.ctime_ns = Some(2_000), |f| f.file_id = 8];
        for edit in edits {
            let mut edited = facts();
            edit(&mut edited);
            assert_eq!(compare(&edited, Some(&known())), Change::Facts);
        }
    }

    #[test]
    fn device_numbers_never_count_and_suspects_and_tombstones_are_looked_at() {
        assert_eq!(compare(&Facts { device: 99, ..facts() }, Some(&known())), Change::None);
        assert_eq!(compare(&facts(), Some(&Known { suspect: true, ..known() })), Change::Facts);
        assert_eq!(compare(&facts(), Some(&Known { live: false, ..known() })), Change::New);
        assert_eq!(compare(&facts(), None), Change::New);
    }

    #[test]
    fn young_and_future_stamps_are_suspect() {
        let later = 10_000_000_000;
        let to_come = Facts { mtime_ns: i64::MAX, ..facts() };
        for fine in [true, false] {
            let racy = Racy::window(fine);
            assert!(racy.is_suspect(&facts(), 1_000));
            assert!(racy.is_suspect(&Facts { ctime_ns: Some(i64::MAX), ..facts() }, later));
            assert!(racy.is_suspect(&Facts { ctime_ns: None, ..to_come.clone() }, later));
            assert!(!racy.is_suspect(&facts(), later));
            // Where the change time can be trusted, a person may set any other.
            assert_eq!(racy.is_suspect(&to_come, later), !fine);
        }
    }

    #[test]
    fn only_what_a_wait_can_settle_is_waited_for() {
        let racy = Racy::window(true);
        assert!(racy.settling(&facts(), 1_000).is_some());
        assert!(racy.settling(&facts(), 10_000_000_000).is_none());
        let to_come = Facts { ctime_ns: Some(3_600_000_000_000), ..facts() };
        assert!(racy.settling(&to_come, 1_000).is_none());
        assert!(Racy::window(false).settling(&facts(), 1_000).is_none());
    }
}
