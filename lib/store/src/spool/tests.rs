use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use host::Dir;
use host::clock::{Clock, FixedClock, SystemClock};
use model::device::Device;
use model::event::Event;
use model::problem::Code;
use model::sentinel::{Pillar, Sentinel};

use super::{Outbox, SegmentId, Unreadable, flush, publish, read, walk};
use crate::space::SpaceRoot;
use crate::state::State;

/// A space and the state of one device, in a temporary folder.
pub struct House {
    temp: tempfile::TempDir,
    pub space: SpaceRoot,
    pub state: State,
    pub device: Device,
}

impl House {
    pub fn new() -> House {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("space");
        std::fs::create_dir(&root).unwrap();
        let id = host::id::random();
        let sentinel =
            Sentinel { schema: 1, pillar: Pillar::Space, id, created: SystemClock.now() };
        let space = SpaceRoot::proven(Dir::open(&root).unwrap(), sentinel, true);
        let state = State::open(&temp.path().join("state")).unwrap();
        House { temp, space, state, device: Device::new("h", "u").unwrap() }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.temp.path().join(below)
    }

    pub fn outbox(&self) -> Outbox {
        Outbox::open(&self.state, &self.device).unwrap()
    }

    pub fn publish(&self, ids: &[&str]) -> super::Published {
        let events: Vec<Event> = ids.iter().map(|id| event(id)).collect();
        publish(&events, &self.state, &self.device, Some(&self.space), &SystemClock).unwrap()
    }

    fn flush(&self) -> super::Flushed {
        flush(&self.outbox(), &self.space, &self.device, &self.state, &SystemClock).unwrap()
    }

    /// The ids of all events in the spools, in the order of their segments.
    fn told(&self) -> Vec<String> {
        let walk = walk(&self.space, None);
        assert_eq!(walk.problems, []);
        let segments = walk.segments.iter().map(|found| read(&self.space, found).unwrap());
        let lines = segments.flat_map(|s| s.lines().map(str::to_owned).collect::<Vec<_>>());
        lines.map(|line| Event::parse(&line).unwrap().id).collect()
    }
}

pub fn event(id: &str) -> Event {
    let line = format!(r#"{{"specversion":"1.0","id":"{id}","source":"/x","type":"t"}}"#);
    Event::parse(&line).unwrap()
}

fn files(below: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(below).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path())),
            false => drop(found.insert(entry.file_name().into_string().unwrap())),
        }
    }
    found
}

#[test]
fn published_events_lie_in_the_spool_and_no_longer_in_the_outbox() {
    let house = House::new();
    let published = house.publish(&["1", "2"]);
    assert_eq!((published.delivered, published.waiting, &published.problems[..]), (1, 0, &[][..]));
    house.publish(&["3"]);
    assert_eq!(house.told(), ["1", "2", "3"]);
    let id = published.segments[0];
    let day = house.path("space/devices/h/u/_spool/new").join(id.day());
    assert!(day.join(format!("{id}.jsonl")).is_file());
    assert!(house.path("space/devices/_bell/h.u").is_file());
    assert_eq!(files(&house.path("space/devices/h/u/_spool/tmp")), BTreeSet::new());
    assert_eq!(files(&house.path("state/devices/h/u/outbox")), BTreeSet::new());
    assert!(house.publish(&[]).segments.is_empty());
}

#[test]
fn with_the_space_away_the_outbox_keeps_and_flush_delivers_once() {
    let house = House::new();
    let away = publish(&[event("1")], &house.state, &house.device, None, &SystemClock).unwrap();
    assert_eq!((away.delivered, away.waiting), (0, 1));
    assert!(!house.path("space/devices").exists());
    assert!(house.outbox().oldest_age(SystemClock.now()).unwrap().unwrap().as_secs() < 60);
    assert_eq!(house.flush().delivered, away.segments);
    assert_eq!(house.flush().delivered, []);
    assert_eq!(house.told(), ["1"]);
}

#[test]
fn a_space_that_fails_is_told_and_loses_nothing() {
    let house = House::new();
    std::fs::write(house.path("space/devices"), "a file where a folder belongs").unwrap();
    let published = house.publish(&["1"]);
    assert_eq!((published.delivered, published.waiting, published.problems.len()), (0, 1, 1));
    std::fs::remove_file(house.path("space/devices")).unwrap();
    house.flush();
    assert_eq!(house.told(), ["1"]);
}

#[test]
fn a_segment_that_is_there_already_counts_as_delivered_and_other_content_is_kept() {
    let house = House::new();
    let id = house.publish(&["1"]).segments[0];
    let there = house.path("space/devices/h/u/_spool/new").join(id.day()).join(id.file_name());
    let waiting = house.path("state/devices/h/u/outbox").join(id.file_name());
    let litter = house.path("space/devices/h/u/_spool/tmp").join(format!("{id}.killed"));
    std::fs::copy(&there, &waiting).unwrap();
    std::fs::write(&litter, "part").unwrap();
    assert_eq!(house.flush().delivered, [id]);
    assert_eq!(house.told(), ["1"]);
    assert!(!waiting.exists() && !litter.exists());

    std::fs::copy(&there, &waiting).unwrap();
    std::fs::write(&there, "").unwrap();
    let flushed = house.flush();
    assert_eq!((flushed.waiting, flushed.problems.len()), (0, 0));
    assert_ne!(flushed.delivered, [id]);
    assert_eq!(std::fs::read(&there).unwrap(), b"");
    std::fs::remove_file(&there).unwrap();
    assert_eq!(house.told(), ["1"]);
}

#[test]
fn many_events_make_several_segments_and_too_large_a_one_stores_nothing() {
    let house = House::new();
    let mut large = event("large");
    large.data = Some("x".repeat(60_000).into());
    let events = vec![large.clone(); 200];
    let outbox = house.outbox();
    assert_eq!(outbox.put(&events).unwrap().len(), 2);
    let sizes: Vec<u64> = outbox.waiting().unwrap().iter().map(|w| w.bytes).collect();
    assert!(sizes.iter().all(|size| *size <= super::MAX_SEGMENT_BYTES as u64), "{sizes:?}");
    house.flush();
    assert_eq!(house.told().len(), 200);

    large.data = Some("x".repeat(70_000).into());
    let refused = outbox.put(&[event("1"), large]).unwrap_err();
    assert_eq!(refused.code, Code::EventInvalid);
    assert_eq!(outbox.waiting().unwrap(), []);
}

#[test]
fn processes_that_flush_at_once_deliver_each_segment_once() {
    let house = House::new();
    let ids: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    for id in &ids {
        house.outbox().put(&[event(id)]).unwrap();
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(house.flush().problems, []));
        }
    });
    assert_eq!(house.told(), ids);
    assert_eq!(files(&house.path("space/devices/h/u/_spool/tmp")), BTreeSet::new());
    assert_eq!(house.outbox().waiting().unwrap(), []);
}

#[test]
fn strangers_are_told_apart_and_hide_nothing() {
    let house = House::new();
    let id = house.publish(&["1"]).segments[0];
    let new = house.path("space/devices/h/u/_spool/new");
    let upper = SegmentId::fresh().file_name().to_uppercase();
    for (folder, name) in [(id.day(), upper.as_str()), (id.day(), "notes.txt")] {
        std::fs::write(new.join(folder).join(name), "x").unwrap();
    }
    std::fs::create_dir(new.join("19700101")).unwrap();
    std::fs::write(new.join("19700101").join(SegmentId::fresh().file_name()), "x").unwrap();
    std::fs::write(new.join(".DS_Store"), "x").unwrap();
    std::fs::create_dir_all(house.path("space/devices/h/Upper/_spool/new/x")).unwrap();
    std::fs::create_dir_all(house.path("space/devices/h/linked/_spool")).unwrap();
    let linked = house.path("space/devices/h/linked/_spool/new");
    std::os::unix::fs::symlink(&new, linked).unwrap();
    let walk = walk(&house.space, None);
    assert_eq!((walk.segments.len(), walk.strangers.len()), (1, 5));
    assert_eq!(walk.problems, []);
}

#[test]
fn what_is_no_segment_is_said_with_its_reason() {
    let house = House::new();
    let id = house.publish(&["1"]).segments[0];
    let path = house.path("space/devices/h/u/_spool/new").join(id.day()).join(id.file_name());
    let good = std::fs::read_to_string(&path).unwrap();
    let found = walk(&house.space, None).segments.remove(0);
    let large = format!("{}\n", "x".repeat(1024 * 1024));
    for (content, reason) in [
        ("", "empty"),
        (good.trim_end(), "torn"),
        ("{}\n", "line 1"),
        (&format!("{good}\n"), "line 2"),
        (&large, "65536"),
    ] {
        std::fs::write(&path, content).unwrap();
        match read(&house.space, &found) {
            Err(Unreadable::Malformed(why)) => assert!(why.contains(reason), "{why}"),
            other => panic!("{reason}: {other:?}"),
        }
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(read(&house.space, &found), Err(Unreadable::Gone)));
}

#[test]
fn litter_of_a_killed_put_goes_after_a_day_and_not_before() {
    let house = House::new();
    let temporary =
        house.path("state/devices/h/u/outbox").join(format!(".phc-{}", host::id::ordered()));
    house.outbox();
    std::fs::write(&temporary, "part").unwrap();
    house.flush();
    assert!(temporary.exists());
    let tomorrow = FixedClock(SystemClock.now() + jiff::SignedDuration::from_hours(25));
    flush(&house.outbox(), &house.space, &house.device, &house.state, &tomorrow).unwrap();
    assert!(!temporary.exists());
}
