//! Taking runs' outcomes from a pipe: `phc-ingest run --format json | phc-health record -`.

use std::io::{BufRead, Read};

use model::cloud::CloudId;
use model::device::Device;
use model::emit::Emit;
use model::event::{BadEvent, Event, MAX_EVENT_BYTES};
use model::problem::{Code, Problem};
use model::run::Outcome;
use store::state::State;

use crate::runs::{self, FINISHED, Run};

/// What came through the pipe.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recorded {
    /// Events, of whatever type.
    pub events: u64,
    /// Lines that are none; each was reported.
    pub invalid: u64,
    /// Runs that ended.
    pub runs: u64,
    /// Those of them that did not end well.
    pub troubled: u64,
}

/// Reads events to the end of the input and keeps how runs ended.
///
/// Events of other types pass, and problems were told by whoever wrote them. A line that
/// is no event is reported with its number; the rest is read all the same.
///
/// # Errors
/// `io` when the input can't be read, `state-unusable` when an outcome can't be kept.
pub fn record(
    mut input: impl BufRead,
    state: &State,
    device: &Device,
    to: &mut dyn Emit,
) -> Result<Recorded, Problem> {
    let mut recorded = Recorded::default();
    let mut number = 0_u64;
    while let Some(line) = line(&mut input)? {
        number += 1;
        let taken = parse(&line).map_err(|why| invalid(number, &why));
        match taken.and_then(|event| take(&event, number, state, device, &mut recorded)) {
            Ok(()) => recorded.events += 1,
            Err(problem) if problem.code == Code::EventInvalid => {
                recorded.invalid += 1;
                to.problem(problem);
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(recorded)
}

fn take(
    event: &Event,
    number: u64,
    state: &State,
    device: &Device,
    recorded: &mut Recorded,
) -> Result<(), Problem> {
    if event.kind != FINISHED {
        return Ok(());
    }
    let run = Run::of(event).map_err(|why| invalid(number, &why))?;
    let cloud = CloudId::new(&run.finished.job).map_err(|e| invalid(number, &e.to_string()))?;
    let own = format!("/phc/{device}/ingest");
    if event.source != own {
        return Err(invalid(number, &format!("it is of {}, not of {own}", event.source)));
    }
    recorded.runs += 1;
    recorded.troubled += u64::from(run.finished.outcome != Outcome::Done);
    if run.finished.dry_run {
        return Ok(());
    }
    runs::keep(state, device, &cloud, event, &run).map(drop)
}

fn parse(line: &[u8]) -> Result<Event, String> {
    let too_large = || BadEvent::TooLarge(line.len()).to_string();
    let text = if line.len() > MAX_EVENT_BYTES { Err(too_large()) } else { Ok(line) }?;
    let text = std::str::from_utf8(text).map_err(|e| e.to_string())?;
    Event::parse(text).map_err(|e| e.to_string())
}

fn invalid(number: u64, why: &str) -> Problem {
    Problem::new(Code::EventInvalid, why).at(format!("line {number}"))
}

/// The next line without its end, cut off beyond what an event may have; `None` at the end.
fn line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, Problem> {
    let broken = |e: std::io::Error| Problem::new(Code::Io, format!("can't read the events: {e}"));
    let mut line = Vec::new();
    let limit = MAX_EVENT_BYTES as u64 + 2;
    if input.by_ref().take(limit).read_until(b'\n', &mut line).map_err(broken)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() as u64 == limit {
        input.skip_until(b'\n').map_err(broken)?;
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::{MAX_EVENT_BYTES, line, record};
    use model::device::Device;
    use model::emit::Collected;
    use proptest::prelude::*;
    use store::state::State;

    fn lines(mut input: &[u8]) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| line(&mut input).unwrap()).collect()
    }

    #[test]
    fn a_line_without_an_end_costs_no_more_than_an_event() {
        let huge = [&vec![b'x'; 5 * MAX_EVENT_BYTES][..], b"\nnext\n", b"last"].concat();
        let lines = lines(&huge);
        assert_eq!(lines[0].len(), MAX_EVENT_BYTES + 2);
        assert_eq!(lines[1..], [b"next".to_vec(), b"last".to_vec()]);
    }

    proptest! {
        #[test]
        fn whatever_comes_every_line_is_an_event_or_reported(input: Vec<u8>) {
            let temp = tempfile::tempdir().unwrap();
            let state = State::open(temp.path()).unwrap();
            let device = Device::new("h", "u").unwrap();
            let mut told = Collected::of(device.clone(), crate::TOOL);
            let recorded = record(&input[..], &state, &device, &mut told).unwrap();
            prop_assert_eq!(recorded.events + recorded.invalid, lines(&input).len() as u64);
            prop_assert_eq!(recorded.invalid, told.problems.len() as u64);
        }
    }
}
