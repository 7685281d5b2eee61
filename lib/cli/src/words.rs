//! Events in words, for people.

use std::time::Duration;

use model::event::Event;
use model::run::RunFinished;
use serde_json::Value;

use crate::figures;

/// Says an event in one line; `None` where words would only be noise.
pub type Words = fn(&Event) -> Option<String>;

/// Words for any event: a run's end in full, of everything else its type and subject.
pub fn plain(event: &Event) -> Option<String> {
    if event.kind.ends_with(".run.started") {
        return None;
    }
    if event.kind.ends_with(".run.finished") {
        return event.data_as::<RunFinished<Value>>().map(|run| finished(&run));
    }
    let what = event.kind.strip_prefix("phc.").unwrap_or(&event.kind);
    Some(match &event.subject {
        Some(subject) => format!("{what} {subject}"),
        None => what.to_owned(),
    })
}

/// How a run ended: `icloud: partial after 3.2 s, with 2 problems`.
pub fn finished<T>(run: &RunFinished<T>) -> String {
    let took = figures::period(Duration::from_millis(run.duration_ms));
    let (job, outcome) = (&run.job, run.outcome.name());
    let problems = match run.problems {
        0 => String::new(),
        number => format!(", with {}", figures::count(number, "problem")),
    };
    let dry = if run.dry_run { " (nothing was touched)" } else { "" };
    format!("{job}: {outcome} after {took}{problems}{dry}")
}

#[cfg(test)]
mod tests {
    use super::plain;
    use model::device::Device;
    use model::emit::{Collected, emit};
    use model::run::{Outcome, RunFinished, RunStarted};

    #[test]
    fn a_run_is_told_at_its_end_only() {
        let mut collected = Collected::of(Device::new("h", "u").unwrap(), "ingest");
        let started = RunStarted { job: "icloud".into(), dry_run: false, version: "0".to_owned() };
        assert_eq!(plain(&emit(&mut collected, &started)), None);
        let finished = RunFinished::<()> {
            job: "icloud".into(),
            outcome: Outcome::Partial,
            dry_run: false,
            started: jiff::Timestamp::UNIX_EPOCH,
            duration_ms: 3_200,
            totals: None,
            problems: 2,
            problem: None,
            plan: None,
        };
        let told = plain(&emit(&mut collected, &finished)).unwrap();
        assert_eq!(told, "icloud: partial after 3.2 s, with 2 problems");
    }
}
