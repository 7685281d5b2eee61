//! Emptying an inbox: what is proven to be in the space is removed, and nothing else.

use host::clock::Clock;
use host::error::Meaning;
use host::stop::Stop;
use host::taking::{self, Taken};
use host::{Dir, Facts, Kind, barrier};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::manifest::{Reader, Record, RowKind};

use super::{Arrivals, slots};
use crate::digest;
use crate::excludes::Excludes;
use crate::run::point;

/// What is emptied, and what its files are held against.
///
/// The rows are committed, so what they say of the copies is durable (safety law 4).
pub(super) struct Consumption<'a> {
    /// The inbox.
    pub source: &'a Dir,
    /// The copy's root.
    pub copy: &'a Dir,
    /// The committed rows.
    pub reader: &'a Reader,
    /// What is left out, and so left alone.
    pub excludes: &'a Excludes,
    /// How the inbox is brought in.
    pub arrivals: Arrivals,
    /// Asked to stop.
    pub stop: &'a Stop,
    /// The clock.
    pub clock: &'a dyn Clock,
}

/// What was removed.
#[derive(Default)]
pub(super) struct Consumed {
    /// Files.
    pub files: u64,
    /// Copies that are not what their rows say; their files stay in the inbox.
    pub problems: Vec<Problem>,
}

/// Removes every file of the inbox whose copy, read again, is what its row says of it.
///
/// # Errors
/// When the manifest can't be read. What can't be removed stays, and is a problem.
pub(super) fn consume(what: &Consumption<'_>) -> Result<Consumed, Problem> {
    let mut consumed = Consumed::default();
    folder(what, &RelPath::root(), &mut consumed)?;
    Ok(consumed)
}

/// True if anything was removed below it.
fn folder(
    what: &Consumption<'_>,
    path: &RelPath,
    consumed: &mut Consumed,
) -> Result<bool, Problem> {
    let Ok(dir) = what.source.beneath(path) else { return Ok(false) };
    let Ok(entries) = dir.entries() else { return Ok(false) };
    let row = what.reader.folder_id(path)?;
    let copy = what.copy.beneath(what.reader.folder_copy(path)?.copy()).ok();
    let before = consumed.files;
    let mut below = Vec::new();
    for entry in entries {
        if what.stop.asked() {
            return Ok(consumed.files > before);
        }
        if what.excludes.leave_out(path, &entry.name) {
            continue;
        }
        let Ok(facts) = dir.facts(&entry.name) else { continue };
        match (facts.kind, row, &copy) {
            (Kind::Folder, ..) => below.push(entry.name),
            (Kind::File, Some(row), Some(copy)) => {
                let here = Here { what, path, dir: &dir, copy, row };
                here.file(&entry.name, &facts, consumed)?;
            }
            _ => {}
        }
    }
    // Not held while what is below is looked at: trees are deeper than handles are many.
    drop(dir);
    let mut emptied = consumed.files > before;
    for name in below {
        let is_emptied = folder(what, &path.join(&name), consumed)?;
        if is_emptied && what.arrivals.inbox.remove_folders {
            // One that holds anything else stays: the system refuses to remove it.
            let _ = what.source.beneath(path).and_then(|dir| dir.remove_folder(&name));
        }
        emptied |= is_emptied;
    }
    Ok(emptied)
}

/// Whether a file of the inbox is in the space.
enum Proof {
    /// Nothing was stored of this version of it.
    Unknown,
    /// It was stored, and its copy is not what was.
    Missing(Problem),
    /// Its copy is there.
    Copy(Box<Record>),
}

/// One folder of the inbox.
struct Here<'h> {
    what: &'h Consumption<'h>,
    path: &'h RelPath,
    dir: &'h Dir,
    copy: &'h Dir,
    row: i64,
}

impl Here<'_> {
    fn file(&self, name: &[u8], facts: &Facts, consumed: &mut Consumed) -> Result<(), Problem> {
        let now = i64::try_from(self.what.clock.now().as_nanosecond()).unwrap_or(i64::MAX);
        if !self.what.arrivals.is_settled(facts, now) {
            return Ok(());
        }
        let record = match self.proven(name, facts)? {
            Proof::Unknown => return Ok(()),
            Proof::Missing(problem) => {
                consumed.problems.push(problem);
                return Ok(());
            }
            Proof::Copy(record) => record,
        };
        if record.suspect && !self.is_still(name, facts, &record) {
            return Ok(());
        }
        point("inbox.proven")?;
        let taken = taking::take(self.dir, name, facts, || self.dir.remove_file(name));
        match taken {
            Ok(Taken::Yes) => {
                consumed.files += 1;
                point("inbox.removed")
            }
            // The next run sees what it is by then.
            Ok(Taken::Changed | Taken::Busy) => Ok(()),
            Err(e) => {
                let what = format!("it is in the space, but can't {} it: {}", e.attempt, e.source);
                let problem = Problem::new(Code::EntryUnreadable, what).at(e.path.as_path());
                consumed.problems.push(problem.hint("let the user write in the inbox"));
                Ok(())
            }
        }
    }

    /// Looks for a row that came of this very version of the file, and proves its copy.
    fn proven(&self, name: &[u8], facts: &Facts) -> Result<Proof, Problem> {
        let mut proof = Proof::Unknown;
        for nth in 1..=slots::MOST {
            let slot = slots::numbered(name, nth);
            match self.what.reader.record(self.row, &slot)? {
                Some(record) if came_of(&record, facts) => match self.disproof(&slot, &record) {
                    None => return Ok(Proof::Copy(Box::new(record))),
                    Some(problem) => proof = Proof::Missing(problem),
                },
                Some(_) => {}
                None if self.copy.facts(&slot).is_err() => break,
                None => {}
            }
        }
        Ok(proof)
    }

    /// Why the copy is not what the row says; `None` if it was read again and is, on disk.
    fn disproof(&self, slot: &[u8], record: &Record) -> Option<Problem> {
        let at = self.path.join(slot).text().clone();
        let kept = |why: String| format!("{why}; its file stays in the inbox");
        let damaged = |why: &str| Problem::new(Code::CopyDamaged, kept(why.to_owned()));
        let name = record.copy_name(slot);
        let read = digest::of_stable(self.copy, name, self.what.stop);
        let synced = || self.copy.read(name).is_ok_and(|file| barrier::sync_file(&file).is_ok());
        let problem = match read {
            Ok(Some((digest, _))) if Some(digest) == record.digest && synced() => return None,
            Ok(Some(_)) => damaged("the copy is not what was stored"),
            Ok(None) => damaged("the copy changed while it was read"),
            Err(e) if e.meaning() == Meaning::Missing => {
                Problem::new(Code::CopyMissing, kept("the copy is not there".to_owned()))
            }
            Err(e) => damaged(&format!("can't {} the copy: {}", e.attempt, e.source)),
        };
        Some(problem.at(at))
    }

    /// True if the file, read again, is what the row says; where its stamps alone prove nothing.
    fn is_still(&self, name: &[u8], facts: &Facts, record: &Record) -> bool {
        let read = digest::of_stable(self.dir, name, self.what.stop).ok().flatten();
        read.is_some_and(|(digest, now)| Some(digest) == record.digest && now.same_version(facts))
    }
}

fn came_of(record: &Record, facts: &Facts) -> bool {
    record.kind == RowKind::File
        && record.live
        && record.digest.is_some()
        && (record.size, record.mtime_ns, record.ctime_ns, record.file_id)
            == (facts.size, facts.mtime_ns, facts.ctime_ns, facts.file_id)
}
