//! A pillar: the real one, and with room.

use model::config::Kind;
use model::problem::{Code, Problem};
use model::status::Level;

use super::{Bench, Finding};
use crate::facts::{Found, PillarFacts};

pub(super) fn judge(facts: &PillarFacts, bench: &Bench<'_>) -> Finding {
    let name = format!("mount.{}", facts.pillar);
    let finding = match facts.found {
        Found::Real => room(name, facts, bench),
        Found::Unknown => Finding::new(name, Level::Unknown, &facts.message),
        Found::Wrong => Finding::new(name, Level::Critical, &facts.message),
        Found::Away => Finding::new(name, away(bench.kind), &facts.message),
    };
    let finding = finding.because(facts.problem.clone());
    finding.figure("total_bytes", facts.total).figure("free_bytes", facts.free)
}

/// A machine that travels is away from its pillars on many a day.
fn away(kind: Option<Kind>) -> Level {
    if kind == Some(Kind::Laptop) { Level::Warn } else { Level::Critical }
}

fn room(name: String, facts: &PillarFacts, bench: &Bench<'_>) -> Finding {
    let (Some(total), Some(free)) = (facts.total, facts.free) else {
        return Finding::new(name, Level::Unknown, "there, but its free space could not be told");
    };
    let promises = &bench.promises;
    let share = u128::from(free) * 100 / u128::from(total.max(1));
    let level = match free {
        _ if free < promises.free_critical.bytes_of(total) => Level::Critical,
        _ if free < promises.free_warn.bytes_of(total) => Level::Warn,
        _ => return Finding::new(name, Level::Ok, format!("{}, {share} % free", facts.message)),
    };
    let wanted = if level == Level::Warn { promises.free_warn } else { promises.free_critical };
    let message = format!("{share} % free, less than {wanted}");
    let problem = Problem::new(Code::SpaceFull, format!("{} has {message}", facts.pillar));
    Finding::new(name, level, message).because(problem)
}
