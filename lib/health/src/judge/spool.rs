//! The spool: what waits gets away in time, and nothing was given up.

use model::problem::{Code, Problem};
use model::status::Level;

use super::{Bench, Finding, against};
use crate::facts::OutboxFacts;

pub(super) fn judge(outbox: &Result<OutboxFacts, Problem>, bench: &Bench<'_>) -> Finding {
    let name = "spool".to_owned();
    let facts = match outbox {
        Ok(facts) => facts,
        Err(problem) => {
            let finding = Finding::new(name, Level::Unknown, &problem.what);
            return figures(finding.because(problem.clone()), None);
        }
    };
    let age = facts.oldest.map(|oldest| bench.now.duration_since(oldest));
    let level = age.map_or(Level::Ok, |age| against(age, bench.promises.outbox_max_age));
    let finding = match (level, facts.dead) {
        (Level::Ok, 0) => Finding::new(name, Level::Ok, waiting(facts)),
        (Level::Ok, _) => Finding::new(name, Level::Warn, given_up(facts)),
        (level, _) => Finding::new(name, level, waiting(facts)).because(Problem::new(
            Code::OutboxWaiting,
            format!("events wait for longer than {}", bench.promises.outbox_max_age),
        )),
    };
    let dead = (facts.dead > 0).then(|| Problem::new(Code::SegmentDead, given_up(facts)));
    figures(finding.because(dead), Some(facts))
}

fn waiting(facts: &OutboxFacts) -> String {
    match (facts.segments, facts.oldest) {
        (0, _) | (_, None) => "nothing waits".to_owned(),
        (1, Some(oldest)) => format!("1 segment waits since {oldest}"),
        (segments, Some(oldest)) => format!("{segments} segments wait, the oldest since {oldest}"),
    }
}

fn given_up(facts: &OutboxFacts) -> String {
    match facts.dead {
        1 => "a consumer gave up 1 segment".to_owned(),
        dead => format!("consumers gave up {dead} segments"),
    }
}

fn figures(finding: Finding, facts: Option<&OutboxFacts>) -> Finding {
    let finding = finding.figure("waiting_segments", facts.map(|facts| facts.segments));
    let finding = finding.figure("waiting_bytes", facts.map(|facts| facts.bytes));
    finding.figure("dead_segments", facts.map(|facts| facts.dead))
}
