//! One path's life, the newest first.

use jiff::Timestamp;
use model::emit::{Emit, emit as tell};
use model::event::Payload;
use model::ingest::{Change, FileNews, FileRecord, RecordKind};
use model::problem::Problem;
use model::relpath::RelPath;
use model::text::Text;
use serde::{Deserialize, Serialize};
use store::layout;

use super::trash::{Taken, Trashed};
use super::{Lies, Past, copy_of};

/// What happened to a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Stored for the first time, or over what had left.
    Stored,
    /// Stored anew over a former version.
    Replaced,
    /// An equal copy was there already.
    Adopted,
    /// It came from another path.
    Renamed,
    /// It went to another path.
    Left,
    /// It became a further name of a stored file.
    Linked,
    /// Only its facts changed.
    Touched,
    /// It left the source.
    Gone,
    /// Its copy was damaged or missing and was made again.
    Repaired,
    /// It is there, and no line that is kept tells since when.
    Known,
    /// It was put away then, and no line that is kept tells of it.
    Former,
}

/// `phc.ingest.version.told`: one step of a path's life.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VersionTold {
    /// The cloud.
    pub cloud: String,
    /// The path that it had then.
    pub path: RelPath,
    /// When it was told; null when that is not known.
    #[schemars(with = "Option<String>")]
    pub time: Option<Timestamp>,
    /// What happened.
    pub step: Step,
    /// The path that it came from or went to.
    pub other: Option<RelPath>,
    /// Size in bytes of what it held from then on.
    pub size: Option<u64>,
    /// Its modification time in nanoseconds since 1970.
    pub mtime_ns: Option<i64>,
    /// Its BLAKE3 digest in hexadecimal; null when nobody kept it.
    pub digest: Option<String>,
    /// A symbolic link's target; null for a file.
    pub target: Option<Text>,
    /// Where that lies now, below the space; null when it lies nowhere any more.
    pub lies: Option<RelPath>,
}

impl Payload for VersionTold {
    const NOUN_VERB: &'static str = "version.told";

    fn subject(&self) -> Option<String> {
        self.path.text().as_str().map(str::to_owned)
    }
}

/// Tells one file's life, the newest step first; returns how many steps there are.
///
/// # Errors
/// When manifest, catalog or `_trash` can't be read.
pub fn history(past: &Past<'_>, path: &RelPath, emit: &mut dyn Emit) -> Result<u64, Problem> {
    let trashed = past.trashed()?;
    let now = past.rows()?.held(path, &trashed)?;
    let mut life = Life {
        past,
        trashed: &trashed,
        name: path.clone(),
        lies: now.as_ref().map_or(Lies::Nowhere, |held| held.lies.clone()),
        steps: Vec::new(),
    };
    past.newest_first(&mut |time, news| life.line(time, &news))?;
    if let Some(record) = now.and_then(|held| held.record).filter(|_| life.steps.is_empty()) {
        let step = if record.live { Step::Known } else { Step::Gone };
        life.push(None, step, None, Some(&record));
    }
    life.formers(&past.rows()?.copy_of(path)?);
    let steps = life.steps;
    if steps.is_empty() {
        return Err(past.lifeless(path)?);
    }
    steps.iter().for_each(|step| drop(tell(emit, step)));
    Ok(steps.len() as u64)
}

struct Life<'a> {
    past: &'a Past<'a>,
    trashed: &'a Trashed,
    /// The name that the file had at the time that is looked at.
    name: RelPath,
    lies: Lies,
    steps: Vec<VersionTold>,
}

impl Life<'_> {
    fn line(&mut self, time: Timestamp, news: &FileNews) {
        if news.file.kind == RecordKind::Folder {
            return;
        }
        if news.from.as_ref() == Some(&self.name) {
            // Before it went, the path was another file's.
            self.lies = Lies::Nowhere;
            self.push(Some(time), Step::Left, Some(news.file.path.clone()), None);
            self.lies = Lies::Copy(copy_of(&news.file).clone());
            return;
        }
        if news.file.path != self.name {
            return;
        }
        let step = match news.change {
            Change::Stored => Step::Stored,
            Change::Replaced => Step::Replaced,
            Change::Adopted => Step::Adopted,
            Change::Renamed => Step::Renamed,
            Change::Linked => Step::Linked,
            Change::Touched => Step::Touched,
            Change::Gone => Step::Gone,
            Change::Repaired => Step::Repaired,
        };
        let was = news.was.as_deref();
        let copy = copy_of(was.unwrap_or(&news.file)).clone();
        self.push(Some(time), step, news.from.clone(), Some(&news.file));
        match news.change {
            Change::Replaced => {
                self.lies = self.trashed.put_away(&copy, time, was, Taken::Version);
            }
            Change::Stored => {
                self.lies = match was {
                    Some(_) => self.trashed.put_away(&copy, time, was, Taken::Version),
                    None => Lies::Nowhere,
                };
            }
            Change::Repaired => drop(self.trashed.put_away(&copy, time, None, Taken::Rot)),
            Change::Gone if news.file.trashed => {
                self.lies = self.trashed.put_away(&copy, time, None, Taken::Version);
                if let Some(step) = self.steps.last_mut() {
                    step.lies = lies_at(self.past, &self.lies);
                }
            }
            _ => {}
        }
        if let Some(was) = was {
            // Should no older line tell of it, it is told at the end as what was known.
            self.known(was);
        }
        if let Some(from) = &news.from {
            self.name = from.clone();
        }
    }

    /// What was put away is told with its own size and digest, right after what took its place.
    fn known(&mut self, was: &FileRecord) {
        let step = if was.live { Step::Known } else { Step::Gone };
        self.push(None, step, None, Some(was));
    }

    /// What lies in `_trash` under the path and is told by no line.
    fn formers(&mut self, path: &RelPath) {
        for former in self.trashed.unexplained(path).into_iter().rev() {
            self.lies = Lies::Trash(former.path.clone());
            let step = self.step(Some(former.put_away), Step::Former, None, None);
            let step = VersionTold { size: Some(former.size), ..step };
            // A step of no time belongs to the one before it.
            let older = |told: &VersionTold| told.time.is_some_and(|time| time < former.put_away);
            let at = self.steps.iter().position(older).unwrap_or(self.steps.len());
            self.steps.insert(at, step);
        }
    }

    fn push(
        &mut self,
        time: Option<Timestamp>,
        step: Step,
        other: Option<RelPath>,
        record: Option<&FileRecord>,
    ) {
        // A line tells what another one told of from the other side already.
        let repeats = |last: &VersionTold| {
            last.step == Step::Known
                && last.digest.is_some()
                && last.digest == record.and_then(|record| record.digest.clone())
        };
        if self.steps.last().is_some_and(repeats) {
            self.steps.pop();
        }
        let step = self.step(time, step, other, record);
        self.steps.push(step);
    }

    fn step(
        &self,
        time: Option<Timestamp>,
        step: Step,
        other: Option<RelPath>,
        record: Option<&FileRecord>,
    ) -> VersionTold {
        VersionTold {
            cloud: self.past.cloud.to_string(),
            path: self.name.clone(),
            time,
            step,
            other,
            size: record.and_then(|record| record.size),
            mtime_ns: record.map(|record| record.mtime_ns),
            digest: record.and_then(|record| record.digest.clone()),
            target: record.and_then(|record| record.target.clone()),
            lies: lies_at(self.past, &self.lies),
        }
    }
}

/// The path below the space.
pub(super) fn lies_at(past: &Past<'_>, lies: &Lies) -> Option<RelPath> {
    let (root, path) = match lies {
        Lies::Copy(path) => (layout::cloud(past.device, past.cloud), path),
        Lies::Trash(path) => (layout::trash(past.device), path),
        Lies::Nowhere => return None,
    };
    Some(path.names().fold(root, |all, name| all.join(name)))
}
