//! A rolling verify: each copy once in a period, never faster than allowed, by a clock that is set by hand.

use std::sync::Mutex;
use std::time::Duration;

use host::clock::Clock;
use host::stop::Stop;
use jiff::{SignedDuration, Timestamp};
use model::config::{Period, Share, Size};
use model::emit::Collected;

use super::house::House;
use crate::verify::{Own, Verified, Verify, rolling};

/// A clock that goes on only while somebody sleeps; asks for a stop when its time is over.
#[derive(Debug)]
struct Hand {
    now: Mutex<Timestamp>,
    sleeps: Mutex<Vec<(Timestamp, Duration)>>,
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, length: Duration) {
        let mut now = self.now.lock().unwrap();
        self.sleeps.lock().unwrap().push((*now, length));
        *now = now.checked_add(length).unwrap();
    }
}

impl Hand {
    fn at(now: Timestamp) -> Hand {
        Hand { now: Mutex::new(now), sleeps: Mutex::default() }
    }

    fn pass(&self, hours: i64) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_hours(hours)).unwrap();
    }
}

fn promise(rate: u64) -> model::config::Verify {
    model::config::Verify { period: Period::days(10), rate: Size::new(rate) }
}

fn roll(house: &House, clock: &Hand, rate: u64, stop: &Stop) -> (Verified, Vec<&'static str>) {
    let space = house.space();
    let settings = &house.settings;
    let folder = house.state();
    let run = host::id::ordered();
    let own = Own { folder: &folder, mend: true, sources: false, keep_xattrs: &[], run };
    let what = Verify {
        device: &settings.device,
        cloud: &settings.cloud,
        sample: Share::percent(100),
        seed: 0,
        own: Some(own),
        space: &space,
        clock,
        stop,
    };
    let book = settings.state.of_verify(&settings.device, &settings.device, &settings.cloud);
    let mut told = Collected::of(settings.device.clone(), "ingest");
    let verified = rolling(&what, &book.unwrap(), &promise(rate), &mut told).unwrap();
    (verified, told.problems.iter().map(|p| p.code.name()).collect())
}

fn filled(files: usize) -> House {
    let mut house = House::new();
    for n in 0..files {
        house.write(&format!("{}/f{n}", n % 5), vec![7; 1000 * (n + 1)]);
    }
    std::thread::sleep(Duration::from_millis(60));
    house.run_well();
    house
}

#[test]
fn each_copy_is_read_once_in_a_period_whatever_the_schedule() {
    let house = filled(50);
    let clock = Hand::at(Timestamp::now());
    let began = clock.now();
    let (mut read, mut most) = (0, 0);
    // Daily, then twice an hour, then after a gap, then hourly again: 10 days in all.
    let gaps = [0, 24, 24, 1, 0, 1, 1, 70, 24, 1, 24, 24, 24, 22];
    for gap in gaps {
        clock.pass(gap);
        let (verified, problems) = roll(&house, &clock, 1 << 40, &Stop::never());
        assert!(problems.is_empty(), "{problems:?}");
        read += verified.checked;
        most = most.max(verified.checked);
    }
    let days = clock.now().duration_since(began).as_secs() / 86_400;
    assert_eq!(days, 10);
    let (last, _) = roll(&house, &clock, 1 << 40, &Stop::never());
    let rolled = last.rolling.unwrap();
    assert_eq!((rolled.copies, rolled.unread, rolled.overdue), (50, 0, 0), "{rolled:?}");
    // Rounding up, once a run, is all that may come on top.
    let runs = gaps.len() as u64 + 1;
    assert!((50..=50 + 5 + runs).contains(&read), "{read} reads");
    assert!(most <= 25, "{most} in one run");
}

#[test]
fn no_second_reads_more_than_the_rate() {
    let house = filled(60);
    let clock = Hand::at(Timestamp::now());
    let began = clock.now();
    clock.pass(0);
    roll(&house, &clock, 50_000, &Stop::never());
    let one_day = clock.now();
    clock.pass(24 * 30);
    let before = clock.now();
    let (verified, _) = roll(&house, &clock, 50_000, &Stop::never());
    assert_eq!(verified.checked, 60, "a whole period passed: all is owed");
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_millis() as f64 / 1e3;
    let took = seconds(before, clock.now());
    let wanted = verified.bytes as f64 / 50_000.0;
    assert!((wanted - 0.01..wanted + 0.2).contains(&took), "{took} s, {wanted} s by the rate");
    assert!(seconds(began, one_day) > 2.0, "the first day's share is bounded, too");
    assert!(clock.sleeps.lock().unwrap().iter().all(|(_, s)| *s <= Duration::from_millis(100)));
}

#[test]
fn what_was_not_reached_is_told_and_caught_up() {
    let house = filled(30);
    let clock = Hand::at(Timestamp::now());
    roll(&house, &clock, 1 << 40, &Stop::never());
    clock.pass(24 * 11);
    let stop = Stop::never();
    stop.ask();
    let (verified, problems) = roll(&house, &clock, 1 << 40, &stop);
    let rolled = verified.rolling.unwrap();
    assert_eq!((problems, verified.complete), (vec!["verify-behind"], false));
    assert!(rolled.overdue > 20 && rolled.behind_bytes > 0, "{rolled:?}");
    let (verified, problems) = roll(&house, &clock, 1 << 40, &Stop::never());
    assert_eq!((problems, verified.checked), (vec![], 30), "no time passed, it is still owed");
}

#[test]
fn a_bad_copy_stays_told_until_it_is_good_and_is_read_in_every_run() {
    let mut house = filled(10);
    let clock = Hand::at(Timestamp::now());
    std::fs::remove_file(house.source("0/f0")).unwrap();
    house.run_well();
    std::fs::write(house.copy("0/f0"), vec![8; 1000]).unwrap();
    for _ in 0..3 {
        let (verified, problems) = roll(&house, &clock, 1 << 40, &Stop::never());
        assert_eq!((problems, verified.damaged), (vec!["copy-damaged"], 1));
    }
    std::fs::write(house.copy("0/f0"), vec![7; 1000]).unwrap();
    let (verified, problems) = roll(&house, &clock, 1 << 40, &Stop::never());
    assert_eq!((problems, verified.damaged), (vec![], 0));
}
