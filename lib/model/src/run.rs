//! Runs: their outcome and the two events that frame them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Payload;
use crate::exit::Exit;
use crate::problem::Problem;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything is done.
    Done,
    /// Done, with problems that were reported.
    Partial,
    /// A guard stopped the plan; nothing was touched.
    Refused,
    /// Failed.
    Failed,
    /// Storage away or lock held: try again later.
    Deferred,
    /// Stopped by a signal, in order.
    Stopped,
}

impl Outcome {
    /// The outcome of a run that a problem ended.
    pub fn of(problem: &Problem) -> Outcome {
        match problem.exit() {
            Exit::Done => Outcome::Done,
            Exit::Partial => Outcome::Partial,
            Exit::Refused => Outcome::Refused,
            Exit::TryLater => Outcome::Deferred,
            Exit::Interrupted | Exit::Terminated => Outcome::Stopped,
            Exit::Usage | Exit::Failed | Exit::Bug => Outcome::Failed,
        }
    }

    /// The name that JSON uses.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Partial => "partial",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Deferred => "deferred",
            Outcome::Stopped => "stopped",
        }
    }
}

/// `phc.<tool>.run.started`: a run began.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunStarted {
    /// The job: a cloud's id, a mirror job's name.
    pub job: String,
    /// True if nothing will be touched.
    pub dry_run: bool,
    /// The version of the program.
    pub version: String,
}

impl Payload for RunStarted {
    const NOUN_VERB: &'static str = "run.started";

    fn subject(&self) -> Option<String> {
        Some(self.job.clone())
    }
}

/// `phc.<tool>.run.finished`: a run ended; always the last event of its run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunFinished<T> {
    /// The job: a cloud's id, a mirror job's name.
    pub job: String,
    /// How it ended.
    pub outcome: Outcome,
    /// True if nothing was touched.
    pub dry_run: bool,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What came of it, counted; null when the run ended before anything was known.
    pub totals: Option<T>,
    /// How many problems were reported on the way.
    pub problems: u64,
    /// The problem that ended the run, if one did.
    pub problem: Option<Problem>,
    /// The plan's id, when the plan holds anything that a guard judges.
    pub plan: Option<String>,
}

impl<T: Serialize> Payload for RunFinished<T> {
    const NOUN_VERB: &'static str = "run.finished";

    fn subject(&self) -> Option<String> {
        Some(self.job.clone())
    }
}

/// `phc.<tool>.problem.reported`: a problem that the run survived.
impl Payload for Problem {
    const NOUN_VERB: &'static str = "problem.reported";

    fn subject(&self) -> Option<String> {
        self.place.as_ref().and_then(|place| place.as_str().map(str::to_owned))
    }
}

/// A run's id, a UUIDv7 (RFC 9562); events carry it as the extension `runid`.
pub type RunId = Uuid;
