//! Plans that a guard refused, and the approvals that let them through.
//!
//! A plan's id is the digest of its destructive entries; an approval passes any plan
//! whose destructive entries are among the approved ones, for 24 hours, once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use host::error::Attempt;
use host::publish;
use jiff::{SignedDuration, Timestamp};
use model::problem::{Code, Problem};
use serde::{Deserialize, Serialize};

use crate::state::{self, FILE_MODE, open_folder};

/// How long an approval lasts.
pub const LASTS: SignedDuration = SignedDuration::from_hours(24);

const LIMIT: u64 = 1 << 30;

/// The digest of one destructive entry.
pub type EntryDigest = [u8; 16];

/// The destructive part of a plan, as it is kept when a guard refuses it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeptPlan {
    /// The digest of its entries, in hexadecimal.
    pub id: String,
    /// The job it belongs to.
    pub job: String,
    /// When it was refused.
    pub refused: Timestamp,
    /// When it was approved; `None` while it is not.
    pub approved: Option<Timestamp>,
    /// Why it was refused, for people.
    pub why: String,
    /// The entries' digests in hexadecimal, sorted.
    pub entries: BTreeSet<String>,
}

/// The id of a plan with these destructive entries; the order does not matter.
pub fn plan_id(entries: &BTreeSet<EntryDigest>) -> String {
    let mut hasher = blake3::Hasher::new();
    for entry in entries {
        hasher.update(entry);
    }
    HEXLOWER.encode(&hasher.finalize().as_bytes()[..16])
}

/// The plans of one job, in a folder of the state.
#[derive(Debug)]
pub struct Plans {
    folder: PathBuf,
}

impl Plans {
    /// The plans kept below this folder of the state.
    pub fn of(job_state: &Path) -> Plans {
        Plans { folder: job_state.join("plans") }
    }

    /// Keeps a refused plan; a plan that is kept already keeps its approval.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be written.
    pub fn keep(
        &self,
        job: &str,
        entries: &BTreeSet<EntryDigest>,
        why: &str,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let id = plan_id(entries);
        let entries = entries.iter().map(|entry| HEXLOWER.encode(entry)).collect();
        let plan = KeptPlan {
            id: id.clone(),
            job: job.to_owned(),
            refused: now,
            approved: None,
            why: why.to_owned(),
            entries,
        };
        self.write(&plan)?;
        self.forget_old(now)?;
        Ok(id)
    }

    /// Approves a kept plan, named by its id or the beginning of it.
    ///
    /// # Errors
    /// [`Code::NotFound`] when no plan, or more than one, begins like this.
    pub fn approve(&self, id: &str, now: Timestamp) -> Result<KeptPlan, Problem> {
        let mut found =
            self.all()?.into_iter().filter(|plan| !id.is_empty() && plan.id.starts_with(id));
        let not_found = |what: &str| Problem::new(Code::NotFound, what).at(id);
        let mut plan = found.next().ok_or_else(|| not_found("no kept plan has this id"))?;
        if found.next().is_some() {
            return Err(not_found("more than one kept plan begins like this"));
        }
        plan.approved = Some(now);
        self.write(&plan)?;
        Ok(plan)
    }

    /// The approval that covers all these entries, if there is one that still lasts.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when the plans can't be read.
    pub fn approval_of(
        &self,
        entries: &BTreeSet<EntryDigest>,
        now: Timestamp,
    ) -> Result<Option<KeptPlan>, Problem> {
        let covers = |plan: &KeptPlan| {
            entries.iter().all(|entry| plan.entries.contains(&HEXLOWER.encode(entry)))
        };
        let lasts = |plan: &KeptPlan| {
            plan.approved.is_some_and(|at| at <= now && now.duration_since(at) < LASTS)
        };
        Ok(self.all()?.into_iter().find(|plan| lasts(plan) && covers(plan)))
    }

    /// Forgets an approval that was applied whole.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be removed.
    pub fn spend(&self, plan: &KeptPlan) -> Result<(), Problem> {
        let path = self.folder.join(file_name(&plan.id));
        std::fs::remove_file(&path).attempt("remove", &path).map_err(state::unusable)
    }

    /// Every kept plan, newest first.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when they can't be read.
    pub fn all(&self) -> Result<Vec<KeptPlan>, Problem> {
        if !self.folder.is_dir() {
            return Ok(Vec::new());
        }
        let dir = open_folder(&self.folder)?;
        let mut plans = Vec::new();
        for entry in dir.entries().map_err(state::unusable)? {
            let text = publish::read(&dir, &entry.name, LIMIT).map_err(state::unusable)?;
            plans.extend(text.and_then(|text| serde_json::from_slice::<KeptPlan>(&text).ok()));
        }
        plans.sort_by_key(|plan| std::cmp::Reverse(plan.refused));
        Ok(plans)
    }

    fn write(&self, plan: &KeptPlan) -> Result<(), Problem> {
        std::fs::create_dir_all(&self.folder)
            .attempt("make folder", &self.folder)
            .map_err(state::unusable)?;
        let text = serde_json::to_vec(plan).unwrap_or_default();
        let dir = open_folder(&self.folder)?;
        publish::replace(&dir, file_name(&plan.id).as_bytes(), &text, FILE_MODE)
            .map_err(state::unusable)
    }

    /// A refused plan is of no use to anybody after a month.
    fn forget_old(&self, now: Timestamp) -> Result<(), Problem> {
        let month = SignedDuration::from_hours(30 * 24);
        for plan in self.all()?.iter().filter(|plan| now.duration_since(plan.refused) > month) {
            self.spend(plan)?;
        }
        Ok(())
    }
}

fn file_name(id: &str) -> String {
    format!("{id}.json")
}

#[cfg(test)]
mod tests {
    use super::{EntryDigest, LASTS, Plans};
    use std::collections::BTreeSet;

    fn entries(of: &[u8]) -> BTreeSet<EntryDigest> {
        of.iter().map(|b| [*b; 16]).collect()
    }

    #[test]
    fn an_approval_passes_any_part_of_its_plan_for_a_day_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let plans = Plans::of(temp.path());
        let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let id = plans.keep("icloud", &entries(&[1, 2, 3]), "too many", now).unwrap();
        assert!(plans.approval_of(&entries(&[1]), now).unwrap().is_none());

        assert!(plans.approve("", now).is_err());
        assert!(plans.approve("ffff", now).is_err());
        let plan = plans.approve(&id[..8], now).unwrap();
        assert!(plans.approval_of(&entries(&[1, 3]), now).unwrap().is_some());
        assert!(plans.approval_of(&entries(&[1, 4]), now).unwrap().is_none());
        assert!(plans.approval_of(&entries(&[1]), now + LASTS).unwrap().is_none());

        plans.spend(&plan).unwrap();
        assert!(plans.approval_of(&entries(&[1]), now).unwrap().is_none());
    }
}
