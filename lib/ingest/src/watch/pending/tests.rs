use std::time::Duration;

use model::relpath::RelPath;
use proptest::prelude::*;

use super::{Heard, Moment, Pending, Timing};

const TIMING: Timing = Timing {
    grace: Duration::from_millis(20),
    folder_grace: Duration::from_millis(100),
    gather: Duration::from_millis(500),
    quiet: Duration::from_secs(5),
    longest: Duration::from_secs(60),
};

fn at(path: &str) -> RelPath {
    RelPath::new(path).unwrap()
}

fn ms(ms: u64) -> Moment {
    Duration::from_millis(ms)
}

fn folders(pending: &mut Pending, now: Moment) -> Vec<String> {
    let batch = pending.take(now);
    batch
        .folders
        .iter()
        .map(|(path, below)| format!("{path}{}", if below { "/…" } else { "" }))
        .collect()
}

#[test]
fn a_closed_file_is_due_after_a_moment() {
    let mut pending = Pending::new(TIMING);
    pending.hear(Heard::Written(at("a/f")), ms(0));
    pending.hear(Heard::Ended(at("a/f")), ms(10));
    assert!(!pending.is_due(ms(29)));
    assert_eq!(pending.wake_at(), Some(ms(30)));
    assert!(pending.is_due(ms(30)));
    assert_eq!(folders(&mut pending, ms(30)), ["a"]);
    assert!(pending.is_empty() && pending.wake_at().is_none());
}

#[test]
fn a_file_that_is_being_written_waits_and_holds_up_no_other() {
    let mut pending = Pending::new(TIMING);
    pending.hear(Heard::Written(at("a/slow")), ms(0));
    pending.hear(Heard::Ended(at("a/quick")), ms(1));
    let batch = pending.take(ms(40));
    assert_eq!(batch.unsettled.into_iter().collect::<Vec<_>>(), [at("a/slow")]);
    assert!(batch.folders.covers(&at("a"), false));
    pending.hear(Heard::Written(at("a/slow")), ms(4_000));
    assert!(!pending.is_due(ms(8_999)));
    assert!(pending.is_due(ms(9_000)));
    assert!(pending.take(ms(9_000)).unsettled.is_empty());
}

#[test]
fn a_file_that_never_rests_is_taken_in_and_then_left_alone_for_longer_each_time() {
    let mut pending = Pending::new(TIMING);
    let mut taken = Vec::new();
    for second in 0..400 {
        let now = Duration::from_secs(second);
        pending.hear(Heard::Written(at("log")), now);
        if pending.is_due(now) {
            assert!(pending.take(now).unsettled.is_empty());
            taken.push(second);
        }
    }
    assert_eq!(taken, [60, 181], "at 422 again");
}

#[test]
fn a_burst_is_gathered_but_not_for_ever() {
    let mut pending = Pending::new(TIMING);
    let due = (0..100u64).find(|n| {
        pending.hear(Heard::Ended(at(&format!("f/{n}"))), ms(n * 10));
        pending.is_due(ms(n * 10))
    });
    assert_eq!(due, Some(50));
}

#[test]
fn what_left_is_not_waited_for_and_a_folder_takes_its_writers_along() {
    let mut pending = Pending::new(TIMING);
    pending.hear(Heard::Written(at("d/e/f")), ms(0));
    pending.hear(Heard::Written(at("d-e/f")), ms(0));
    pending.hear(Heard::Left(at("d")), ms(1));
    let batch = pending.take(ms(30));
    assert_eq!(batch.unsettled.into_iter().collect::<Vec<_>>(), [at("d-e/f")]);
    assert_eq!(batch.folders.iter().next(), Some((&RelPath::root(), false)));
}

#[test]
fn lost_events_and_too_many_folders_put_everything_in_doubt() {
    let mut pending = Pending::new(TIMING);
    pending.hear(Heard::Lost, ms(0));
    pending.hear(Heard::Ended(at("a/b")), ms(0));
    assert_eq!(folders(&mut pending, ms(200)), ["/…"]);
    for n in 0..=super::FOLDERS {
        pending.hear(Heard::Ended(at(&format!("{n}/f"))), ms(300));
    }
    assert_eq!(folders(&mut pending, ms(900)), ["/…"]);
}

#[test]
fn too_many_writers_are_settled_rather_than_remembered() {
    let mut pending = Pending::new(TIMING);
    for n in 0..=super::WRITERS {
        pending.hear(Heard::Written(at(&format!("d/{n}"))), ms(0));
    }
    assert_eq!(folders(&mut pending, ms(30)), ["d"]);
}

fn heard() -> impl Strategy<Value = Heard> {
    let path = "[ab](/[ab]){0,2}".prop_map(|path| at(&path));
    (path, 0..6u8).prop_map(|(path, kind)| match kind {
        0 | 1 => Heard::Written(path),
        2 => Heard::Ended(path),
        3 => Heard::Facts(path),
        4 => Heard::Left(path),
        _ => Heard::Folder(path),
    })
}

proptest! {
    /// Whatever is heard, its folder is in a batch at last, and with the file itself settled.
    #[test]
    fn nothing_that_is_heard_is_forgotten(
        heard in prop::collection::vec((heard(), 0..3_000u64), 1..40),
    ) {
        let mut pending = Pending::new(TIMING);
        let mut now = ms(0);
        let mut looked_at: Vec<(Moment, super::Batch)> = Vec::new();
        let mut said = Vec::new();
        let mut go_to = |pending: &mut Pending, until: Option<Moment>| {
            while let Some(at) = pending.wake_at().filter(|at| until.is_none_or(|until| *at <= until)) {
                if pending.is_due(at) {
                    looked_at.push((at, pending.take(at)));
                }
            }
        };
        for (heard, pause) in heard {
            let next = now + ms(pause);
            go_to(&mut pending, Some(next));
            now = next;
            pending.hear(heard.clone(), now);
            said.push((now, heard));
        }
        go_to(&mut pending, None);
        prop_assert!(pending.is_empty());
        for (when, heard) in said {
            let (path, folder_itself) = match &heard {
                Heard::Folder(path) => (path, true),
                Heard::Written(p) | Heard::Ended(p) | Heard::Facts(p) | Heard::Left(p) => (p, false),
                Heard::FolderFacts(_) | Heard::Lost => continue,
            };
            let folder = if folder_itself { path.clone() } else { path.split().unwrap().0 };
            let found = looked_at.iter().find(|(at, batch)| {
                *at >= when
                    && batch.folders.covers(&folder, folder_itself)
                    && (folder_itself || !batch.unsettled.contains(path))
            });
            prop_assert!(found.is_some(), "{heard:?} at {when:?}");
        }
    }
}
