//! Reading to stdout: events are handed out, and acknowledged later.

use cli::Output;
use model::emit::Emit;
use model::event::Event;
use model::problem::Problem;
use store::space::SpaceRoot;
use store::spool::consumer::{Handler, Verdict};
use store::spool::{Found, Segment};

/// The attribute (CloudEvents 1.0, "Extension Context Attributes") that names an event's segment.
const SEGMENT: &str = "segment";

/// Hands segments out on stdout.
pub struct HandOut<'a> {
    /// Where they go.
    pub output: &'a mut Output,
    /// The space, if batches are to be turned into their files.
    pub expand: Option<&'a SpaceRoot>,
}

impl Handler for HandOut<'_> {
    fn counts(&self) -> bool {
        false
    }

    fn handle(&mut self, found: &Found, segment: Segment) -> Verdict {
        let feed = crate::exec::feed(self.expand, found, segment, self.output);
        let told = feed.each(&mut |line| {
            self.tell(line, found);
            match self.output.reader_is_gone() {
                true => Err(std::io::ErrorKind::BrokenPipe.into()),
                false => Ok(()),
            }
        });
        self.output.flush();
        match told {
            _ if self.output.reader_is_gone() => Verdict::Dropped,
            Ok(()) => Verdict::HandedOut,
            Err(e) => {
                self.output.problem(crate::exec::unfed(found, &e.to_string()));
                Verdict::Later
            }
        }
    }

    fn finished(&mut self, _found: &Found, _exit: i32) {}

    fn problem(&mut self, problem: Problem) {
        self.output.problem(problem);
    }
}

impl HandOut<'_> {
    fn tell(&mut self, line: &str, found: &Found) {
        // A segment's lines are events: one that is not has been refused as a whole.
        let Ok(mut event) = serde_json::from_str::<Event>(line) else { return };
        if self.output.in_words() {
            let words = crate::words::any(&event);
            return self.output.line(&words);
        }
        event.extra.insert(SEGMENT.to_owned(), found.id.to_string().into());
        self.output.line(&serde_json::to_string(&event).unwrap_or_default());
    }
}
