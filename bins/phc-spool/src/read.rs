//! `read`: what a consumer has not finished, once or for as long as it likes.

use std::time::{Duration, Instant};

use cli::{Output, Settings};
use host::clock::{Clock, SystemClock};
use host::stop::Stop;
use jiff::SignedDuration;
use model::emit::Emit;
use model::exit::Exit;
use model::problem::{Code, Problem};
use store::device::away;
use store::space::SpaceRoot;
use store::spool::consumer::{Consumer, Handler, Look, Pass, Rules, pass};
use store::spool::{Bells, bells};

use crate::args::Read;
use crate::exec::Exec;
use crate::stdout::HandOut;

/// How often the bells are looked at.
const POLL: Duration = Duration::from_secs(1);
/// How often all spools are looked at without a bell, when something waits for another try.
const AGAIN: Duration = Duration::from_secs(5);
/// How often in any case: a bell is only a hint. The space is proven anew then.
const ROUND: Duration = Duration::from_secs(60);

/// Reads once, or until a signal says stop.
pub fn read(settings: &Settings, read: &Read, output: &mut Output) -> Result<Exit, Problem> {
    let consumer = Consumer::open(&settings.state()?, &read.consumer)?;
    consumer.settle(read.device.as_ref())?;
    let stop = cli::stop_on_signals()?;
    let mut reader = Reader {
        settings,
        read,
        rules: Rules {
            attempts: settings.config.spool.attempts.get(),
            backoff: read.backoff.duration(),
            lease: read.lease.duration(),
        },
        consumer,
        stop,
        output,
        later: false,
        refused: false,
        registered: None,
        told: Vec::new(),
    };
    if read.follow {
        reader.follow()?
    } else {
        reader.once(&crate::space(settings)?).map(drop)?
    }
    Ok(reader.exit())
}

struct Reader<'a> {
    settings: &'a Settings,
    read: &'a Read,
    rules: Rules,
    consumer: Consumer,
    stop: Stop,
    output: &'a mut Output,
    later: bool,
    refused: bool,
    registered: Option<Instant>,
    /// Folders that can't be listed, as they were told.
    told: Vec<Problem>,
}

/// What one look left behind.
struct Left {
    bells: Bells,
    unfinished: bool,
    dropped: bool,
}

impl Reader<'_> {
    /// Offers what is free once.
    fn once(&mut self, space: &SpaceRoot) -> Result<Left, Problem> {
        // Looked at first: whoever rings later is heard by the next comparison.
        let bells = bells(space).map_err(away)?;
        if self.registered.is_none() {
            self.register(space, None)?;
        }
        let mut look = self.consumer.look(space, &SystemClock)?;
        for problem in std::mem::take(&mut look.walk.problems) {
            self.incomplete(&mut look, problem)?;
        }
        let pass = self.pass(space, &look)?;
        self.later = pass.later > 0;
        self.refused = pass.refused > 0;
        self.consumer.refresh(&mut look)?;
        if pass.did_anything() || self.registered.is_none_or(|last| last.elapsed() >= ROUND) {
            self.register(space, Some(&look))?;
            self.registered = Some(Instant::now());
        }
        Ok(Left { bells, unfinished: look.unfinished().next().is_some(), dropped: pass.dropped })
    }

    /// A space that is gone ends the look; a folder that can't be listed is only told.
    fn incomplete(&mut self, look: &mut Look, problem: Problem) -> Result<(), Problem> {
        if matches!(problem.code, Code::SpaceAway | Code::SpaceStale) {
            return Err(problem);
        }
        // Once: who follows would hear it at every look.
        if !self.told.contains(&problem) {
            self.output.problem(problem.clone());
            self.told.push(problem.clone());
        }
        look.walk.problems.push(problem);
        Ok(())
    }

    fn pass(&mut self, space: &SpaceRoot, look: &Look) -> Result<Pass, Problem> {
        let expand = self.read.expand.then_some(space);
        let (consumer, rules, stop) = (&self.consumer, &self.rules, &self.stop);
        let offer = |handler: &mut dyn Handler| {
            pass(consumer, space, look, rules, handler, stop, &SystemClock)
        };
        if self.read.exec.is_empty() {
            return offer(&mut HandOut { output: self.output, expand });
        }
        let mut exec = Exec {
            command: &self.read.exec,
            consumer: consumer.name(),
            expand,
            deadline: rules.lease,
            stop,
            output: self.output,
            broken: None,
        };
        let pass = offer(&mut exec)?;
        exec.broken.map_or(Ok(pass), Err)
    }

    fn register(&self, space: &SpaceRoot, look: Option<&Look>) -> Result<(), Problem> {
        let idle: SignedDuration = crate::list::length(self.settings.config.spool.consumer_idle);
        let device = &self.settings.device;
        self.consumer.register(space, device, look, idle, SystemClock.now())
    }

    /// Reads until a signal says stop or nobody listens; a space that is away is waited for.
    fn follow(&mut self) -> Result<(), Problem> {
        let mut is_away = false;
        while !self.is_over() {
            match crate::space(self.settings).and_then(|space| self.round(&space)) {
                Ok(()) => is_away = false,
                Err(problem) if problem.exit() == Exit::TryLater => {
                    if !std::mem::replace(&mut is_away, true) {
                        self.output.note(&format!("waiting: {problem}"));
                    }
                    self.rest(AGAIN);
                }
                Err(problem) => return Err(problem),
            }
        }
        Ok(())
    }

    /// Reads for a while from a space that was proven just now.
    fn round(&mut self, space: &SpaceRoot) -> Result<(), Problem> {
        let began = Instant::now();
        let mut left = self.once(space)?;
        let mut looked = Instant::now();
        while began.elapsed() < ROUND && !left.dropped && !self.is_over() {
            self.rest(POLL);
            let again = left.unfinished && looked.elapsed() >= AGAIN;
            if again || bells(space).map_err(away)? != left.bells {
                left = self.once(space)?;
                looked = Instant::now();
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.stop.asked() || self.output.reader_is_gone()
    }

    /// Waits, but for no signal's sake.
    fn rest(&mut self, period: Duration) {
        self.output.flush();
        let end = Instant::now() + period;
        while Instant::now() < end && !self.is_over() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn exit(&self) -> Exit {
        let trouble = self.refused || self.output.problems() > 0;
        let exit = match (self.later, trouble) {
            (true, _) => Exit::TryLater,
            (false, true) => Exit::Partial,
            (false, false) => Exit::Done,
        };
        self.stop.exit().unwrap_or(exit)
    }
}
