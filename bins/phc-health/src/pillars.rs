//! The pillars as health judges them, from what mount found.

use cli::Settings;
use health::{Found, PillarFacts};
use model::problem::{Code, Problem};
use model::sentinel::Pillar;
use mount::pins::Pins;
use mount::{Prober, Report, State, Wanted};
use store::space::SpaceRoot;

/// Looks at every pillar, and proves the space or says why not.
///
/// Pins that can't be read make the space unknown; the rest is judged all the same.
pub fn look(settings: &Settings) -> (Vec<PillarFacts>, Result<SpaceRoot, Problem>) {
    let pins = match Pins::load(&settings.state) {
        Ok(pins) => pins,
        Err(problem) => return (vec![unknown(&problem)], Err(problem)),
    };
    let prober = Prober::own();
    let all = Pillar::ALL.map(|pillar| wanted(settings, pillar));
    let mounts = settings.config.host.mounts;
    let reports = mount::status(&all, &pins, &prober).into_iter();
    let found = reports.filter_map(|report| facts(report, mounts)).collect();
    (found, mount::prove(&wanted(settings, Pillar::Space), &pins, &prober))
}

/// What is expected of a pillar on this host; `--space` says where the space is.
fn wanted(settings: &Settings, pillar: Pillar) -> Wanted {
    let wanted = Wanted::from(&settings.config, &settings.places.home, pillar);
    match &settings.space {
        Some(dir) if pillar == Pillar::Space => wanted.at(dir),
        _ => wanted,
    }
}

fn unknown(problem: &Problem) -> PillarFacts {
    PillarFacts {
        pillar: Pillar::Space,
        found: Found::Unknown,
        message: problem.what.clone(),
        problem: Some(problem.clone()),
        total: None,
        free: None,
    }
}

/// What was found of a pillar; `None` for one that this host need not have.
fn facts(report: Report, mounts: bool) -> Option<PillarFacts> {
    let skipped = report.state == State::Skipped;
    if skipped && !(mounts && report.pillar == Pillar::Space) {
        return None;
    }
    let found = found(report.state);
    Some(PillarFacts {
        pillar: report.pillar,
        found,
        problem: (found != Found::Real).then(|| problem(&report, found)),
        message: report.message,
        total: report.total_bytes,
        free: report.free_bytes,
    })
}

fn found(state: State) -> Found {
    match state {
        State::Healthy => Found::Real,
        State::Skipped => Found::Unknown,
        State::NotMounted | State::NoMountPoint | State::Stale => Found::Away,
        _ => Found::Wrong,
    }
}

fn problem(report: &Report, found: Found) -> Problem {
    let code = match (found, report.state) {
        (_, State::Stale) => Code::SpaceStale,
        (_, State::ReadOnly) => Code::SpaceReadOnly,
        (_, State::Unadopted | State::NoSentinel | State::Skipped) => Code::SpaceUnadopted,
        (_, State::ForeignSentinel | State::WrongVolume) => Code::SpaceForeign,
        (Found::Wrong, _) => Code::SpaceWrongMount,
        _ => Code::SpaceAway,
    };
    let problem = Problem::new(code, &report.message).hint(&report.hint);
    match &report.path {
        Some(path) => problem.at(path.clone()),
        None => problem,
    }
}
