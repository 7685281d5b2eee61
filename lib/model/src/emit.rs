//! The one way by which engines tell what happens while they work.

use jiff::Timestamp;
use uuid::Uuid;

use crate::device::Device;
use crate::event::{Author, Draft, Event, Payload};
use crate::problem::Problem;

/// Receives what an engine tells: events, survivable problems, progress.
///
/// The edge writes events to stdout and draws progress; tests collect. Nothing is
/// printed from the depths.
pub trait Emit {
    /// Takes one event, gives it its id and time, and returns it as it was told, so
    /// that what goes into the spool is the same event.
    fn event(&mut self, draft: Draft) -> Event;

    /// True if per-file events are wanted; engines skip making them otherwise.
    fn wants_files(&self) -> bool {
        true
    }

    /// Takes a problem that the run survives; counted towards the exit code.
    fn problem(&mut self, problem: Problem) -> Event {
        self.event(Draft::of(&problem))
    }

    /// Takes the newest figures of the work; cheap, called often.
    fn progress(&mut self, _progress: &Progress) {}
}

/// Emits a payload.
pub fn emit<P: Payload>(to: &mut dyn Emit, payload: &P) -> Event {
    to.event(Draft::of(payload))
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

/// Collects what is emitted, with ids counted up from zero at the epoch; for tests.
#[derive(Debug)]
pub struct Collected {
    /// The events in order, problems among them.
    pub events: Vec<Event>,
    /// The problems in order.
    pub problems: Vec<Problem>,
    author: Author,
}

impl Collected {
    /// An empty collection of what one author tells.
    pub fn of(device: Device, tool: &'static str) -> Collected {
        let author = Author { device, tool, run: Uuid::nil() };
        Collected { events: Vec::new(), problems: Vec::new(), author }
    }
}

impl Emit for Collected {
    fn event(&mut self, draft: Draft) -> Event {
        let id = Uuid::from_u128(self.events.len() as u128);
        let event = self.author.event(draft, id, Timestamp::UNIX_EPOCH);
        self.events.push(event.clone());
        event
    }

    fn problem(&mut self, problem: Problem) -> Event {
        self.problems.push(problem.clone());
        self.event(Draft::of(&problem))
    }
}
