//! A scrub: every copy is what was stored, and was read not too long ago.

use jiff::{SignedDuration, Timestamp};
use model::problem::{Code, Problem};
use model::status::Level;

use super::Finding;
use crate::scrubs::Scrub;

pub(super) fn judge(scrub: &Scrub, now: Timestamp) -> Finding {
    let found = &scrub.found;
    let overdue = overdue(scrub, now);
    let bad = found.damaged + found.missing;
    let (level, message, problem) = if bad > 0 {
        let what = format!("{} copies damaged, {} missing", found.damaged, found.missing);
        (Level::Critical, what.clone(), Some(Problem::new(Code::CopyDamaged, what)))
    } else if found.source_rot > 0 {
        let what = format!("{} files of the source rotted", found.source_rot);
        (Level::Warn, what.clone(), Some(Problem::new(Code::SourceRot, what)))
    } else if let Some(what) = overdue {
        (Level::Warn, what.clone(), Some(Problem::new(Code::VerifyBehind, what)))
    } else if found.repaired > 0 {
        let what = format!("{} copies were made again", found.repaired);
        (Level::Warn, what.clone(), Some(Problem::new(Code::CopyRepaired, what)))
    } else {
        (Level::Ok, "every copy that was read is good".to_owned(), None)
    };
    let finding = Finding {
        last_run: Some(scrub.ended),
        last_success: Some(scrub.ended).filter(|_| level == Level::Ok),
        ..Finding::new(format!("verify.{}", scrub.name), level, message)
    };
    let rolling = found.rolling.as_ref();
    finding
        .because(problem)
        .figure("checked", found.checked)
        .figure("damaged", found.damaged)
        .figure("missing", found.missing)
        .figure("repaired", found.repaired)
        .figure("overdue", rolling.map(|rolling| rolling.overdue))
        .figure("oldest", rolling.and_then(|r| r.oldest).map(|time| time.to_string()))
}

/// What a rolling verify has not kept by now: it may have stopped coming.
fn overdue(scrub: &Scrub, now: Timestamp) -> Option<String> {
    let rolling = scrub.found.rolling.as_ref()?;
    let period = SignedDuration::from_secs(i64::try_from(rolling.period_s).ok()?);
    let oldest = rolling.oldest?;
    let is_late = now.duration_since(oldest) > period;
    (is_late || rolling.overdue > 0)
        .then(|| format!("a copy was not read since {oldest}; {} were overdue", rolling.overdue))
}
