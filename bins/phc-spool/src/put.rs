//! `put` and `flush`: events on their way into the space.

use std::io::{BufRead, Read};

use cli::{Output, Settings};
use host::clock::SystemClock;
use model::emit::{Emit, emit};
use model::event::{Event, MAX_EVENT_BYTES};
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::spool::{EventsPublished, OutboxFlushed};
use store::spool::{self, Outbox};

/// Stores the events of stdin, and delivers them when the space is there.
pub fn put(settings: &Settings, output: &mut Output) -> Result<Exit, Problem> {
    let events = events(&mut std::io::stdin().lock())?;
    let state = settings.state()?;
    let space = crate::space(settings);
    let root = space.as_ref().ok();
    let published = spool::publish(&events, &state, &settings.device, root, &SystemClock)?;
    let told = EventsPublished {
        events: events.len() as u64,
        segments: published.segments.iter().map(|id| id.uuid()).collect(),
        delivered: published.delivered as u64,
        waiting: published.waiting as u64,
    };
    emit(output, &told);
    // That the space is away is what the outbox is for, and no problem.
    if let (Err(away), 1..) = (&space, published.waiting) {
        output.note(&format!("the events wait in the outbox: {}", away.what));
    }
    let survived = published.problems.is_empty();
    published.problems.into_iter().for_each(|problem| drop(output.problem(problem)));
    Ok(if survived { Exit::Done } else { Exit::Partial })
}

/// Every line of the input as an event.
fn events(input: &mut dyn BufRead) -> Result<Vec<Event>, Problem> {
    let mut events = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = MAX_EVENT_BYTES as u64 + 2;
        let read = input.take(limit).read_until(b'\n', &mut line);
        if read.map_err(|e| Problem::new(Code::Io, format!("can't read stdin: {e}")))? == 0 {
            return Ok(events);
        }
        events.push(event(&line).map_err(|why| {
            let what = format!("line {} of stdin is no event: {why}", events.len() + 1);
            Problem::new(Code::EventInvalid, what)
                .hint("nothing was stored; phc-spool(5) has the form")
        })?);
    }
}

fn event(line: &[u8]) -> Result<Event, String> {
    let text = std::str::from_utf8(line).map_err(|e| e.to_string())?;
    Event::parse(text.strip_suffix('\n').unwrap_or(text)).map_err(|e| e.to_string())
}

/// Delivers what waits in the outbox.
pub fn flush(settings: &Settings, output: &mut Output) -> Result<Exit, Problem> {
    let state = settings.state()?;
    let outbox = Outbox::open(&state, &settings.device)?;
    if outbox.waiting()?.is_empty() {
        emit(output, &OutboxFlushed { delivered: 0, waiting: 0 });
        return Ok(Exit::Done);
    }
    let space = crate::space(settings)?;
    let flushed = spool::flush(&outbox, &space, &settings.device, &state, &SystemClock)?;
    let (delivered, waiting) = (flushed.delivered.len() as u64, flushed.waiting as u64);
    emit(output, &OutboxFlushed { delivered, waiting });
    let worst = flushed.problems.iter().map(Problem::exit).fold(Exit::Done, Exit::worst);
    let survived = flushed.problems.is_empty();
    flushed.problems.into_iter().for_each(|problem| drop(output.problem(problem)));
    Ok(match (survived, waiting) {
        (true, _) => Exit::Done,
        (false, 0) => Exit::Partial,
        (false, _) => worst,
    })
}

#[cfg(test)]
mod tests {
    use super::events;

    const GOOD: &str = r#"{"specversion":"1.0","id":"1","source":"/x","type":"t"}"#;

    #[test]
    fn all_lines_are_events_or_none_is_taken() {
        let read = |text: &str| events(&mut text.as_bytes());
        assert_eq!(read("").unwrap().len(), 0);
        assert_eq!(read(&format!("{GOOD}\n{GOOD}")).unwrap().len(), 2);
        let large = format!("{GOOD}\n\"{}\"\n", "x".repeat(70_000));
        for (text, words) in [
            (format!("{GOOD}\n\n"), "line 2"),
            (format!("{GOOD}\n{GOOD}\n{{}}\n"), "line 3"),
            (large, "line 2"),
        ] {
            let problem = read(&text).unwrap_err();
            assert!(problem.what.contains(words), "{}", problem.what);
            assert_eq!(problem.exit().code(), 2);
        }
    }
}
