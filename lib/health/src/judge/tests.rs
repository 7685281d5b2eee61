//! Every check is met once as promised and once in each way that it can be broken.

use jiff::{SignedDuration, Timestamp};
use model::config::{Health, Kind, Period};
use model::device::Device;
use model::problem::{Code, Problem};
use model::run::{Outcome, RunFinished};
use model::sentinel::Pillar;
use model::status::{Component, Level, Status};
use serde_json::{Value, json};

use super::{Bench, judge};
use crate::facts::{CloudFacts, Facts, Found, OutboxFacts, PillarFacts};
use crate::runs::Run;

fn now() -> Timestamp {
    "2026-03-04T05:06:07Z".parse().unwrap()
}

fn hours_ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

fn space() -> PillarFacts {
    PillarFacts {
        pillar: Pillar::Space,
        found: Found::Real,
        message: "the real one".to_owned(),
        problem: None,
        total: Some(1000),
        free: Some(500),
    }
}

fn run(outcome: Outcome, ended: Timestamp) -> Run {
    let problem = match outcome {
        Outcome::Done | Outcome::Partial | Outcome::Stopped => None,
        _ => Some(Problem::new(Code::Io, "it broke")),
    };
    let problems = if outcome == Outcome::Partial { 2 } else { 0 };
    let finished = RunFinished {
        job: "icloud".to_owned(),
        outcome,
        dry_run: false,
        started: ended,
        duration_ms: 10,
        totals: Some(json!({"files": 7, "bytes": 70})),
        problems,
        problem,
        plan: None,
    };
    Run { ended, finished }
}

/// A cloud whose last run ended so, and whose last success is so many hours old.
fn cloud(last: Option<Outcome>, success: Option<i64>) -> CloudFacts {
    let last = last.map(|outcome| run(outcome, hours_ago(success.unwrap_or(1).min(1))));
    let success = success.map(|hours| run(Outcome::Done, hours_ago(hours)));
    let id = "icloud".parse().unwrap();
    CloudFacts { id, max_age: Period::hours(26), runs: Ok((last, success)) }
}

fn facts() -> Facts {
    let outbox = Ok(OutboxFacts::default());
    let clouds = vec![cloud(Some(Outcome::Done), Some(1))];
    Facts { pillars: vec![space()], clouds, scrubs: Vec::new(), outbox }
}

fn status(facts: &Facts, kind: Option<Kind>, previous: Option<&Status>) -> Status {
    let device = Device::new("h", "u").unwrap();
    let bench = Bench {
        device: &device,
        promises: Health::default(),
        kind,
        platform: "linux",
        version: "0",
        now: now(),
    };
    judge(facts, &bench, previous)
}

#[track_caller]
fn component(facts: &Facts, name: &str) -> Component {
    status(facts, None, None).component(name).unwrap().clone()
}

#[track_caller]
fn expect(facts: &Facts, name: &str, level: Level, code: Option<Code>) {
    let found = component(facts, name);
    assert_eq!(found.state, level, "{found:?}");
    assert_eq!(found.problems.first().map(|problem| problem.code), code, "{found:?}");
    assert_eq!(status(facts, None, None).overall, level, "the worst part decides");
}

#[test]
fn as_promised_everything_is_ok() {
    let status = status(&facts(), None, None);
    assert_eq!(status.overall, Level::Ok);
    assert!(
        status.components.iter().all(|part| part.state == Level::Ok && part.problems.is_empty())
    );
    assert_eq!(status.components.len(), 3);
    assert_eq!(status.component("ingest.icloud").unwrap().figures["files"], json!(7));
    assert_eq!(status.component("ingest.icloud").unwrap().figures["stored"], Value::Null);
}

#[test]
fn of_nothing_at_all_nothing_is_known() {
    assert_eq!(super::overall(&[]), Level::Unknown);
}

#[test]
fn a_pillar_must_be_the_real_one() {
    let away = Problem::new(Code::SpaceAway, "away");
    for (found, level) in [
        (Found::Away, Level::Critical),
        (Found::Wrong, Level::Critical),
        (Found::Unknown, Level::Unknown),
    ] {
        let pillar = PillarFacts { found, problem: Some(away.clone()), total: None, ..space() };
        let facts = Facts { pillars: vec![pillar], ..facts() };
        expect(&facts, "mount.space", level, Some(Code::SpaceAway));
        assert_eq!(component(&facts, "mount.space").figures["total_bytes"], Value::Null);
    }
}

#[test]
fn a_laptop_may_be_away_from_its_pillars_but_not_have_wrong_ones() {
    for (found, level) in [(Found::Away, Level::Warn), (Found::Wrong, Level::Critical)] {
        let facts = Facts { pillars: vec![PillarFacts { found, ..space() }], ..facts() };
        assert_eq!(status(&facts, Some(Kind::Laptop), None).overall, level);
    }
}

#[test]
fn a_pillar_must_have_room_and_tell_it() {
    for (free, level, code) in [
        (Some(100), Level::Ok, None),
        (Some(99), Level::Warn, Some(Code::SpaceFull)),
        (Some(30), Level::Warn, Some(Code::SpaceFull)),
        (Some(29), Level::Critical, Some(Code::SpaceFull)),
        (None, Level::Unknown, None),
    ] {
        let facts = Facts { pillars: vec![PillarFacts { free, ..space() }], ..facts() };
        expect(&facts, "mount.space", level, code);
    }
}

#[test]
fn a_run_must_end_well() {
    for (outcome, level, code) in [
        (Outcome::Done, Level::Ok, None),
        (Outcome::Partial, Level::Warn, None),
        (Outcome::Deferred, Level::Ok, None),
        (Outcome::Stopped, Level::Ok, None),
        (Outcome::Refused, Level::Critical, Some(Code::Io)),
        (Outcome::Failed, Level::Critical, Some(Code::Io)),
    ] {
        let facts = Facts { clouds: vec![cloud(Some(outcome), Some(1))], ..facts() };
        expect(&facts, "ingest.icloud", level, code);
    }
}

#[test]
fn a_success_must_not_be_older_than_promised_whatever_the_last_run_says() {
    for outcome in [Outcome::Done, Outcome::Deferred, Outcome::Stopped] {
        for (age, level, code) in [
            (Some(26), Level::Ok, None),
            (Some(27), Level::Warn, Some(Code::Overdue)),
            (Some(79), Level::Critical, Some(Code::Overdue)),
            (None, Level::Warn, Some(Code::Overdue)),
        ] {
            let facts = Facts { clouds: vec![cloud(Some(outcome), age)], ..facts() };
            expect(&facts, "ingest.icloud", level, code);
        }
    }
}

#[test]
fn what_never_ran_or_can_not_be_read_or_lies_in_the_future_is_not_ok() {
    let judged = |cloud| Facts { clouds: vec![cloud], ..facts() };
    expect(&judged(cloud(None, None)), "ingest.icloud", Level::Warn, Some(Code::Overdue));
    let broken = Err(Problem::new(Code::StateUnusable, "broken"));
    let unread = CloudFacts { runs: broken, ..cloud(None, None) };
    expect(&judged(unread), "ingest.icloud", Level::Unknown, Some(Code::StateUnusable));
    let future = cloud(Some(Outcome::Done), Some(-1));
    expect(&judged(future), "ingest.icloud", Level::Unknown, Some(Code::ClockWrong));
}

#[test]
fn events_must_get_away_in_time_and_none_be_given_up() {
    let waiting =
        |hours| OutboxFacts { segments: 3, bytes: 9, oldest: Some(hours_ago(hours)), dead: 0 };
    let broken = Problem::new(Code::StateUnusable, "broken");
    for (outbox, level, code) in [
        (Ok(waiting(24)), Level::Ok, None),
        (Ok(waiting(25)), Level::Warn, Some(Code::OutboxWaiting)),
        (Ok(waiting(73)), Level::Critical, Some(Code::OutboxWaiting)),
        (
            Ok(OutboxFacts { dead: 1, ..OutboxFacts::default() }),
            Level::Warn,
            Some(Code::SegmentDead),
        ),
        (Err(broken), Level::Unknown, Some(Code::StateUnusable)),
    ] {
        expect(&Facts { outbox, ..facts() }, "spool", level, code);
    }
}

#[test]
fn since_is_kept_as_long_as_the_state_is() {
    let first = status(&facts(), None, None);
    assert_eq!(first.component("spool").unwrap().since, Some(now()));
    let mut before = first;
    for part in &mut before.components {
        part.since = Some(hours_ago(100));
    }
    let worse = Facts { clouds: vec![cloud(Some(Outcome::Failed), Some(1))], ..facts() };
    let after = status(&worse, None, Some(&before));
    assert_eq!(after.component("spool").unwrap().since, Some(hours_ago(100)));
    assert_eq!(after.component("ingest.icloud").unwrap().since, Some(now()));
}

#[test]
fn copies_must_be_good_and_read_in_time() {
    use crate::scrubs::{Found, Rolling, Scrub};
    let rolling = |hours, overdue| {
        let oldest = Some(hours_ago(hours));
        Some(Rolling { overdue, oldest, period_s: 90 * 86_400 })
    };
    let good = || Found { checked: 5, rolling: rolling(80 * 24, 0), ..Found::default() };
    for (found, level, code) in [
        (good(), Level::Ok, None),
        (Found { damaged: 1, ..good() }, Level::Critical, Some(Code::CopyDamaged)),
        (Found { missing: 1, ..good() }, Level::Critical, Some(Code::CopyDamaged)),
        (Found { source_rot: 1, ..good() }, Level::Warn, Some(Code::SourceRot)),
        (Found { repaired: 1, ..good() }, Level::Warn, Some(Code::CopyRepaired)),
        (Found { rolling: rolling(24, 3), ..good() }, Level::Warn, Some(Code::VerifyBehind)),
        (Found { rolling: rolling(91 * 24, 0), ..good() }, Level::Warn, Some(Code::VerifyBehind)),
    ] {
        let scrub = Scrub { name: "icloud".to_owned(), ended: hours_ago(1), found };
        let facts = Facts { scrubs: vec![scrub], ..facts() };
        expect(&facts, "verify.icloud", level, code);
    }
}
