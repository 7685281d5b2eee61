//! Pure: may this plan be applied?

use model::config::Guard;
use model::problem::Code;
use store::manifest::Applied;

use crate::identity::{OtherRoot, is_replaced};
use crate::plan::Tally;

/// What the guard looks at.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The plan.
    pub tally: &'a Tally,
    /// Live files that the manifest knows.
    pub known_files: u64,
    /// What runs of the guard's window destroyed, without what was approved.
    pub applied: Applied,
    /// True if the source root lists nothing.
    pub root_is_empty: bool,
    /// The volume that the root lay on before and lies on now, when both are known and differ.
    pub moved: bool,
    /// How the root is another one than before, if it is.
    pub other_root: Option<&'a OtherRoot>,
}

/// What the guard says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Go on.
    Pass,
    /// Stop, for this reason.
    Refuse {
        /// The problem's code.
        code: Code,
        /// The figures, for people.
        why: String,
    },
}

/// True if the verdict depends on how many files are known, which takes a look at every row.
pub fn asks_how_many(facts: &Facts<'_>, caps: &Guard) -> bool {
    let is_large = Judged::of(facts).files > caps.files || caps.bytes.is_some();
    facts.root_is_empty || facts.moved || facts.other_root.is_some() || is_large
}

/// True if the plan's candidates exceed the caps at stat level, so that they must be read first.
pub fn exceeds_caps(facts: &Facts<'_>, caps: &Guard) -> bool {
    Judged::of(facts).exceeds(caps)
}

/// Judges a whole plan (safety law 7).
pub fn judge(facts: &Facts<'_>, caps: &Guard) -> Verdict {
    let judged = Judged::of(facts);
    if facts.root_is_empty && facts.known_files > 0 {
        let why =
            format!("the source root is empty, but {} files of it are known", facts.known_files);
        return Verdict::Refuse { code: Code::RootEmpty, why };
    }
    if facts.moved && facts.known_files > 0 {
        let why = "the source root lies on another volume than before".to_owned();
        return Verdict::Refuse { code: Code::RootOtherVolume, why };
    }
    if let Some(verdict) = facts.other_root.and_then(|other| of_other_root(other, facts)) {
        return verdict;
    }
    if judged.exceeds(caps) {
        return Verdict::Refuse { code: Code::GuardExceeded, why: judged.words(facts) };
    }
    Verdict::Pass
}

/// Another account's files are never mixed into what is there, and another folder's only if it has most of them.
fn of_other_root(other: &OtherRoot, facts: &Facts<'_>) -> Option<Verdict> {
    let known_files = facts.known_files;
    let (code, why) = match other {
        OtherRoot::Account { before, now } if known_files > 0 => {
            (Code::RootOtherAccount, format!("the source root was {before}'s, and is {now}'s now"))
        }
        OtherRoot::Folder if is_replaced(known_files, facts.tally.gone + facts.tally.rewrites) => {
            let why = format!(
                "the source root is another folder than before, and has next to nothing of {known_files} known files"
            );
            (Code::RootReplaced, why)
        }
        _ => return None,
    };
    Some(Verdict::Refuse { code, why })
}

/// The plan together with what was applied in the window before it.
struct Judged {
    files: u64,
    bytes: u64,
    whole: u64,
    /// True if this plan itself destroys anything; what is past can't be refused any more.
    destroys: bool,
}

impl Judged {
    fn of(facts: &Facts<'_>) -> Judged {
        let (t, a) = (facts.tally, facts.applied);
        Judged {
            files: t.gone + t.rewrites + a.gone + a.rewritten,
            bytes: t.gone_bytes + t.rewrite_bytes + a.bytes,
            // What is gone already was known when the window began.
            whole: facts.known_files + a.gone,
            destroys: t.gone + t.rewrites > 0,
        }
    }

    fn exceeds(&self, caps: &Guard) -> bool {
        let by_count = self.files > caps.files && caps.share.exceeded_by(self.files, self.whole);
        let by_bytes = caps.bytes.is_some_and(|most| self.bytes > most.bytes());
        self.destroys && (by_count || by_bytes)
    }

    fn words(&self, facts: &Facts<'_>) -> String {
        let t = facts.tally;
        let before = facts.applied.gone + facts.applied.rewritten;
        format!(
            "{} files gone and {} rewritten, and {before} before within the guard's window, of {} known",
            t.gone, t.rewrites, self.whole
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Verdict, judge};
    use crate::identity::OtherRoot;
    use crate::plan::Tally;
    use model::config::Guard;
    use model::problem::Code;
    use proptest::prelude::*;
    use store::manifest::Applied;

    fn verdict(gone: u64, rewrites: u64, before: u64, known_files: u64) -> Verdict {
        let tally = Tally { gone, rewrites, ..Tally::default() };
        let applied = Applied { gone: before, ..Applied::default() };
        judge(
            &Facts {
                tally: &tally,
                known_files,
                applied,
                root_is_empty: false,
                moved: false,
                other_root: None,
            },
            &Guard::default(),
        )
    }

    #[test]
    fn more_than_a_quarter_and_more_than_a_hundred_is_refused() {
        let refused = |v: Verdict| matches!(v, Verdict::Refuse { code: Code::GuardExceeded, .. });
        assert!(!refused(verdict(100, 0, 0, 100)));
        assert!(!refused(verdict(101, 0, 0, 1000)));
        assert!(refused(verdict(251, 0, 0, 1000)));
        assert!(refused(verdict(0, 251, 0, 1000)));
        assert!(refused(verdict(126, 125, 0, 1000)));
    }

    #[test]
    fn small_batches_add_up_and_a_plan_that_destroys_nothing_passes() {
        let refused = |v: Verdict| v != Verdict::Pass;
        // 240 of 1000 went before: 760 are left, 11 more make 251 of 1000.
        assert!(!refused(verdict(10, 0, 240, 760)));
        assert!(refused(verdict(11, 0, 240, 760)));
        assert!(!refused(verdict(0, 0, 900, 100)));
    }

    #[test]
    fn an_empty_root_and_another_volume_are_refused_only_when_files_are_known() {
        for (known_files, passes) in [(1, false), (0, true)] {
            let tally = Tally::default();
            let facts = Facts {
                tally: &tally,
                known_files,
                applied: Applied::default(),
                root_is_empty: true,
                moved: false,
                other_root: None,
            };
            assert_eq!(judge(&facts, &Guard::default()) == Verdict::Pass, passes);
            let facts = Facts { root_is_empty: false, moved: true, ..facts };
            assert_eq!(judge(&facts, &Guard::default()) == Verdict::Pass, passes);
        }
    }

    #[test]
    fn another_account_is_refused_and_another_folder_that_has_nothing_in_common() {
        let account = OtherRoot::Account { before: "sam".into(), now: "kim".into() };
        for (other, known_files, gone, code) in [
            (&account, 50, 0, Some(Code::RootOtherAccount)),
            (&account, 0, 0, None),
            (&OtherRoot::Folder, 50, 50, Some(Code::RootReplaced)),
            (&OtherRoot::Folder, 50, 10, None),
            (&OtherRoot::Folder, 0, 0, None),
        ] {
            let tally = Tally { gone, ..Tally::default() };
            let facts = Facts {
                tally: &tally,
                known_files,
                applied: Applied::default(),
                root_is_empty: false,
                moved: false,
                other_root: Some(other),
            };
            let found = match judge(&facts, &Guard::default()) {
                Verdict::Refuse { code, .. } => Some(code),
                Verdict::Pass => None,
            };
            assert_eq!(found, code, "{other:?} {gone} of {known_files}");
        }
    }

    proptest! {
        #[test]
        fn destroying_more_never_turns_a_refusal_into_a_pass(
            gone in 0..2000u64, more in 0..500u64, before in 0..500u64, known in 0..3000u64,
        ) {
            let less = verdict(gone, 0, before, known) == Verdict::Pass;
            let worse = verdict(gone + more, 0, before, known) == Verdict::Pass;
            prop_assert!(less || !worse || gone == 0);
        }
    }
}
