//! A cloud: brought in, well, and not too long ago.

use jiff::{SignedDuration, Timestamp};
use model::problem::{Code, Problem};
use model::run::Outcome;
use model::status::Level;
use serde_json::Value;

use super::{Finding, against};
use crate::facts::CloudFacts;
use crate::runs::Run;

/// How far a clock may run ahead of another before something is wrong.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Figures of a run that a status repeats.
const FIGURES: [&str; 10] = [
    "files",
    "bytes",
    "stored",
    "replaced",
    "unchanged",
    "gone",
    "failed",
    "bytes_stored",
    "deferred",
    "deferred_bytes",
];

pub(super) fn judge(facts: &CloudFacts, now: Timestamp) -> Finding {
    let name = format!("ingest.{}", facts.id);
    let (last, success) = match &facts.runs {
        Err(problem) => return unreadable(name, problem),
        Ok((None, _)) => return figures(never(name), None),
        Ok((Some(last), success)) => (last, success.as_ref()),
    };
    let by_age = age(&facts.max_age, success, now);
    let by_outcome = outcome(last);
    let (level, message, problem) = if by_age.0 > by_outcome.0 { by_age } else { by_outcome };
    let finding = Finding {
        last_run: Some(last.ended),
        last_success: success.map(|run| run.ended),
        ..Finding::new(name, level, message)
    };
    figures(finding.because(problem), Some(last))
}

type Judgement = (Level, String, Option<Problem>);

/// The last run by its outcome. One that was put off or stopped says nothing: age decides.
fn outcome(last: &Run) -> Judgement {
    let run = &last.finished;
    let why = run.problem.as_ref().map_or("no reason given", |problem| problem.what.as_str());
    let (level, message) = match run.outcome {
        Outcome::Done => (Level::Ok, "done".to_owned()),
        Outcome::Partial if run.problems == 1 => (Level::Warn, "done, with 1 problem".to_owned()),
        Outcome::Partial => (Level::Warn, format!("done, with {} problems", run.problems)),
        Outcome::Deferred => (Level::Ok, format!("put off: {why}")),
        Outcome::Stopped => (Level::Ok, "stopped before its end".to_owned()),
        Outcome::Refused => (Level::Critical, format!("refused: {why}")),
        Outcome::Failed => (Level::Critical, format!("failed: {why}")),
    };
    let problem = run.problem.clone().filter(|_| level != Level::Ok);
    (level, message, problem)
}

/// The last success by its age.
fn age(promised: &model::config::Period, success: Option<&Run>, now: Timestamp) -> Judgement {
    let Some(success) = success else {
        return overdue(Level::Warn, "has not succeeded yet".to_owned());
    };
    let age = now.duration_since(success.ended);
    if age < -SKEW {
        let what = format!("the last success lies in the future: {}", success.ended);
        let problem = Problem::new(Code::ClockWrong, what.clone());
        return (Level::Unknown, what, Some(problem));
    }
    match against(age, *promised) {
        Level::Ok => (Level::Ok, String::new(), None),
        level => {
            overdue(level, format!("no success since {}, promised every {promised}", success.ended))
        }
    }
}

fn overdue(level: Level, what: String) -> Judgement {
    let problem = Problem::new(Code::Overdue, what.clone());
    (level, what, Some(problem))
}

fn never(name: String) -> Finding {
    let problem =
        Problem::new(Code::Overdue, "has never run").hint("phc-ingest run, or wait for its timer");
    Finding::new(name, Level::Warn, "has never run").because(problem)
}

fn unreadable(name: String, problem: &Problem) -> Finding {
    figures(Finding::new(name, Level::Unknown, &problem.what).because(problem.clone()), None)
}

/// The figures of the last run; null where they are not known.
fn figures(finding: Finding, last: Option<&Run>) -> Finding {
    let totals = last.and_then(|run| run.finished.totals.as_ref());
    let figure = |name: &str| totals.and_then(|totals| totals.get(name)).cloned();
    let finding = FIGURES
        .iter()
        .fold(finding, |finding, name| finding.figure(name, figure(name).unwrap_or(Value::Null)));
    let finding = finding.figure("problems", last.map(|run| run.finished.problems));
    finding.figure("duration_ms", last.map(|run| run.finished.duration_ms))
}
