//! `ack` and `dead`: what a person or a script says of segments that were read.

use cli::{Output, Settings};
use host::clock::{Clock, SystemClock};
use model::emit::emit;
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::spool::{SegmentDied, SegmentFinished};
use store::spool::consumer::Consumer;
use store::spool::{Found, SegmentId};

use crate::args::{Ack, Dead};

/// Finishes the segments that were named, or all that are taken.
pub fn ack(settings: &Settings, ack: &Ack, output: &mut Output) -> Result<Exit, Problem> {
    let consumer = Consumer::known(&settings.state()?, &ack.consumer)?;
    let finished = match ack.segments.as_slice() {
        [] => consumer.leased(SystemClock.now())?,
        named => chosen(&consumer, named)?,
    };
    for found in &finished {
        consumer.finish(found)?;
        emit(output, &told(&consumer, found));
    }
    // Only prune asks for it, and it waits for the next time that the space is there.
    if let Ok(space) = crate::space(settings) {
        let look = consumer.look(&space, &SystemClock)?;
        let idle = crate::list::length(settings.config.spool.consumer_idle);
        consumer.register(&space, &settings.device, Some(&look), idle, SystemClock.now())?;
    }
    Ok(Exit::Done)
}

/// The segments of these ids; all of them must be known before one is finished.
fn chosen(consumer: &Consumer, ids: &[SegmentId]) -> Result<Vec<Found>, Problem> {
    let mut chosen = Vec::new();
    for id in ids {
        let touched = consumer.touched(*id)?;
        if touched.is_empty() {
            let what = format!("the consumer {} has not read the segment {id}", consumer.name());
            return Err(Problem::new(Code::NotFound, what)
                .hint("nothing was finished; it may have been finished before"));
        }
        chosen.extend(touched);
    }
    Ok(chosen)
}

fn told(consumer: &Consumer, found: &Found) -> SegmentFinished {
    SegmentFinished {
        consumer: consumer.name().to_string(),
        device: found.device.to_string(),
        segment: found.id.uuid(),
        exit: None,
    }
}

/// Lists what is dead, and gives it another try if that is asked.
pub fn dead(settings: &Settings, dead: &Dead, output: &mut Output) -> Result<Exit, Problem> {
    let state = settings.state()?;
    let names = match &dead.consumer {
        Some(name) => vec![name.clone()],
        None => Consumer::names(&state)?,
    };
    for name in names {
        let consumer = Consumer::known(&state, &name)?;
        for one in consumer.dead()? {
            if dead.retry {
                consumer.retry(&one.found)?;
            }
            let told = SegmentDied {
                consumer: name.to_string(),
                device: one.found.device.to_string(),
                segment: one.found.id.uuid(),
                attempts: u64::from(one.attempts),
                reason: one.reason,
                retried: dead.retry,
            };
            emit(output, &told);
        }
    }
    Ok(Exit::Done)
}
