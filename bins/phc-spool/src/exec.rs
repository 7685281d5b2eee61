//! Reading with a command: each segment is its input, and its exit code the answer.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cli::Output;
use host::child::{Ended, Program};
use host::stop::Stop;
use model::emit::{Emit, emit};
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::spool::SegmentFinished;
use store::space::SpaceRoot;
use store::spool::consumer::{ConsumerName, Handler, Verdict};
use store::spool::expand::Feed;
use store::spool::{Found, Segment};

/// Variables of ours that the command gets too, so that it finds the same state.
const PASSED_ON: [&str; 4] = ["PHC_CONFIG", "PHC_STATE_DIR", "PHC_HOST", "PHC_USER"];

/// Gives segments to a command.
pub struct Exec<'a> {
    /// The command and its arguments.
    pub command: &'a [OsString],
    /// Who reads.
    pub consumer: &'a ConsumerName,
    /// The space, if batches are to be turned into their files.
    pub expand: Option<&'a SpaceRoot>,
    /// When the command is killed.
    pub deadline: Duration,
    /// When we are to stop.
    pub stop: &'a Stop,
    /// Where it is told.
    pub output: &'a mut Output,
    /// Why no command can be run at all.
    pub broken: Option<Problem>,
}

/// The events of a segment, expanded if that is wanted; what can't be is told.
pub fn feed(
    expand: Option<&SpaceRoot>,
    found: &Found,
    segment: Segment,
    output: &mut Output,
) -> Feed {
    let Some(space) = expand else { return Feed::plain(segment) };
    let (feed, problems) = Feed::expanded(space, found, segment);
    problems.into_iter().for_each(|problem| drop(output.problem(problem)));
    feed
}

impl Handler for Exec<'_> {
    fn counts(&self) -> bool {
        true
    }

    fn handle(&mut self, found: &Found, segment: Segment) -> Verdict {
        let feed = feed(self.expand, found, segment, self.output);
        let cut_off = Arc::new(OnceLock::new());
        let cut = cut_off.clone();
        let program = self.program(found).stdin_from(move |pipe| {
            let fed = feed.write_to(pipe);
            // A command that reads no further is within its rights.
            if let Err(e) = &fed
                && e.kind() != ErrorKind::BrokenPipe
            {
                // Noted before the pipe ends, and so before the command can end over a part.
                let _ = cut.set(e.to_string());
            }
            fed
        });
        match program.run() {
            Ok(ended) => {
                self.pass_on(&ended);
                match cut_off.get() {
                    Some(why) => {
                        self.output.problem(unfed(found, why));
                        Verdict::Later
                    }
                    None => verdict(&ended, self.deadline),
                }
            }
            Err(e) => {
                self.broken = Some(no_command(&e));
                Verdict::Dropped
            }
        }
    }

    fn finished(&mut self, found: &Found, exit: i32) {
        let told = SegmentFinished {
            consumer: self.consumer.to_string(),
            device: found.device.to_string(),
            segment: found.id.uuid(),
            exit: Some(exit),
        };
        emit(self.output, &told);
    }

    fn problem(&mut self, problem: Problem) {
        self.output.problem(problem);
    }
}

impl Exec<'_> {
    fn program(&self, found: &Found) -> Program {
        let mut program = Program::new(self.command)
            .env("PHC_CONSUMER", self.consumer.as_str())
            .env("PHC_DEVICE", found.device.to_string())
            .env("PHC_SEGMENT", found.id.to_string())
            .deadline(self.deadline)
            .until(self.stop);
        for key in PASSED_ON {
            if let Some(value) = std::env::var_os(key) {
                program = program.env(key, value);
            }
        }
        program
    }

    /// What the command says is for people: stdout carries our events.
    fn pass_on(&mut self, ended: &Ended) {
        let name = self.command.first().map(OsString::as_os_str).unwrap_or(OsStr::new(""));
        let name = std::path::Path::new(name).file_name().unwrap_or(name).to_string_lossy();
        let stdout = String::from_utf8_lossy(&ended.stdout);
        for line in stdout.lines().chain(ended.stderr.lines()) {
            self.output.note(&format!("{name}: {line}"));
        }
    }
}

/// What a command's end says of its segment.
fn verdict(ended: &Ended, deadline: Duration) -> Verdict {
    let last = ended.stderr.lines().last().unwrap_or("it said nothing");
    if ended.stopped {
        return Verdict::Dropped;
    }
    if ended.timed_out {
        let seconds = deadline.as_secs();
        return Verdict::Failed(format!("the command did not end within {seconds} s"));
    }
    let Some(code) = ended.code else {
        return Verdict::Failed(format!("a signal ended the command: {last}"));
    };
    let is = |exit: Exit| code == i32::from(exit.code());
    match code {
        _ if is(Exit::Done) || is(Exit::Partial) => Verdict::Finished(code),
        _ if is(Exit::Refused) => Verdict::Refused,
        _ if is(Exit::TryLater) => Verdict::Later,
        _ => Verdict::Failed(format!("the command ended with {code}: {last}")),
    }
}

/// Events that could not be read to their end, whatever the command made of the part.
pub fn unfed(found: &Found, why: &str) -> Problem {
    let what = format!("can't read the events to their end: {why}");
    Problem::new(Code::CatalogDamaged, what)
        .at(found.path().text().clone())
        .hint("the segment is read again later")
}

/// A command that can't even be started is no segment's fault.
fn no_command(error: &host::Error) -> Problem {
    let what = format!("can't run the command: {}", error.source);
    Problem::new(Code::Usage, what)
        .at(error.path.as_path())
        .hint("no segment was touched; mend what stands after --exec")
}
