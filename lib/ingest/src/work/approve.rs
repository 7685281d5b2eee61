//! Plans that a guard stops: kept, refused, and let through by an approval of just that plan.

use std::collections::BTreeSet;

use model::problem::{Code, Problem};
use store::approvals::{EntryDigest, KeptPlan, Plans, plan_id};

use super::Work;
use crate::guard::Verdict;
use crate::identity::{OtherRoot, RootIdentity};
use crate::known::Known;
use crate::plan::{PlanLog, entry_digest};
use crate::source::Source;

impl Work<'_> {
    /// Whose folder the source root is.
    pub(super) fn root_identity(&self, source: &Source) -> RootIdentity {
        RootIdentity::of(&source.dir, self.settings.account.as_deref())
    }

    /// How the source root is another one than the one that was ingested last; `None` for the same.
    pub(super) fn other_root(
        &self,
        source: &Source,
        known: &Known,
    ) -> Result<Option<OtherRoot>, Problem> {
        let before = RootIdentity::known(&known.manifest)?;
        Ok(before.and_then(|before| self.root_identity(source).differs_from(&before)))
    }

    /// Passes, or finds the approval that covers the plan, or keeps the plan and refuses it.
    ///
    /// `moves` are digests of what is another volume or root than before.
    pub(super) fn let_through(
        &self,
        verdict: Verdict,
        log: &mut PlanLog,
        moves: &[EntryDigest],
        plan: &mut Option<String>,
    ) -> Result<Option<KeptPlan>, Problem> {
        let Verdict::Refuse { code, why } = verdict else {
            if self.settings.dry_run {
                *plan = Some(plan_id(&destructive(log)?))
                    .filter(|_| log.tally().gone + log.tally().rewrites > 0);
            }
            return Ok(None);
        };
        let mut entries = destructive(log)?;
        entries.extend(moves);
        let plans = Plans::of(self.folder);
        let now = self.machine.clock.now();
        *plan = Some(plan_id(&entries));
        if let Some(approval) = plans.approval_of(&entries, now)? {
            return Ok(Some(approval));
        }
        let id = plans.keep(self.settings.cloud.as_str(), &entries, &why, now)?;
        let hint = match code {
            Code::GuardExceeded => code.hint().replace("PLAN", &id),
            _ => format!("{}: phc-ingest approve {id}", code.hint()),
        };
        Err(Problem::new(code, why).at(self.settings.source.as_path()).hint(hint))
    }
}

/// The digests of everything in the plan that destroys.
fn destructive(log: &mut PlanLog) -> Result<BTreeSet<EntryDigest>, Problem> {
    let mut entries = BTreeSet::new();
    for part in log.read()? {
        let part = part?;
        entries.extend(part.items.iter().filter_map(|item| entry_digest(&part.path, item)));
    }
    Ok(entries)
}

/// What stands for a root's move to another volume.
pub(super) fn volume_digest(volume: &str) -> EntryDigest {
    let mut digest = EntryDigest::default();
    blake3::Hasher::new()
        .update(b"volume")
        .update(volume.as_bytes())
        .finalize_xof()
        .fill(&mut digest);
    digest
}
