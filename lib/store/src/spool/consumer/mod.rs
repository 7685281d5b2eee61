//! Consumers: who takes events, each at its own pace, at least once.
//!
//! A consumer remembers the set of segments that it finished, in a database of its own in
//! the state, and not a position: segments arrive late and out of order. What it is at is
//! leased, so that several processes may work for it at once. What it needs of others,
//! that `prune` waits for it, stands in its record in the space.

mod ledger;
mod name;
mod pass;
mod record;

pub use ledger::{Dead, Lease, Row, Standing};
pub use name::{BadName, ConsumerName};
pub use pass::{Handler, Pass, Verdict, pass};
pub use record::{Known, known};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use model::device::Device;
use model::problem::{Code, Problem};

use self::ledger::Ledger;
use super::segment::SegmentId;
use super::walk::{Found, Walk, walk};
use crate::space::SpaceRoot;
use crate::state::{self, State};

/// How a consumer treats what fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Failures after which a segment is dead for it.
    pub attempts: u32,
    /// How long it waits after the first failure; six times as long after each further one, an hour at most.
    pub backoff: Duration,
    /// How long a segment that was taken stays taken, a day at most.
    pub lease: Duration,
}

impl Rules {
    /// How long to wait after so many failures.
    fn pause(&self, failures: u32) -> SignedDuration {
        const LONGEST: Duration = Duration::from_secs(3600);
        let factor = 6_u32.saturating_pow(failures.saturating_sub(1));
        let pause = self.backoff.saturating_mul(factor).min(LONGEST);
        SignedDuration::try_from(pause).unwrap_or(SignedDuration::from_hours(1))
    }
}

/// A consumer's own memory; any number of processes may have it open.
#[derive(Debug)]
pub struct Consumer {
    name: ConsumerName,
    ledger: Ledger,
}

/// What a consumer saw when it looked at the spools.
#[derive(Debug)]
pub struct Look {
    /// When it began to look.
    pub began: Timestamp,
    /// What lies in the spools.
    pub walk: Walk,
    /// What it knows of them.
    pub rows: HashMap<Found, Row>,
}

impl Look {
    /// The segments that are neither finished nor dead, in name order.
    pub fn unfinished(&self) -> impl Iterator<Item = &Found> {
        let open =
            |found: &&Found| self.rows.get(*found).is_none_or(|row| row.standing == Standing::Open);
        self.walk.segments.iter().filter(open)
    }

    /// Those of them that may be taken now.
    pub fn free(&self, now: Timestamp) -> impl Iterator<Item = &Found> {
        let free = move |found: &&Found| self.rows.get(*found).is_none_or(|row| row.is_free(now));
        self.unfinished().filter(free)
    }
}

impl Consumer {
    /// Opens a consumer's memory, making an empty one on first use.
    ///
    /// # Errors
    /// `state-unusable` when it can't be made or is damaged.
    pub fn open(state: &State, name: &ConsumerName) -> Result<Consumer, Problem> {
        let ledger = Ledger::open(&path(&state.consumers()?, name))?;
        Ok(Consumer { name: name.clone(), ledger })
    }

    /// Opens the memory of a consumer that is known on this machine.
    ///
    /// # Errors
    /// `not-found` when it is not; else as [`Consumer::open`].
    pub fn known(state: &State, name: &ConsumerName) -> Result<Consumer, Problem> {
        if path(&state.consumers()?, name).is_file() {
            return Consumer::open(state, name);
        }
        let what = format!("no consumer {name} on this machine");
        Err(Problem::new(Code::NotFound, what).hint("phc-spool consumers shows all"))
    }

    /// The names of the consumers that are known on this machine, in order.
    ///
    /// # Errors
    /// `state-unusable` when they can't be listed.
    pub fn names(state: &State) -> Result<Vec<ConsumerName>, Problem> {
        let dir = state::open_folder(&state.consumers()?)?;
        let of_file = |name: &[u8]| {
            std::str::from_utf8(name).ok()?.strip_suffix(".sqlite")?.parse::<ConsumerName>().ok()
        };
        let entries = dir.entries().map_err(state::unusable)?;
        let mut names: Vec<_> = entries.iter().filter_map(|e| of_file(&e.name)).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Its name.
    pub fn name(&self) -> &ConsumerName {
        &self.name
    }

    /// Makes it a consumer of one device, or of all; that is settled once.
    ///
    /// # Errors
    /// `usage` when it was settled otherwise: what it leaves out would be held for ever.
    pub fn settle(&self, only: Option<&Device>) -> Result<(), Problem> {
        let wanted = only.map(ToString::to_string).unwrap_or_default();
        let settled = self.ledger.settle("only", &wanted)?;
        if settled == wanted {
            return Ok(());
        }
        let of = |device: &str| match device {
            "" => "all devices".to_owned(),
            device => device.to_owned(),
        };
        let what = format!("consumer {} takes {}, not {}", self.name, of(&settled), of(&wanted));
        Err(Problem::new(Code::Usage, what).hint("give another name with --consumer"))
    }

    /// The one device whose segments it takes; `None` when it takes all.
    ///
    /// # Errors
    /// `state-unusable` when its memory can't be read.
    pub fn only(&self) -> Result<Option<Device>, Problem> {
        Ok(self.ledger.meta("only")?.and_then(|text| text.parse().ok()))
    }

    /// Looks at the spools, and forgets what was pruned from them.
    ///
    /// # Errors
    /// `state-unusable` when its memory can't be read or written.
    pub fn look(&self, space: &SpaceRoot, clock: &dyn Clock) -> Result<Look, Problem> {
        let began = clock.now();
        // Read first: what it knew before the walk and the walk did not find is gone for good.
        let mut rows = self.ledger.rows()?;
        let walk = walk(space, self.only()?.as_ref());
        if walk.problems.is_empty() {
            let there: std::collections::HashSet<&Found> = walk.segments.iter().collect();
            let gone = |(found, row): &(&Found, &Row)| {
                row.standing != Standing::Dead && !there.contains(*found)
            };
            let gone: Vec<Found> =
                rows.iter().filter(gone).map(|(found, _)| found.clone()).collect();
            self.ledger.forget(&gone)?;
            rows.retain(|found, row| row.standing == Standing::Dead || there.contains(found));
        }
        Ok(Look { began, walk, rows })
    }

    /// Brings a look up to date with what this process did since.
    ///
    /// # Errors
    /// `state-unusable` when its memory can't be read.
    pub fn refresh(&self, look: &mut Look) -> Result<(), Problem> {
        look.rows = self.ledger.rows()?;
        Ok(())
    }

    /// Takes a segment for a while; `None` when it is finished, dead, taken or paused.
    ///
    /// `counts` says that a lease which is never ended is a failure.
    ///
    /// # Errors
    /// `state-unusable`, here and below, when its memory can't be written.
    pub fn lease(
        &self,
        found: &Found,
        rules: &Rules,
        counts: bool,
        now: Timestamp,
    ) -> Result<Option<Lease>, Problem> {
        let lasts = SignedDuration::try_from(rules.lease).unwrap_or(ledger::LONGEST);
        self.ledger.lease(found, counts, now, now + lasts.min(ledger::LONGEST))
    }

    /// Is done with a segment for ever.
    ///
    /// # Errors
    /// As [`Consumer::lease`].
    pub fn finish(&self, found: &Found) -> Result<(), Problem> {
        self.ledger.finish(found)
    }

    /// Gives a segment back as if it had not been taken.
    ///
    /// # Errors
    /// As [`Consumer::lease`].
    pub fn release(&self, lease: &Lease, now: Timestamp) -> Result<(), Problem> {
        self.ledger.give_back(lease, now)
    }

    /// Lets a segment wait; that is no failure.
    ///
    /// # Errors
    /// As [`Consumer::lease`].
    pub fn put_off(&self, lease: &Lease, rules: &Rules, now: Timestamp) -> Result<(), Problem> {
        self.ledger.give_back(lease, now + rules.pause(1))
    }

    /// Notes a failure; true when the segment is dead for it now.
    ///
    /// # Errors
    /// As [`Consumer::lease`].
    pub fn fail(
        &self,
        lease: &Lease,
        reason: &str,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        if lease.attempts >= rules.attempts {
            self.ledger.die(lease, reason)?;
            return Ok(true);
        }
        self.ledger.fail(lease, reason, now + rules.pause(lease.attempts))?;
        Ok(false)
    }

    /// Gives a segment up at once.
    ///
    /// # Errors
    /// As [`Consumer::lease`].
    pub fn give_up(&self, lease: &Lease, reason: &str) -> Result<(), Problem> {
        self.ledger.die(lease, reason)
    }

    /// What is taken and not finished.
    ///
    /// # Errors
    /// `state-unusable` when its memory can't be read.
    pub fn leased(&self, now: Timestamp) -> Result<Vec<Found>, Problem> {
        let rows = self.ledger.rows()?;
        let taken = rows.into_iter().filter(|(_, row)| row.leased && !row.is_free(now));
        let mut taken: Vec<Found> = taken.map(|(found, _)| found).collect();
        taken.sort_unstable();
        Ok(taken)
    }

    /// The segments of this id that it ever touched and has not finished.
    ///
    /// # Errors
    /// As [`Consumer::leased`].
    pub fn touched(&self, id: SegmentId) -> Result<Vec<Found>, Problem> {
        let rows = self.ledger.rows()?.into_iter();
        let open = rows.filter(|(found, row)| found.id == id && row.standing != Standing::Finished);
        Ok(open.map(|(found, _)| found).collect())
    }

    /// What is dead for it, in name order.
    ///
    /// # Errors
    /// As [`Consumer::leased`].
    pub fn dead(&self) -> Result<Vec<Dead>, Problem> {
        self.ledger.dead()
    }

    /// Gives a dead segment another try.
    ///
    /// # Errors
    /// As [`Consumer::lease`].
    pub fn retry(&self, found: &Found) -> Result<(), Problem> {
        self.ledger.retry(found)
    }
}

fn path(folder: &Path, name: &ConsumerName) -> PathBuf {
    folder.join(format!("{name}.sqlite"))
}

#[cfg(test)]
mod tests;
