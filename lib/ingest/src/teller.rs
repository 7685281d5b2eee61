//! What one run tells: counted, passed on, and kept for the spool.

use model::emit::{Emit, Progress};
use model::event::{Draft, Event};
use model::exit::Exit;
use model::problem::Problem;

/// Problems of one run that also go into the spool; the rest is only counted there.
const PROBLEMS_KEPT: u64 = 1000;

/// Passes everything on and keeps what is to be published when the run ends.
pub(crate) struct Teller<'a> {
    to: &'a mut dyn Emit,
    /// What is to be published, oldest first; per-file events are not among it.
    pub frame: Vec<Event>,
    /// Problems that make the run a partial one.
    pub problems: u64,
}

impl<'a> Teller<'a> {
    pub fn new(to: &'a mut dyn Emit) -> Teller<'a> {
        Teller { to, frame: Vec::new(), problems: 0 }
    }

    /// Tells an event that is also published.
    pub fn tell(&mut self, draft: Draft) {
        let event = self.to.event(draft);
        self.frame.push(event);
    }
}

impl Emit for Teller<'_> {
    fn event(&mut self, draft: Draft) -> Event {
        self.to.event(draft)
    }

    fn wants_files(&self) -> bool {
        self.to.wants_files()
    }

    fn problem(&mut self, problem: Problem) -> Event {
        // Some are good news: what was lost could be made again.
        self.problems += u64::from(problem.exit() != Exit::Done);
        let event = self.to.problem(problem);
        if self.problems <= PROBLEMS_KEPT {
            self.frame.push(event.clone());
        }
        event
    }

    fn progress(&mut self, progress: &Progress) {
        self.to.progress(progress);
    }
}
