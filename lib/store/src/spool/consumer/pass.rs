//! A pass: every segment that is free is offered once, in the order of their names.

use host::clock::Clock;
use host::stop::Stop;
use jiff::Timestamp;
use model::problem::{Code, Problem};

use super::{Consumer, Lease, Look, Rules};
use crate::space::SpaceRoot;
use crate::spool::segment::Segment;
use crate::spool::walk::{Found, Unreadable, read};

/// After so many "try again later" in a row the world is away, not one segment.
const PATIENCE: u32 = 5;

/// What somebody did with a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is done; the exit code of the command that did it.
    Finished(i32),
    /// Refused by a guard: it waits, and the others go on.
    Refused,
    /// To be tried again later: it waits, and so do the others if they meet the same.
    Later,
    /// It failed, for this reason.
    Failed(String),
    /// It was handed out; somebody will acknowledge it.
    HandedOut,
    /// Nothing was done with it: we are to stop, or nobody listens any more.
    Dropped,
}

/// Takes segments and says what came of them.
pub trait Handler {
    /// True if a segment that is taken and never ended failed; false where it is
    /// acknowledged by somebody else.
    fn counts(&self) -> bool;

    /// Does what is to be done with one segment.
    fn handle(&mut self, found: &Found, segment: Segment) -> Verdict;

    /// Hears that a segment is finished.
    fn finished(&mut self, found: &Found, exit: i32);

    /// Hears of a problem that the pass survives.
    fn problem(&mut self, problem: Problem);
}

/// What came of a pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pass {
    /// Segments that were finished.
    pub finished: u64,
    /// Segments that were handed out, to be acknowledged.
    pub handed_out: u64,
    /// Segments that wait because a guard refused them.
    pub refused: u64,
    /// Segments that wait for better times.
    pub later: u64,
    /// Segments that failed and are tried again.
    pub failed: u64,
    /// Segments that died.
    pub died: u64,
    /// True if the pass ended before all were offered.
    pub dropped: bool,
}

impl Pass {
    /// True if anything changed for the consumer.
    pub fn did_anything(&self) -> bool {
        *self != Pass { dropped: self.dropped, ..Pass::default() }
    }
}

/// Offers every free segment of a look once.
///
/// # Errors
/// `state-unusable` when the consumer's memory fails, or what the space reports when it
/// goes away; what was done is remembered.
pub fn pass(
    consumer: &Consumer,
    space: &SpaceRoot,
    look: &Look,
    rules: &Rules,
    handler: &mut dyn Handler,
    stop: &Stop,
    clock: &dyn Clock,
) -> Result<Pass, Problem> {
    let mut pass = Pass::default();
    let mut in_a_row = 0;
    for found in look.free(look.began) {
        if stop.asked() {
            pass.dropped = true;
            break;
        }
        let lease = consumer.lease(found, rules, handler.counts(), clock.now())?;
        let Some(lease) = lease else { continue };
        let later = pass.later;
        Offer { consumer, rules, clock, lease: &lease }.make(space, handler, &mut pass)?;
        in_a_row = if pass.later > later { in_a_row + 1 } else { 0 };
        if pass.dropped || in_a_row == PATIENCE {
            break;
        }
    }
    Ok(pass)
}

/// One segment on offer.
struct Offer<'a> {
    consumer: &'a Consumer,
    rules: &'a Rules,
    clock: &'a dyn Clock,
    lease: &'a Lease,
}

impl Offer<'_> {
    fn make(
        &self,
        space: &SpaceRoot,
        handler: &mut dyn Handler,
        pass: &mut Pass,
    ) -> Result<(), Problem> {
        if self.lease.attempts > self.rules.attempts {
            let why = format!("it was begun {} times and never ended", self.rules.attempts);
            return self.give_up(&why, handler, pass);
        }
        match read(space, &self.lease.found) {
            Ok(segment) => {
                let verdict = handler.handle(&self.lease.found, segment);
                self.settle(verdict, handler, pass)
            }
            Err(Unreadable::Gone) => self.consumer.release(self.lease, self.now()),
            Err(Unreadable::Malformed(why)) => self.give_up(&why, handler, pass),
            Err(Unreadable::Away(problem)) if is_away(&problem) => {
                self.consumer.release(self.lease, self.now())?;
                Err(problem)
            }
            Err(Unreadable::Away(problem)) => {
                handler.problem(problem);
                self.settle(Verdict::Later, handler, pass)
            }
        }
    }

    fn settle(
        &self,
        verdict: Verdict,
        handler: &mut dyn Handler,
        pass: &mut Pass,
    ) -> Result<(), Problem> {
        let (consumer, lease) = (self.consumer, self.lease);
        match verdict {
            Verdict::Finished(exit) => {
                consumer.finish(&lease.found)?;
                pass.finished += 1;
                handler.finished(&lease.found, exit);
            }
            Verdict::HandedOut => pass.handed_out += 1,
            Verdict::Refused => {
                pass.refused += 1;
                consumer.put_off(lease, self.rules, self.now())?;
            }
            Verdict::Later => {
                pass.later += 1;
                consumer.put_off(lease, self.rules, self.now())?;
            }
            Verdict::Dropped => {
                pass.dropped = true;
                consumer.release(lease, self.now())?;
            }
            Verdict::Failed(why) => return self.fail(&why, handler, pass),
        }
        Ok(())
    }

    fn fail(&self, why: &str, handler: &mut dyn Handler, pass: &mut Pass) -> Result<(), Problem> {
        if self.consumer.fail(self.lease, why, self.rules, self.now())? {
            return self.died(why, handler, pass);
        }
        pass.failed += 1;
        let (attempt, of) = (self.lease.attempts, self.rules.attempts);
        let what = format!("attempt {attempt} of {of} failed: {why}");
        handler.problem(self.problem(Code::Child, what).hint("it is tried again"));
        Ok(())
    }

    fn give_up(
        &self,
        why: &str,
        handler: &mut dyn Handler,
        pass: &mut Pass,
    ) -> Result<(), Problem> {
        self.consumer.give_up(self.lease, why)?;
        self.died(why, handler, pass)
    }

    fn died(&self, why: &str, handler: &mut dyn Handler, pass: &mut Pass) -> Result<(), Problem> {
        pass.died += 1;
        let what = format!("dead for the consumer {}: {why}", self.consumer.name());
        handler.problem(self.problem(Code::SegmentDead, what));
        Ok(())
    }

    fn problem(&self, code: Code, what: String) -> Problem {
        Problem::new(code, what).at(self.lease.found.path().text().clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// True if the whole space is gone, and not only one segment can't be read.
fn is_away(problem: &Problem) -> bool {
    matches!(problem.code, Code::SpaceAway | Code::SpaceStale)
}
