//! One run of one cloud, from its lock to its outcome.

use std::path::{Path, PathBuf};

use host::clock::Clock;
use host::stop::Stop;
use host::{failpoint, publish};
use jiff::Timestamp;
use model::emit::Emit;
use model::event::{Draft, Event};
use model::exit::Exit;
use model::ingest::Totals;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use model::run::{Outcome, RunFinished, RunStarted};
use store::space::SpaceRoot;
use store::spool;
use store::state::{self, open_folder};

use crate::known;
use crate::settings::Settings;
use crate::source;
use crate::teller::Teller;
use crate::work;

/// What a run needs of the machine.
pub struct Machine<'a> {
    /// The proven space, or why there is none.
    pub space: Result<SpaceRoot, Problem>,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Asked to stop.
    pub stop: &'a Stop,
    /// Told of each folder of the source just before it is listed.
    pub before_listing: Option<&'a (dyn Fn(&RelPath) + Sync)>,
}

impl std::fmt::Debug for Machine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("space", &self.space).finish_non_exhaustive()
    }
}

/// What a run leaves behind for whoever called it.
#[derive(Clone, PartialEq, Debug)]
pub struct Ended {
    /// The exit code.
    pub exit: Exit,
    /// What was told last.
    pub finished: RunFinished<Totals>,
}

/// How the work of a run ended, whatever the end.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// What was counted; `None` while nothing was known.
    pub totals: Option<Totals>,
    /// The plan's id.
    pub plan: Option<String>,
    /// The problem that ended the work.
    pub problem: Option<Problem>,
    /// What is to be forgotten once the run's events are safe.
    pub after: Option<work::After>,
}

/// Runs one cloud and tells everything through `emit`; the last event is `run.finished`.
///
/// Nothing is returned as an error: whatever happens is in the outcome.
pub fn run(settings: &Settings, machine: &Machine<'_>, emit: &mut dyn Emit) -> Ended {
    host::placeholder::keep_away();
    let started = machine.clock.now();
    let early = |events: &[Event]| settings.dry_run || published(settings, machine, events).is_ok();
    let mut teller = Teller::new(emit, &early);
    let nothing_kept = Run { settings, machine, started, folder: None };
    // The scratch lasts as long as the run.
    let (folder, _scratch) = match folder_of(settings, machine) {
        Ok(folder) => folder,
        Err(problem) => return nothing_kept.end(teller, Done::failed(problem)),
    };
    let job = format!("the ingest of {}", settings.cloud);
    let held = match state::lock(&folder, &job, settings.run) {
        Ok(held) => held,
        // The one who holds it writes what is to be remembered.
        Err(problem) => return nothing_kept.end(teller, Done::failed(problem)),
    };
    let begun = Draft::of(&RunStarted {
        job: settings.cloud.to_string(),
        dry_run: settings.dry_run,
        version: settings.version.clone(),
    });
    // A look at a few folders that finds nothing to do is not worth an event.
    if settings.scope.is_partial() {
        teller.hold(begun)
    } else {
        teller.tell(begun)
    }
    let done = match point("ingest.locked") {
        Ok(()) => work::work(settings, machine, &folder, started, &mut teller),
        Err(problem) => Done::failed(problem),
    };
    let ended = Run { folder: Some(folder), ..nothing_kept }.end(teller, done);
    drop(held);
    ended
}

/// The cloud's folder in the state, made when missing; none is made for a source that never was
/// or may be none. What only tells works in a folder that goes when it ends.
fn folder_of(
    settings: &Settings,
    machine: &Machine<'_>,
) -> Result<(PathBuf, Option<tempfile::TempDir>), Problem> {
    if !settings.state.knows_cloud(&settings.device, &settings.cloud) {
        let space = machine.space.as_ref().ok();
        match source::open(&settings.source) {
            Ok(source) => refuse_loops(settings, source, space)?,
            Err(_) if space.is_some_and(|space| known::in_space(settings, space)) => {}
            Err(problem) => return Err(problem),
        }
        if settings.dry_run {
            let scratch = tempfile::tempdir().map_err(|e| {
                Problem::new(Code::StateUnusable, format!("can't make a temporary folder: {e}"))
            })?;
            return Ok((scratch.path().to_owned(), Some(scratch)));
        }
    }
    Ok((settings.state.of_cloud(&settings.device, &settings.cloud)?, None))
}

fn refuse_loops(
    settings: &Settings,
    source: source::Source,
    space: Option<&SpaceRoot>,
) -> Result<(), Problem> {
    match space {
        Some(space) if settings.inbox.is_some() => {
            source::refuse_loops_of_inbox(source, space, &settings.state).map(drop)
        }
        Some(space) => source::refuse_loops(&source, space, &settings.state),
        None => Ok(()),
    }
}

/// Makes events safe, and delivers them when the space is there.
fn published(settings: &Settings, machine: &Machine<'_>, events: &[Event]) -> Result<(), Problem> {
    let space = machine.space.as_ref().ok();
    // What can't be delivered now waits in the outbox, which is no problem of this run.
    spool::publish(events, &settings.state, &settings.device, space, machine.clock).map(drop)
}

impl Done {
    pub(crate) fn failed(problem: Problem) -> Done {
        Done { problem: Some(problem), ..Done::default() }
    }
}

struct Run<'a> {
    settings: &'a Settings,
    machine: &'a Machine<'a>,
    started: Timestamp,
    /// The cloud's state; `None` when nothing may be written there.
    folder: Option<PathBuf>,
}

impl Run<'_> {
    fn end(self, mut teller: Teller<'_>, done: Done) -> Ended {
        let stopped = self.machine.stop.exit().filter(|_| done.problem.is_none());
        let outcome = outcome(&done, stopped, teller.problems);
        let now = self.machine.clock.now();
        let finished = RunFinished {
            job: self.settings.cloud.as_str().to_owned(),
            outcome,
            dry_run: self.settings.dry_run,
            started: self.started,
            duration_ms: u64::try_from(now.duration_since(self.started).as_millis()).unwrap_or(0),
            totals: done.totals,
            problems: teller.problems,
            problem: done.problem,
            plan: done.plan,
        };
        let exit = stopped.unwrap_or_else(|| exit_of(&finished));
        if teller.has_nothing_to_tell() && outcome == Outcome::Done {
            return Ended { exit, finished };
        }
        let draft = Draft::of(&finished);
        teller.tell(draft);
        let exit = match self.keep(&mut teller, done.after, &finished) {
            Ok(()) => exit,
            Err(problem) => {
                // The run.finished that was told is not safe: that is worse than anything it says.
                let code = problem.exit();
                teller.problem(problem);
                exit.worst(code)
            }
        };
        Ended { exit, finished }
    }

    /// Makes the run's events safe, then forgets what they announce, then remembers the outcome.
    fn keep(
        &self,
        teller: &mut Teller<'_>,
        after: Option<work::After>,
        finished: &RunFinished<Totals>,
    ) -> Result<(), Problem> {
        let settings = self.settings;
        // Wrong usage is told to whoever typed it, and nobody else.
        let is_usage = finished.problem.as_ref().is_some_and(|p| p.exit() == Exit::Usage);
        let Some(folder) = self.folder.as_ref().filter(|_| !settings.dry_run && !is_usage) else {
            return Ok(());
        };
        let space = self.machine.space.as_ref().ok();
        let events = std::mem::take(&mut teller.frame);
        published(settings, self.machine, &events)?;
        if let (Some(after), Some(space)) = (after, space) {
            after.forget(settings, space, self.machine.clock)?;
        }
        if let Some(event) = events.last() {
            remember(folder, event, finished.outcome, settings.scope.is_partial())?;
        }
        point("ingest.finished")
    }
}

/// Writes the last run's event where `phc-health` and `status` look for it.
///
/// A run that looked at folders in doubt alone says nothing of the whole, neither good nor bad.
fn remember(
    folder: &Path,
    event: &Event,
    outcome: Outcome,
    is_partial: bool,
) -> Result<(), Problem> {
    let dir = open_folder(folder)?;
    let text = serde_json::to_vec(&serde_json::json!({ "event": event })).unwrap_or_default();
    let write = |name: &[u8]| {
        publish::replace(&dir, name, &text, state::FILE_MODE).map_err(state::unusable)
    };
    if is_partial {
        return write(b"last-batch.json");
    }
    if matches!(outcome, Outcome::Done | Outcome::Partial) {
        write(b"last-success.json")?;
    }
    write(b"last-run.json")
}

fn outcome(done: &Done, stopped: Option<Exit>, problems: u64) -> Outcome {
    match &done.problem {
        Some(problem) => Outcome::of(problem),
        None if stopped.is_some() => Outcome::Stopped,
        None if problems > 0 => Outcome::Partial,
        None => Outcome::Done,
    }
}

fn exit_of(finished: &RunFinished<Totals>) -> Exit {
    match (&finished.problem, finished.outcome) {
        (Some(problem), _) => problem.exit(),
        (None, Outcome::Partial) => Exit::Partial,
        (None, _) => Exit::Done,
    }
}

pub(crate) fn point(name: &'static str) -> Result<(), Problem> {
    failpoint::hit(name).map_err(|e| Problem::new(Code::Io, format!("failed at {name}: {e}")))
}
