//! How good is it: a pure function from facts, promises and time to a status.

mod cloud;
mod pillar;
mod scrub;
mod spool;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use model::config::{Health, Kind};
use model::device::Device;
use model::problem::Problem;
use model::status::{Component, Level, Status};
use serde_json::{Map, Value};

use crate::facts::Facts;

/// What a judgement goes by beside the facts.
#[derive(Clone, Debug)]
pub struct Bench<'a> {
    /// The device.
    pub device: &'a Device,
    /// What was promised.
    pub promises: Health,
    /// What sort of machine it is; one that travels may be away from its pillars.
    pub kind: Option<Kind>,
    /// `linux`, `macos` or `windows`.
    pub platform: &'a str,
    /// The toolkit's version.
    pub version: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// Judges a device. What did not change since the previous status keeps its `since`.
pub fn judge(facts: &Facts, bench: &Bench<'_>, previous: Option<&Status>) -> Status {
    let pillars = facts.pillars.iter().map(|facts| pillar::judge(facts, bench));
    let clouds = facts.clouds.iter().map(|facts| cloud::judge(facts, bench.now));
    let spool = spool::judge(&facts.outbox, bench);
    let scrubs = facts.scrubs.iter().map(|facts| scrub::judge(facts, bench.now));
    let findings = pillars.chain(clouds).chain([spool]).chain(scrubs);
    let components: Vec<Component> =
        findings.map(|finding| component(finding, previous, bench.now)).collect();
    Status {
        schema: 1,
        version: bench.version.to_owned(),
        host: bench.device.host().to_owned(),
        user: bench.device.user().to_owned(),
        platform: bench.platform.to_owned(),
        time: bench.now,
        overall: overall(&components),
        components,
    }
}

/// The worst of the components; of none at all nothing is known.
fn overall(components: &[Component]) -> Level {
    components.iter().map(|component| component.state).max().unwrap_or(Level::Unknown)
}

/// A component's judgement, before its history is known.
struct Finding {
    name: String,
    level: Level,
    message: String,
    last_run: Option<Timestamp>,
    last_success: Option<Timestamp>,
    figures: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Finding {
    fn new(name: String, level: Level, message: impl Into<String>) -> Finding {
        Finding {
            name,
            level,
            message: message.into(),
            last_run: None,
            last_success: None,
            figures: Map::new(),
            problems: Vec::new(),
        }
    }

    fn figure(mut self, name: &str, value: impl Into<Value>) -> Finding {
        self.figures.insert(name.to_owned(), value.into());
        self
    }

    fn because(mut self, problem: impl Into<Option<Problem>>) -> Finding {
        self.problems.extend(problem.into());
        self
    }
}

fn component(finding: Finding, previous: Option<&Status>, now: Timestamp) -> Component {
    let former = previous.and_then(|status| status.component(&finding.name));
    let unchanged = former.filter(|former| former.state == finding.level);
    Component {
        since: Some(unchanged.and_then(|former| former.since).unwrap_or(now)),
        name: finding.name,
        state: finding.level,
        last_success: finding.last_success,
        last_run: finding.last_run,
        message: finding.message,
        figures: finding.figures,
        problems: finding.problems,
    }
}

/// How a length of time stands to what was promised: a look when it is over, a hand when thrice.
fn against(age: jiff::SignedDuration, promised: model::config::Period) -> Level {
    let age = u64::try_from(age.as_secs()).unwrap_or(0);
    match promised.as_secs() {
        promised if age <= promised => Level::Ok,
        promised if age <= promised.saturating_mul(3) => Level::Warn,
        _ => Level::Critical,
    }
}
