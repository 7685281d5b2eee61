//! The one way by which engines tell what happens while they work.

use crate::event::{Draft, Payload};
use crate::problem::Problem;

/// Receives what an engine tells: events, survivable problems, progress.
///
/// The edge writes events to stdout and draws progress; tests collect. Nothing is
/// printed from the depths.
pub trait Emit {
    /// Takes one event.
    fn event(&mut self, draft: Draft);

    /// True if per-file events are wanted; engines skip making them otherwise.
    fn wants_files(&self) -> bool {
        true
    }

    /// Takes a problem that the run survives; counted towards the exit code.
    fn problem(&mut self, problem: Problem) {
        self.event(Draft::of(&problem));
    }

    /// Takes the newest figures of the work; cheap, called often.
    fn progress(&mut self, _progress: &Progress) {}
}

/// Emits a payload.
pub fn emit<P: Payload>(to: &mut dyn Emit, payload: &P) {
    to.event(Draft::of(payload));
}

/// How far the work has come.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Progress {
    /// What is being done now, for people: "reading", "copying", "making durable".
    pub doing: &'static str,
    /// Files done.
    pub files: u64,
    /// Files planned; `None` while that is not known.
    pub files_planned: Option<u64>,
    /// Bytes done.
    pub bytes: u64,
    /// Bytes planned; `None` while that is not known.
    pub bytes_planned: Option<u64>,
}

/// Collects what is emitted; for tests and for runs whose events are published at their end.
#[derive(Default, Debug)]
pub struct Collected {
    /// The events in order, problems among them.
    pub events: Vec<Draft>,
    /// The problems in order.
    pub problems: Vec<Problem>,
}

impl Emit for Collected {
    fn event(&mut self, draft: Draft) {
        self.events.push(draft);
    }

    fn problem(&mut self, problem: Problem) {
        self.events.push(Draft::of(&problem));
        self.problems.push(problem);
    }
}
