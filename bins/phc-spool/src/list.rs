//! `list`, `consumers` and `prune`: what lies in the spools, and what need not.

use cli::{Output, Settings};
use host::clock::{Clock, SystemClock};
use jiff::SignedDuration;
use model::config::Period;
use model::emit::{Emit, emit};
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::spool::{ConsumerListed, Place, SegmentListed};
use store::device::away;
use store::space::SpaceRoot;
use store::spool::consumer::{Known, known};
use store::spool::prune::{self, Keep};
use store::spool::{Found, Outbox, walk};

use crate::args::{List, Prune};

/// Lists the outbox, then the spools.
pub fn list(settings: &Settings, list: &List, output: &mut Output) -> Result<Exit, Problem> {
    if list.device.as_ref().is_none_or(|device| *device == settings.device) {
        outbox(settings, output)?;
    }
    let space = crate::space(settings)?;
    let walk = walk(&space, list.device.as_ref());
    for found in &walk.segments {
        emit(output, &in_spool(&space, found));
    }
    if settings.verbose > 0 {
        let name = |path| output.note(&format!("no segment, and never read: {path}"));
        walk.strangers.iter().for_each(name);
    }
    let survived = walk.problems.is_empty();
    walk.problems.into_iter().for_each(|problem| drop(output.problem(problem)));
    Ok(if survived { Exit::Done } else { Exit::Partial })
}

fn outbox(settings: &Settings, output: &mut Output) -> Result<(), Problem> {
    let device = settings.device.to_string();
    for waiting in Outbox::open(&settings.state()?, &settings.device)?.waiting()? {
        emit(
            output,
            &SegmentListed {
                device: device.clone(),
                segment: waiting.id.uuid(),
                place: Place::Outbox,
                made: waiting.id.time(),
                bytes: Some(waiting.bytes),
            },
        );
    }
    Ok(())
}

fn in_spool(space: &SpaceRoot, found: &Found) -> SegmentListed {
    SegmentListed {
        device: found.device.to_string(),
        segment: found.id.uuid(),
        place: Place::Spool,
        made: found.id.time(),
        bytes: found.bytes(space).ok(),
    }
}

/// Lists the consumers of all machines.
pub fn consumers(settings: &Settings, output: &mut Output) -> Result<Exit, Problem> {
    let space = crate::space(settings)?;
    let (idle, now) = (length(settings.config.spool.consumer_idle), SystemClock.now());
    for known in known(&space).map_err(away)? {
        match &known.record {
            Some(record) => {
                let idle = known.is_idle(idle, now);
                emit(output, &ConsumerListed { record: record.clone(), idle });
            }
            None => drop(output.problem(unreadable(&known))),
        }
    }
    Ok(if output.problems() == 0 { Exit::Done } else { Exit::Partial })
}

fn unreadable(known: &Known) -> Problem {
    let what = format!("can't read the record of the consumer {}", known.name);
    Problem::new(Code::Overdue, what)
        .hint("it holds every segment; a run of the consumer writes it anew")
}

/// Removes what is old and finished, on the server.
pub fn prune(settings: &Settings, prune: &Prune, output: &mut Output) -> Result<Exit, Problem> {
    let spool = &settings.config.spool;
    let keep = Keep { retention: length(spool.retention), idle: length(spool.consumer_idle) };
    let space = crate::space(settings)?;
    let pruned = prune::prune(&space, &keep, prune.dry_run, &SystemClock)?;
    emit(output, &pruned.figures);
    pruned.idle.iter().for_each(|known| drop(output.problem(unseen(known, spool.consumer_idle))));
    pruned.problems.into_iter().for_each(|problem| drop(output.problem(problem)));
    Ok(if output.problems() == 0 { Exit::Done } else { Exit::Partial })
}

fn unseen(known: &Known, after: Period) -> Problem {
    let name = &known.name;
    let what = format!(
        "the consumer {name} was not seen for more than {after} and holds nothing any more"
    );
    let hint = format!("run it, or remove devices/_consumers/{name}.json if nobody uses it");
    Problem::new(Code::Overdue, what).hint(hint)
}

/// A configured period as a signed length of time.
pub fn length(period: Period) -> SignedDuration {
    SignedDuration::try_from(period.duration()).unwrap_or(SignedDuration::MAX)
}
