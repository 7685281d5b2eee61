//! A rolling verify: each copy is read once within a period, at a bounded rate.
//!
//! What is owed grows with time, by the share of all copies that the time since the last
//! one is of the period; the copies that wait longest are read first. So any schedule does,
//! a run that is cut off goes on where it was, and what was missed is caught up.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use model::config;
use model::emit::{Emit, Progress};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use serde::{Deserialize, Serialize};
use store::catalog::Catalog;
use store::device;
use store::manifest::{Manifest, Record, RowKind};
use store::names::Mapped;
use store::scrub::{Book, Copy, Listed};

use super::mend::{Mender, leave};
use super::pace::Pace;
use super::state::{Bad, State, state_of};
use super::{Verified, Verify, opened};
use crate::known::MANIFEST;

/// The book's file, in the folder of the state that is given.
const BOOK: &str = "scrub.sqlite";
/// Copies that are read before the book is written.
const AT_ONCE: u32 = 64;

/// How a rolling verify stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rolled {
    /// Copies that there are.
    pub copies: u64,
    /// Bytes that were to be read by now; a small copy counts as 4 KiB.
    pub due_bytes: u64,
    /// Of those, bytes that were not reached.
    pub behind_bytes: u64,
    /// Copies that were not read for longer than the period.
    pub overdue: u64,
    /// Copies that were not read yet since they are known here.
    pub unread: u64,
    /// When the copy that waits longest was read last, or first known; null when there is none.
    #[schemars(with = "Option<String>")]
    pub oldest: Option<Timestamp>,
    /// The period, in seconds.
    pub period_s: u64,
}

/// Reads today's share of one cloud's copies; `folder` is where its book is kept.
///
/// # Errors
/// When neither manifest nor catalog can be read, or the book can't be written.
pub fn rolling(
    what: &Verify<'_>,
    folder: &Path,
    promise: &config::Verify,
    emit: &mut dyn Emit,
) -> Result<Verified, Problem> {
    let began = what.clock.now();
    let mut book = Book::open(&folder.join(BOOK))?;
    // What is new waits from just before: its share is read already by this one.
    let known_since = began.saturating_sub(SignedDuration::from_millis(1)).unwrap_or(began);
    let against = refresh(what, &mut book, known_since, emit)?;
    let mut round = Round {
        what,
        pace: Pace::new(what.clock, what.stop, promise.rate.bytes()),
        copy: opened(what)?,
        verified: Verified { against: against.to_owned(), ..Verified::of(what) },
        mender: what.own.as_ref().filter(|own| own.mend).map(|own| Mender::new(what, own)),
    };
    let due = owed(&mut book, promise, began)?;
    let left = round.read(&mut book, due, began, emit)?;
    let mut verified = round.verified;
    verified.complete = left == 0;
    verified.rolling = Some(stands(what, &book, promise, (due, left), emit)?);
    Ok(verified)
}

/// How it stands now; what was not read within the period is a problem.
fn stands(
    what: &Verify<'_>,
    book: &Book,
    promise: &config::Verify,
    (due, left): (u64, u64),
    emit: &mut dyn Emit,
) -> Result<Rolled, Problem> {
    let standing = book.standing()?;
    let period = SignedDuration::try_from(promise.period.duration()).unwrap_or_default();
    let limit = what.clock.now().saturating_sub(period).unwrap_or(Timestamp::MIN);
    let overdue = book.overdue(limit)?;
    if let Some(oldest) = standing.oldest.filter(|_| overdue > 0) {
        let text = format!(
            "{overdue} copies of {} of {} were not read within {}, the first since {oldest}",
            what.cloud, what.device, promise.period
        );
        emit.problem(Problem::new(Code::VerifyBehind, text));
    }
    Ok(Rolled {
        copies: standing.copies,
        due_bytes: due,
        behind_bytes: left,
        overdue,
        unread: standing.unread,
        oldest: standing.oldest,
        period_s: promise.period.as_secs(),
    })
}

/// What is owed by now, in bytes; remembered before anything is read.
fn owed(book: &mut Book, promise: &config::Verify, now: Timestamp) -> Result<u64, Problem> {
    const DAY_MS: i64 = 86_400_000;
    let all = book.standing()?.cost;
    let period = i64::try_from(promise.period.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000);
    let at = now.as_millisecond();
    let since = book.number("accounted_ms")?.map_or(DAY_MS.min(period), |last| at - last);
    // A clock that was set back owes nothing.
    let since = u128::from(since.clamp(0, period).unsigned_abs());
    let share = (u128::from(all) * since).div_ceil(u128::from(period.unsigned_abs().max(1)));
    let before = book.number("owed")?.map_or(0, i64::cast_unsigned);
    let owed = before.saturating_add(u64::try_from(share).unwrap_or(u64::MAX)).min(all);
    book.mark(&[], now, owed)?;
    book.set_number("accounted_ms", at)?;
    Ok(owed)
}

/// Takes up what the manifest or the catalog says that there is.
fn refresh(
    what: &Verify<'_>,
    book: &mut Book,
    now: Timestamp,
    emit: &mut dyn Emit,
) -> Result<&'static str, Problem> {
    if let Some(own) = &what.own
        && let Some(manifest) = Manifest::look(&own.folder.join(MANIFEST))?
    {
        book.refresh(now, |each| {
            manifest.reader()?.each_record(&mut |folder, name, row| {
                let has_copy = row.kind == RowKind::File && row.copy_mtime_ns.is_some();
                if let Some(digest) = row.digest.filter(|_| has_copy) {
                    let at = folder.join(name, row.copy_name.as_deref());
                    each(Listed::Copy(&at, row.size, &digest, row.live));
                }
            })?;
            Ok(())
        })?;
        return Ok("manifest");
    }
    let catalog = Catalog::look(what.space, what.device, what.cloud).map_err(device::away)?;
    let catalog = catalog.ok_or_else(|| super::nothing(what))?;
    let mut problems = Vec::new();
    book.refresh(now, |each| {
        problems = catalog
            .replay(&mut |news| {
                if let Some(from) = &news.from {
                    each(Listed::None(from));
                }
                let row = Record::from_told(&news.file).filter(|row| row.kind == RowKind::File);
                match row.map(|row| (row.digest.filter(|_| row.copy_mtime_ns.is_some()), row)) {
                    Some((Some(digest), row)) => {
                        let (path, copy) = (news.file.path.clone(), news.file.copy.clone());
                        let at = Mapped { path, copy };
                        each(Listed::Copy(&at, row.size, &digest, row.live));
                    }
                    Some((None, _)) => each(Listed::None(&news.file.path)),
                    None => {}
                }
            })
            .map_err(device::away)?;
        Ok(())
    })?;
    problems.into_iter().for_each(|problem| drop(emit.problem(problem)));
    Ok("catalog")
}

struct Round<'a> {
    what: &'a Verify<'a>,
    pace: Pace<'a>,
    copy: Option<host::Dir>,
    verified: Verified,
    mender: Option<Mender<'a>>,
}

impl Round<'_> {
    /// Reads what was found bad before, and then what waits longest, until nothing is owed; returns what still is.
    fn read(
        &mut self,
        book: &mut Book,
        due: u64,
        began: Timestamp,
        emit: &mut dyn Emit,
    ) -> Result<u64, Problem> {
        for copy in book.bad()? {
            let (read, _) = self.some(std::slice::from_ref(&copy), u64::MAX, emit)?;
            book.mark(&read, self.what.clock.now().max(began), due)?;
        }
        let mut owed = due;
        while owed > 0 && !self.what.stop.asked() {
            let some = book.next(began, AT_ONCE)?;
            let (read, cost) = self.some(&some, owed, emit)?;
            // Where each was read by now nothing is owed, whatever the figures say.
            owed = if some.is_empty() { 0 } else { owed.saturating_sub(cost) };
            book.mark(&read, self.what.clock.now().max(began), owed)?;
        }
        Ok(owed)
    }

    /// Reads some copies up to a cost and mends what is bad; returns what was read, whether it stays bad, and the cost.
    fn some(
        &mut self,
        copies: &[Copy],
        most: u64,
        emit: &mut dyn Emit,
    ) -> Result<(Vec<(RelPath, bool)>, u64), Problem> {
        let (mut read, mut cost) = (Vec::new(), 0);
        for copy in copies {
            let split = copy.at.path.split().zip(copy.at.copy().split());
            let Some(((folder, name), (copy_folder, copy_name))) = split.filter(|_| cost < most)
            else {
                break;
            };
            let dir = self.copy.as_ref().and_then(|root| root.beneath(&copy_folder).ok());
            let pace = &mut self.pace;
            let (stop, digest) = (self.what.stop, Some(copy.digest));
            let mut each = |n| pace.spent(n);
            let state = state_of(dir.as_ref(), copy_name, copy.size, digest, stop, &mut each);
            if state == State::Stopped || stop.asked() {
                break;
            }
            cost += copy.size.max(4096);
            self.verified.checked += 1;
            self.verified.bytes += copy.size;
            let good = matches!(state, State::Good(_));
            let own = copy.at.copy.is_some();
            let folder = Mapped { path: folder, copy: own.then_some(copy_folder) };
            let own_name = (copy_name != name).then(|| copy_name.to_owned());
            let record = Record { copy_name: own_name, ..row_of(copy) };
            let bad = Bad { folder, name: name.to_owned(), record, state };
            read.push((copy.at.path.clone(), !good && !self.mended(&bad, emit)?));
        }
        emit.progress(&Progress {
            doing: "verifying",
            files: self.verified.checked,
            bytes: self.verified.bytes,
            ..Progress::default()
        });
        Ok((read, cost))
    }

    /// Mends a copy if that is possible; true if it is what was stored again.
    fn mended(&mut self, bad: &Bad, emit: &mut dyn Emit) -> Result<bool, Problem> {
        let before = self.verified.damaged + self.verified.missing;
        match &mut self.mender {
            Some(mender) => mender.mend(std::slice::from_ref(bad), &mut self.verified, emit)?,
            None => leave(bad, bad.problem(), &mut self.verified, emit),
        }
        Ok(self.verified.damaged + self.verified.missing == before)
    }
}

/// As much of a row as the book knows.
fn row_of(copy: &Copy) -> Record {
    Record {
        live: copy.live,
        size: copy.size,
        digest: Some(copy.digest),
        ..Record::unknown(RowKind::File)
    }
}
