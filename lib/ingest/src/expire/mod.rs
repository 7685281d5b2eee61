//! Expiring: the one place that destroys (safety law 6).
//!
//! Facts (every version in `_trash`) → [`plan`] (pure) → guard → apply.

mod facts;
mod plan;

pub use facts::{Version, versions};
pub use plan::{Plan, Why, plan};

use std::collections::BTreeSet;

use host::clock::Clock;
use host::stop::Stop;
use jiff::Timestamp;
use model::config::Trash;
use model::device::Device;
use model::emit::{Emit, emit as tell};
use model::event::Payload;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use serde::{Deserialize, Serialize};
use store::approvals::{EntryDigest, KeptPlan, Plans, plan_id};
use store::space::SpaceRoot;
use store::{device, layout};

/// `phc.ingest.trash.expired`: what an expiry destroyed, or would destroy.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Expired {
    /// Versions in the trash before.
    pub versions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions destroyed.
    pub destroyed: u64,
    /// Their bytes.
    pub destroyed_bytes: u64,
    /// Of those, older than `keep_age`.
    pub by_age: u64,
    /// Of those, more than `keep_versions` of one path.
    pub by_count: u64,
    /// Of those, beyond `max_bytes`.
    pub by_bytes: u64,
    /// True if nothing was touched.
    pub dry_run: bool,
    /// The plan's id; null when it destroys nothing.
    pub plan: Option<String>,
    /// True if a guard stopped it; nothing was touched then.
    pub refused: bool,
}

impl Payload for Expired {
    const NOUN_VERB: &'static str = "trash.expired";

    fn subject(&self) -> Option<String> {
        self.plan.clone()
    }
}

/// `phc.ingest.version.expired`: one version that an expiry destroys, or would destroy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VersionExpired {
    /// Its path below `_trash`.
    pub path: RelPath,
    /// Size in bytes.
    pub size: u64,
    /// When it was put away.
    #[schemars(with = "String")]
    pub put_away: Timestamp,
    /// Why it may go.
    pub why: Why,
}

impl Payload for VersionExpired {
    const NOUN_VERB: &'static str = "version.expired";

    fn subject(&self) -> Option<String> {
        self.path.text().as_str().map(str::to_owned)
    }
}

/// What an expiry needs.
#[derive(Debug)]
pub struct Expire<'a> {
    /// Whose trash.
    pub device: &'a Device,
    /// What is kept.
    pub policy: &'a Trash,
    /// The space.
    pub space: &'a SpaceRoot,
    /// The state folder of this device's expiries; its plans are kept there.
    pub state: &'a std::path::Path,
    /// True if nothing may be touched.
    pub dry_run: bool,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Asked to stop.
    pub stop: &'a Stop,
}

/// Destroys the versions that the policy no longer keeps; what it did is told as its last event.
///
/// # Errors
/// A refusal by the guard, after its event was told; a clock that can't be right; a trash
/// that can't be read or emptied.
pub fn expire(what: &Expire<'_>, emit: &mut dyn Emit) -> Result<Expired, Problem> {
    let now = what.clock.now();
    let found = versions(what.space, what.device)?;
    refuse_wrong_clock(&found, now)?;
    let plan = plan(&found, what.policy, now);
    let entries: BTreeSet<EntryDigest> =
        plan.doomed.iter().map(|(at, _)| found[*at].digest()).collect();
    if emit.wants_files() {
        for (at, why) in &plan.doomed {
            let Version { path, put_away, size } = found[*at].clone();
            tell(emit, &VersionExpired { path, size, put_away, why: *why });
        }
    }
    let mut expired = told(&found, &plan, what.dry_run, &entries);
    let approval = match judge(what, &plan, &found, &entries, now) {
        Ok(approval) => approval,
        Err(problem) => {
            expired.refused = true;
            (expired.destroyed, expired.destroyed_bytes) = (0, 0);
            tell(emit, &expired);
            return Err(problem);
        }
    };
    if !what.dry_run {
        destroy(what, &found, &plan)?;
        if let Some(plan) = approval {
            Plans::of(what.state).spend(&plan)?;
        }
    }
    tell(emit, &expired);
    Ok(expired)
}

/// A version from the future says that the clock is wrong, now or then: ages mean nothing.
fn refuse_wrong_clock(found: &[Version], now: Timestamp) -> Result<(), Problem> {
    let tomorrow =
        now.saturating_add(jiff::SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    match found.iter().map(|v| v.put_away).max().filter(|newest| *newest > tomorrow) {
        None => Ok(()),
        Some(newest) => {
            let why = format!("a version in _trash is from {newest}, which is yet to come");
            Err(Problem::new(Code::ClockWrong, why))
        }
    }
}

fn judge(
    what: &Expire<'_>,
    plan: &Plan,
    found: &[Version],
    entries: &BTreeSet<EntryDigest>,
    now: Timestamp,
) -> Result<Option<KeptPlan>, Problem> {
    let guard = what.policy.guard;
    let (doomed, all) = (plan.doomed.len() as u64, found.len() as u64);
    if doomed <= guard.files || !guard.share.exceeded_by(doomed, all) {
        return Ok(None);
    }
    let plans = Plans::of(what.state);
    if let Some(approval) = plans.approval_of(entries, now)? {
        return Ok(Some(approval));
    }
    let why = format!("{doomed} of {all} versions in _trash would be destroyed at once");
    let id = plans.keep("expire", entries, &why, now)?;
    let hint = format!("look at it with --dry-run -v; if it is meant: phc-ingest approve {id}");
    Err(Problem::new(Code::GuardExceeded, why).hint(hint))
}

fn told(found: &[Version], plan: &Plan, dry_run: bool, entries: &BTreeSet<EntryDigest>) -> Expired {
    let by = |why: Why| plan.doomed.iter().filter(|(_, w)| *w == why).count() as u64;
    Expired {
        versions: found.len() as u64,
        bytes: found.iter().map(|v| v.size).sum(),
        destroyed: plan.doomed.len() as u64,
        destroyed_bytes: plan.doomed.iter().map(|(at, _)| found[*at].size).sum(),
        by_age: by(Why::Age),
        by_count: by(Why::Count),
        by_bytes: by(Why::Bytes),
        dry_run,
        plan: (!entries.is_empty()).then(|| plan_id(entries)),
        refused: false,
    }
}

fn destroy(what: &Expire<'_>, found: &[Version], plan: &Plan) -> Result<(), Problem> {
    let trash = what.space.dir().beneath(&layout::trash(what.device));
    let Ok(trash) = trash else { return Ok(()) };
    for (at, _) in &plan.doomed {
        if what.stop.asked() {
            break;
        }
        let Some((folder, name)) = found[*at].path.split() else { continue };
        let dir = trash.beneath(&folder).map_err(device::away)?;
        dir.remove_file(name).map_err(device::away)?;
    }
    facts::remove_empty_folders(&trash)
}
