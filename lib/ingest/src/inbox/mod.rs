//! Inboxes: folders that things arrive in, and that may be emptied.
//!
//! What arrived is kept under its own name, or under a numbered one where another thing of
//! that name arrived before ([`slots`]). Nothing of it is ever taken for gone. With
//! `consume` it leaves the inbox: what lies in the space beside `devices` by a rename, all
//! else once its copy was read again and is what the committed row says (`consume`).

mod consume;
pub mod slots;
mod told;

pub use told::{ArrivedFile, InboxArrived};

use host::{Dir, Facts};
use model::config::Inbox;
use model::emit::Emit;
use model::ingest::Totals;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::Manifest;
use store::space::SpaceRoot;

use crate::plan::{PlanLog, Todo};
use crate::run::Machine;
use crate::settings::Settings;
use crate::source::{self, Source};
use crate::teller::Teller;
use consume::{Consumption, consume};

/// How the files of an inbox are brought in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrivals {
    /// What the configuration says.
    pub inbox: Inbox,
    /// True if it lies in the space itself.
    pub in_space: bool,
}

impl Arrivals {
    /// True if its files stay where they are and are only catalogued.
    pub fn in_place(self) -> bool {
        self.in_space && !self.inbox.consume
    }

    /// True if nothing was written to a file with these facts for as long as was asked.
    pub fn is_settled(self, facts: &Facts, now_ns: i64) -> bool {
        let wait = i64::try_from(self.inbox.settle.duration().as_nanos()).unwrap_or(i64::MAX);
        // The modification time is whatever the sender says; only the change time is the system's.
        let newest = facts.ctime_ns.unwrap_or(facts.mtime_ns);
        newest <= now_ns.saturating_sub(wait)
    }
}

/// The source of a run, proven to be no part of what it would write to; with how it is brought
/// in where it is an inbox.
///
/// # Errors
/// [`model::problem::Code::Loop`].
pub(crate) fn without_loops(
    source: Source,
    space: &SpaceRoot,
    settings: &Settings,
) -> Result<Source, Problem> {
    let Some(inbox) = settings.inbox else {
        source::refuse_loops(&source, space, &settings.state)?;
        return Ok(source);
    };
    let source = source::refuse_loops_of_inbox(source, space, &settings.state)?;
    let in_space = source.in_space.is_some();
    Ok(Source { arrivals: Some(Arrivals { inbox, in_space }), ..source })
}

/// The folder of the space below which what arrives lies.
pub(crate) fn place(source: &Source, copies: RelPath) -> Option<RelPath> {
    source
        .arrivals
        .map(|arrivals| source.in_space.clone().filter(|_| arrivals.in_place()).unwrap_or(copies))
}

/// Remembers in the manifest whether it is that of an inbox.
pub(crate) fn remember(manifest: &Manifest, settings: &Settings) -> Result<(), Problem> {
    if settings.inbox.is_some() != is_one(manifest)? {
        let word = if settings.inbox.is_some() { "yes" } else { "no" };
        manifest.set_meta("inbox", word)?;
    }
    Ok(())
}

/// True if the manifest is that of an inbox: what lies in its copy may be nowhere else.
pub(crate) fn is_one(manifest: &Manifest) -> Result<bool, Problem> {
    Ok(manifest.meta("inbox")?.is_some_and(|word| word == "yes"))
}

/// Empties an inbox of what is proven to be in the space by now.
pub(crate) fn empty(
    source: &Source,
    copy: &Dir,
    manifest: &Manifest,
    (settings, machine): (&Settings, &Machine<'_>),
    totals: &mut Totals,
    teller: &mut Teller<'_>,
) -> Result<(), Problem> {
    let Some(arrivals) = source.arrivals.filter(|arrivals| arrivals.inbox.consume) else {
        return Ok(());
    };
    let consumed = consume(&Consumption {
        source: &source.dir,
        copy,
        reader: &manifest.reader()?,
        excludes: &settings.excludes,
        arrivals,
        stop: machine.stop,
        clock: machine.clock,
    })?;
    totals.consumed += consumed.files;
    for problem in consumed.problems {
        teller.problem(problem);
    }
    Ok(())
}

/// The plan without what left the inbox: it ends empty by design.
pub(crate) fn only_arrivals(mut log: PlanLog) -> Result<PlanLog, Problem> {
    let kept = log.another();
    for part in log.read()? {
        let mut part = part?;
        part.items.retain(|item| !matches!(item.todo, Todo::Gone { .. } | Todo::MakeWay));
        if !part.is_gone && part.has_anything() {
            kept.put(part)?;
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::Arrivals;
    use host::Facts;
    use model::config::{Inbox, Period};

    #[test]
    fn a_file_is_settled_by_its_change_time_whatever_the_sender_says() {
        let inbox = Inbox { consume: true, remove_folders: false, settle: Period::seconds(10) };
        let arrivals = Arrivals { inbox, in_space: false };
        let facts = |mtime_ns, ctime_ns| Facts { mtime_ns, ctime_ns, ..Facts::plain(1) };
        let now = 100_000_000_000;
        assert!(arrivals.is_settled(&facts(now, Some(now - 10_000_000_000)), now));
        assert!(!arrivals.is_settled(&facts(0, Some(now - 9_000_000_000)), now));
        assert!(!arrivals.is_settled(&facts(now, None), now));
    }
}
