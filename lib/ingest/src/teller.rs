//! What one run tells: counted, passed on, and kept for the spool.

use std::time::{Duration, Instant};

use model::emit::{Emit, Progress};
use model::event::{Draft, Event};
use model::exit::Exit;
use model::problem::Problem;

/// Problems of one run that also go into the spool; the rest is only counted there.
const PROBLEMS_KEPT: u64 = 1000;

/// A run that lasts longer than this is made known before its end.
const LONG: Duration = Duration::from_secs(60);

/// Publishes events before the run ends; false if that failed, and they are kept.
pub(crate) type Early<'a> = &'a dyn Fn(&[Event]) -> bool;

/// Passes everything on and keeps what is to be published when the run ends.
pub(crate) struct Teller<'a> {
    to: &'a mut dyn Emit,
    early: Option<Early<'a>>,
    began: Instant,
    /// What is to be published, oldest first; per-file events are not among it.
    pub frame: Vec<Event>,
    /// Problems that make the run a partial one.
    pub problems: u64,
    /// What is told just before anything else is.
    held: Option<Draft>,
}

impl<'a> Teller<'a> {
    pub fn new(to: &'a mut dyn Emit, early: Early<'a>) -> Teller<'a> {
        Teller {
            to,
            early: Some(early),
            began: Instant::now(),
            frame: Vec::new(),
            problems: 0,
            held: None,
        }
    }

    /// Once, when the run has become a long one: whoever watches learns that it works.
    fn tell_early(&mut self) {
        if self.began.elapsed() >= LONG
            && let Some(publish) = self.early.take()
            && publish(&self.frame)
        {
            self.frame.clear();
        }
    }

    /// Keeps the first event back until there is anything else to tell.
    pub fn hold(&mut self, draft: Draft) {
        self.held = Some(draft);
    }

    /// True if nothing was told since something was held back.
    pub fn has_nothing_to_tell(&self) -> bool {
        self.held.is_some()
    }

    fn tell_what_is_held(&mut self) {
        if let Some(draft) = self.held.take() {
            self.tell(draft);
        }
    }

    /// Tells an event that is also published.
    pub fn tell(&mut self, draft: Draft) {
        self.tell_what_is_held();
        let event = self.to.event(draft);
        self.frame.push(event);
    }
}

impl Emit for Teller<'_> {
    fn event(&mut self, draft: Draft) -> Event {
        self.tell_what_is_held();
        self.to.event(draft)
    }

    fn wants_files(&self) -> bool {
        self.to.wants_files()
    }

    fn problem(&mut self, problem: Problem) -> Event {
        self.tell_what_is_held();
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
        self.tell_early();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use model::device::Device;
    use model::emit::{Collected, Emit, Progress};
    use model::event::Draft;
    use model::run::RunStarted;

    use super::{LONG, Teller};

    #[test]
    fn a_long_run_is_made_known_once_and_before_its_end() {
        let published = Cell::new(0);
        let publish = |events: &[_]| {
            published.set(published.get() + events.len());
            true
        };
        let mut told = Collected::of(Device::new("h", "u").unwrap(), "ingest");
        let mut teller = Teller::new(&mut told, &publish);
        let started = RunStarted { job: "c".into(), dry_run: false, version: "0".into() };
        teller.tell(Draft::of(&started));
        teller.progress(&Progress::default());
        assert_eq!((published.get(), teller.frame.len()), (0, 1));
        teller.began = Instant::now().checked_sub(LONG + Duration::from_secs(1)).unwrap();
        teller.progress(&Progress::default());
        teller.progress(&Progress::default());
        assert_eq!((published.get(), teller.frame.len()), (1, 0));
    }
}
