use std::collections::BTreeSet;
use std::time::Duration;

use host::clock::{Clock, FixedClock, SystemClock};
use host::stop::Stop;
use jiff::{SignedDuration, Timestamp};
use model::device::Device;
use model::problem::{Code, Problem};
use model::sentinel::{Pillar, Sentinel};

use super::{Consumer, Handler, Pass, Rules, Standing, Verdict, known, pass};
use crate::space::SpaceRoot;
use crate::spool::prune::{Keep, prune};
use crate::spool::tests::House;
use crate::spool::{Found, Segment};
use crate::state::State;

const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);
const RULES: Rules = Rules { attempts: 3, backoff: Duration::ZERO, lease: Duration::from_secs(60) };

/// Answers each segment by what it holds, and notes what it saw.
struct Says<F: FnMut(&str) -> Verdict> {
    says: F,
    seen: Vec<String>,
    problems: Vec<Problem>,
    counts: bool,
}

impl<F: FnMut(&str) -> Verdict> Handler for Says<F> {
    fn counts(&self) -> bool {
        self.counts
    }

    fn handle(&mut self, _found: &Found, segment: Segment) -> Verdict {
        let event = model::event::Event::parse(segment.lines().last().unwrap()).unwrap();
        self.seen.push(event.id.clone());
        (self.says)(&event.id)
    }

    fn finished(&mut self, _found: &Found, _exit: i32) {}

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

fn says<F: FnMut(&str) -> Verdict>(says: F) -> Says<F> {
    Says { says, seen: Vec::new(), problems: Vec::new(), counts: true }
}

fn done(_: &str) -> Verdict {
    Verdict::Finished(0)
}

impl House {
    fn consumer(&self, name: &str) -> Consumer {
        let consumer = Consumer::open(&self.state, &name.parse().unwrap()).unwrap();
        consumer.settle(None).unwrap();
        consumer
    }

    fn pass_at(&self, consumer: &Consumer, handler: &mut dyn Handler, clock: &dyn Clock) -> Pass {
        let look = consumer.look(&self.space, clock).unwrap();
        pass(consumer, &self.space, &look, &RULES, handler, &Stop::never(), clock).unwrap()
    }

    fn pass(&self, consumer: &Consumer, handler: &mut dyn Handler) -> Pass {
        self.pass_at(consumer, handler, &SystemClock)
    }

    fn register(&self, consumer: &Consumer) {
        let look = consumer.look(&self.space, &SystemClock).unwrap();
        let now = SystemClock.now();
        consumer.register(&self.space, &self.device, Some(&look), MONTH, now).unwrap();
    }

    fn prune_at(&self, now: Timestamp, retention: SignedDuration) -> (u64, u64) {
        let keep = Keep { retention, idle: MONTH };
        let pruned = prune(&self.space, &keep, false, &FixedClock(now)).unwrap();
        assert_eq!(pruned.problems, []);
        (pruned.figures.removed, pruned.figures.held)
    }
}

fn later(hours: i64) -> Timestamp {
    SystemClock.now() + SignedDuration::from_hours(hours)
}

#[test]
fn each_consumer_sees_each_segment_once_in_name_order() {
    let house = House::new();
    for id in ["1", "2", "3"] {
        house.publish(&[id]);
    }
    let (a, b) = (house.consumer("a"), house.consumer("b"));
    for consumer in [&a, &b] {
        let mut handler = says(done);
        assert_eq!(house.pass(consumer, &mut handler).finished, 3);
        assert_eq!(handler.seen, ["1", "2", "3"]);
    }
    house.publish(&["4"]);
    let mut handler = says(done);
    house.pass(&a, &mut handler);
    house.pass(&a, &mut handler);
    assert_eq!(handler.seen, ["4"]);
    let names: Vec<String> =
        Consumer::names(&house.state).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn its_memory_is_nobody_elses_business() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    house.publish(&["1"]);
    let consumer = house.consumer("a");
    house.pass(&consumer, &mut says(done));
    for entry in std::fs::read_dir(house.path("state/consumers")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[test]
fn a_poison_segment_dies_after_its_attempts_and_blocks_nobody() {
    let house = House::new();
    house.publish(&["poison"]);
    house.publish(&["good"]);
    let consumer = house.consumer("a");
    let answer = |id: &str| match id {
        "poison" => Verdict::Failed("it is bitter".into()),
        _ => Verdict::Finished(0),
    };
    let mut handler = says(answer);
    for (round, (failed, died)) in [(1, 0), (1, 0), (0, 1), (0, 0)].into_iter().enumerate() {
        let pass = house.pass(&consumer, &mut handler);
        assert_eq!((pass.failed, pass.died), (failed, died), "round {round}");
    }
    assert_eq!(handler.seen, ["poison", "good", "poison", "poison"]);
    assert_eq!(handler.problems.last().unwrap().code, Code::SegmentDead);
    let dead = consumer.dead().unwrap();
    assert_eq!((dead[0].attempts, dead[0].reason.as_str()), (3, "it is bitter"));

    let other = house.consumer("b");
    assert_eq!(house.pass(&other, &mut says(done)).finished, 2);
    consumer.retry(&dead[0].found).unwrap();
    assert_eq!(house.pass(&consumer, &mut says(done)).finished, 1);
    assert_eq!(consumer.dead().unwrap(), []);
}

#[test]
fn what_is_no_segment_is_dead_at_once_and_others_go_on() {
    let house = House::new();
    let bad = house.publish(&["1"]).segments[0];
    house.publish(&["2"]);
    let path = house.path("space/devices/h/u/_spool/new").join(bad.day()).join(bad.file_name());
    std::fs::write(path, "").unwrap();
    let consumer = house.consumer("a");
    let pass = house.pass(&consumer, &mut says(done));
    assert_eq!((pass.died, pass.finished), (1, 1));
    assert!(consumer.dead().unwrap()[0].reason.contains("empty"));
}

#[test]
fn waiting_is_no_failure_and_a_world_that_is_away_is_not_asked_for_ever() {
    let house = House::new();
    for id in 0..8 {
        house.publish(&[&id.to_string()]);
    }
    let consumer = house.consumer("a");
    for _ in 0..10 {
        let mut handler = says(|_| Verdict::Later);
        assert_eq!(house.pass(&consumer, &mut handler).later, 5);
    }
    let mut handler = says(|_| Verdict::Refused);
    assert_eq!(house.pass(&consumer, &mut handler).refused, 8);
    let mut handler = says(|id| if id == "0" { Verdict::Later } else { Verdict::Finished(1) });
    assert_eq!(house.pass(&consumer, &mut handler).finished, 7);
    assert_eq!(consumer.dead().unwrap(), []);
}

#[test]
fn what_is_at_hand_is_not_given_out_again_until_its_lease_ends() {
    let house = House::new();
    house.publish(&["1"]);
    let consumer = house.consumer("a");
    let mut hand_out = says(|_| Verdict::HandedOut);
    hand_out.counts = false;
    assert_eq!(house.pass(&consumer, &mut hand_out).handed_out, 1);
    assert_eq!(house.pass(&consumer, &mut hand_out).handed_out, 0);
    assert_eq!(consumer.leased(SystemClock.now()).unwrap().len(), 1);
    // Handed out and never acknowledged is no failure, however often.
    for hours in 1..9 {
        let clock = FixedClock(later(hours));
        assert_eq!(house.pass_at(&consumer, &mut hand_out, &clock).handed_out, 1);
    }
    let found = consumer.leased(later(8)).unwrap().remove(0);
    consumer.finish(&found).unwrap();
    assert_eq!(house.pass_at(&consumer, &mut hand_out, &FixedClock(later(20))).handed_out, 0);
}

#[test]
fn a_reader_that_always_dies_over_a_segment_gives_it_up_in_the_end() {
    let house = House::new();
    house.publish(&["1"]);
    let consumer = house.consumer("a");
    let found = consumer.look(&house.space, &SystemClock).unwrap().walk.segments.remove(0);
    for hours in 0..3 {
        let lease = consumer.lease(&found, &RULES, true, later(hours)).unwrap().unwrap();
        assert_eq!(lease.attempts, u32::try_from(hours).unwrap() + 1);
    }
    let pass = house.pass_at(&consumer, &mut says(done), &FixedClock(later(4)));
    assert_eq!((pass.died, pass.finished), (1, 0));
}

#[test]
fn a_clock_that_jumped_back_holds_nothing_up_and_loses_nothing() {
    let house = House::new();
    house.publish(&["1"]);
    let consumer = house.consumer("a");
    let mut hand_out = says(|_| Verdict::HandedOut);
    let future = FixedClock(later(24 * 365 * 4));
    assert_eq!(house.pass_at(&consumer, &mut hand_out, &future).handed_out, 1);
    // Back in the present the lease of the future is not believed.
    assert_eq!(house.pass(&consumer, &mut says(done)).finished, 1);
    house.publish(&["2"]);
    let past = FixedClock(later(-24 * 365));
    assert_eq!(house.pass_at(&consumer, &mut says(done), &past).finished, 1);
}

#[test]
fn the_end_of_a_lost_lease_changes_nothing() {
    let house = House::new();
    house.publish(&["1"]);
    let consumer = house.consumer("a");
    let found = consumer.look(&house.space, &SystemClock).unwrap().walk.segments.remove(0);
    let slow = consumer.lease(&found, &RULES, true, later(0)).unwrap().unwrap();
    let quick = consumer.lease(&found, &RULES, true, later(1)).unwrap().unwrap();
    consumer.give_up(&slow, "too late").unwrap();
    assert_eq!(consumer.dead().unwrap(), []);
    consumer.finish(&quick.found).unwrap();
    consumer.fail(&quick, "after the end", &RULES, later(1)).unwrap();
    let look = consumer.look(&house.space, &SystemClock).unwrap();
    assert_eq!(look.rows[&found].standing, Standing::Finished);
}

#[test]
fn two_processes_of_one_consumer_share_the_work() {
    let house = House::new();
    for id in 0..30 {
        house.publish(&[&id.to_string()]);
    }
    let seen = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let consumer = house.consumer("a");
                let mut handler = says(done);
                house.pass(&consumer, &mut handler);
                seen.lock().unwrap().extend(handler.seen);
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (30, 30));
}

#[test]
fn prune_removes_what_is_old_and_finished_by_all_and_nothing_else() {
    let house = House::new();
    house.publish(&["1"]);
    house.publish(&["2"]);
    let (a, b) = (house.consumer("a"), house.consumer("b"));
    house.pass(&a, &mut says(done));
    let one = |id: &str| if id == "1" { Verdict::Finished(0) } else { Verdict::Later };
    house.pass(&b, &mut says(one));
    house.register(&a);
    house.register(&b);
    // Too young, whoever finished it.
    assert_eq!(house.prune_at(later(2), SignedDuration::from_hours(5)), (0, 0));
    // What b's look may not have seen yet is held.
    assert_eq!(house.prune_at(later(2), SignedDuration::from_hours(1)), (0, 2));
    let look = b.look(&house.space, &FixedClock(later(3))).unwrap();
    b.register(&house.space, &house.device, Some(&look), MONTH, later(3)).unwrap();
    let look = a.look(&house.space, &FixedClock(later(3))).unwrap();
    a.register(&house.space, &house.device, Some(&look), MONTH, later(3)).unwrap();
    assert_eq!(house.prune_at(later(4), SignedDuration::from_hours(1)), (1, 1));
    // Its memory of what is gone goes too.
    assert_eq!(a.look(&house.space, &SystemClock).unwrap().rows.len(), 1);
    // Unseen for a month, b holds nothing any more.
    assert_eq!(house.prune_at(later(24 * 31 + 4), SignedDuration::from_hours(1)), (1, 0));
}

#[test]
fn a_record_that_can_not_be_read_holds_everything() {
    let house = House::new();
    house.publish(&["1"]);
    let consumer = house.consumer("a");
    house.pass(&consumer, &mut says(done));
    house.register(&consumer);
    let record = house.path("space/devices/_consumers/a.json");
    let good = std::fs::read_to_string(&record).unwrap();
    for bad in ["", "{", &good.replace("\"schema\": 1", "\"schema\": 9")] {
        std::fs::write(&record, bad).unwrap();
        assert_eq!(house.prune_at(later(5), SignedDuration::from_hours(1)), (0, 1), "{bad}");
    }
}

#[test]
fn a_look_that_did_not_see_everything_lets_nothing_go() {
    let house = House::new();
    house.publish(&["1"]);
    let consumer = house.consumer("a");
    house.pass(&consumer, &mut says(done));
    let mut look = consumer.look(&house.space, &FixedClock(later(3))).unwrap();
    look.walk.problems.push(Problem::new(Code::Io, "a folder can't be listed"));
    let partly = Some(&look);
    consumer.register(&house.space, &house.device, partly, MONTH, later(3)).unwrap();
    assert_eq!(house.prune_at(later(4), SignedDuration::from_hours(1)), (0, 1));
    look.walk.problems.clear();
    consumer.register(&house.space, &house.device, Some(&look), MONTH, later(3)).unwrap();
    assert_eq!(house.prune_at(later(4), SignedDuration::from_hours(1)), (1, 0));
}

#[test]
fn dead_segments_are_held_and_a_later_segment_is_not_held_by_them() {
    let house = House::new();
    house.publish(&["dead"]);
    house.publish(&["good"]);
    let consumer = house.consumer("a");
    let answer = |id: &str| match id {
        "dead" => Verdict::Failed("no".into()),
        _ => Verdict::Finished(0),
    };
    for _ in 0..3 {
        house.pass(&consumer, &mut says(answer));
    }
    let look = consumer.look(&house.space, &FixedClock(later(3))).unwrap();
    consumer.register(&house.space, &house.device, Some(&look), MONTH, later(3)).unwrap();
    assert_eq!(house.prune_at(later(4), SignedDuration::from_hours(1)), (1, 1));
    assert_eq!(consumer.dead().unwrap().len(), 1);
}

#[test]
fn litter_of_killed_writers_goes_after_a_day() {
    let house = House::new();
    house.publish(&["1"]);
    for folder in ["h/u/_spool/tmp/killed", "h/u/.phc-killed", "_bell/.phc-killed"] {
        std::fs::write(house.path("space/devices").join(folder), "part").unwrap();
    }
    let keep = Keep { retention: MONTH, idle: MONTH };
    for (hours, dry_run, orphans) in [(23, false, 0), (25, true, 3), (25, false, 3), (25, false, 0)]
    {
        let clock = FixedClock(later(hours));
        let pruned = prune(&house.space, &keep, dry_run, &clock).unwrap();
        assert_eq!((pruned.figures.orphans, pruned.figures.removed), (orphans, 0));
    }
    assert!(house.path("space/devices/_bell/h.u").exists());
}

#[test]
fn only_the_server_prunes() {
    let house = House::new();
    let root = host::Dir::open(&house.path("space")).unwrap();
    let sentinel = Sentinel {
        schema: 1,
        pillar: Pillar::Space,
        id: house.space.id(),
        created: SystemClock.now(),
    };
    let elsewhere = SpaceRoot::proven(root, sentinel, false);
    let keep = Keep { retention: SignedDuration::ZERO, idle: MONTH };
    let refused = prune(&elsewhere, &keep, false, &SystemClock).unwrap_err();
    assert_eq!(refused.code, Code::Usage);
}

#[test]
fn a_name_and_a_device_are_settled_once() {
    let house = House::new();
    house.publish(&["1"]);
    let consumer = house.consumer("a");
    house.register(&consumer);
    let wrong = consumer.settle(Some(&house.device)).unwrap_err();
    assert_eq!(wrong.code, Code::Usage);

    let elsewhere = State::open(&house.path("elsewhere")).unwrap();
    let other = Consumer::open(&elsewhere, &"a".parse().unwrap()).unwrap();
    let (there, now) = (Device::new("h2", "u").unwrap(), SystemClock.now());
    let taken = other.register(&house.space, &there, None, MONTH, now).unwrap_err();
    assert_eq!(taken.code, Code::Usage);
    // A machine that lost its state, and one that comes after a month, may have it.
    other.register(&house.space, &house.device, None, MONTH, now).unwrap();
    let month = later(24 * 31);
    other.register(&house.space, &there, None, MONTH, month).unwrap();
    let known = known(&house.space).unwrap();
    assert_eq!(known[0].record.as_ref().unwrap().device, "h2/u");
}
