//! What a watch tells besides the events of its runs.

use model::emit::{Emit, Progress};
use model::event::{Draft, Event, Payload};
use model::ingest::{Change, FileGone, FileNews, FileStored};
use model::problem::Problem;
use model::relpath::RelPath;
use model::run::{Outcome, RunFinished};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// So many paths of what was missed are told by name.
const NAMED: usize = 20;
/// So many are remembered while a scan goes on; the rest is counted as missed without a second look.
const REMEMBERED: usize = 100_000;

/// How a watch learns of changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The system tells of them.
    Notification,
    /// It looks at everything now and then.
    Polling,
    /// Both: the system tells of those that are made on this machine.
    Both,
}

/// `phc.ingest.watch.started`: a source root is watched from now on; a full scan follows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WatchStarted {
    /// The cloud.
    pub cloud: String,
    /// The source root.
    pub source: model::text::Text,
    /// How it learns of changes.
    pub by: By,
    /// True if the root was watched before, and was gone, replaced or mounted anew since.
    pub again: bool,
    /// Seconds between two looks at everything, by which what was missed is found.
    pub full_scan_s: u64,
    /// Seconds between two looks at what can't be heard of; null where everything can.
    pub poll_s: Option<u64>,
}

impl Payload for WatchStarted {
    const NOUN_VERB: &'static str = "watch.started";

    fn subject(&self) -> Option<String> {
        Some(self.cloud.clone())
    }
}

/// `phc.ingest.watch.deferred`: what is to be brought in can't be now, and is kept; told once an outage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WatchDeferred {
    /// The cloud.
    pub cloud: String,
    /// Why.
    pub problem: Problem,
    /// Folders in doubt; null when everything is.
    pub folders: Option<u64>,
}

impl Payload for WatchDeferred {
    const NOUN_VERB: &'static str = "watch.deferred";

    fn subject(&self) -> Option<String> {
        Some(self.cloud.clone())
    }
}

/// `phc.ingest.watch.missed`: a full scan found changes of which nothing had been heard.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WatchMissed {
    /// The cloud.
    pub cloud: String,
    /// How many.
    pub files: u64,
    /// Some of them.
    pub paths: Vec<RelPath>,
}

impl Payload for WatchMissed {
    const NOUN_VERB: &'static str = "watch.missed";

    fn subject(&self) -> Option<String> {
        Some(self.cloud.clone())
    }
}

/// `phc.ingest.watch.ended`: the watch ended in order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WatchEnded {
    /// The cloud.
    pub cloud: String,
    /// Folders and files in doubt that were not looked at; the next watch or run finds them.
    pub pending: u64,
}

impl Payload for WatchEnded {
    const NOUN_VERB: &'static str = "watch.ended";

    fn subject(&self) -> Option<String> {
        Some(self.cloud.clone())
    }
}

/// A voice that passes a run's events on, and knows what a watch wants of them.
pub(super) struct Ear<'a> {
    pub voice: &'a mut dyn Emit,
    /// Called while the run goes on.
    pub alive: &'a dyn Fn(),
    /// Tells whether a change was heard of; `None` in runs where that is no question.
    pub was_heard: Option<&'a dyn Fn(&RelPath) -> bool>,
    /// The cloud.
    pub cloud: &'a str,
    changed: Vec<RelPath>,
    uncounted: u64,
    /// What was missed, once the run is over.
    pub missed: Option<WatchMissed>,
    has_spoken: bool,
}

impl<'a> Ear<'a> {
    pub fn new(
        voice: &'a mut dyn Emit,
        cloud: &'a str,
        alive: &'a dyn Fn(),
        was_heard: Option<&'a dyn Fn(&RelPath) -> bool>,
    ) -> Ear<'a> {
        Ear {
            voice,
            alive,
            was_heard,
            cloud,
            changed: Vec::new(),
            uncounted: 0,
            missed: None,
            has_spoken: false,
        }
    }

    fn note(&mut self, draft: &Draft) {
        if self.was_heard.is_none() || !is_of_a_file(draft) {
            return;
        }
        let news: Option<FileNews> = serde_json::from_value(draft.data.clone()).ok();
        // What was read again to be sure, and had not changed, was not missed.
        let Some(news) = news.filter(|news| news.change != Change::Touched) else { return };
        if self.changed.len() < REMEMBERED {
            self.changed.extend(news.from);
            self.changed.push(news.file.path);
        } else {
            self.uncounted += 1;
        }
    }

    /// Counts what was missed, and says so in the run's last event.
    fn count(&mut self, draft: &mut Draft) {
        let Some(was_heard) = self.was_heard else { return };
        let missed: Vec<RelPath> =
            std::mem::take(&mut self.changed).into_iter().filter(|path| !was_heard(path)).collect();
        let files = missed.len() as u64 + self.uncounted;
        if let Some(totals) = draft.data.get_mut("totals").and_then(Value::as_object_mut) {
            totals.insert("missed".to_owned(), files.into());
        }
        if files > 0 {
            let paths = missed.into_iter().take(NAMED).collect();
            self.missed = Some(WatchMissed { cloud: self.cloud.to_owned(), files, paths });
        }
    }
}

/// True for what is told of one file.
fn is_of_a_file(draft: &Draft) -> bool {
    [FileStored::NOUN_VERB, FileGone::NOUN_VERB].contains(&draft.noun_verb)
}

impl Emit for Ear<'_> {
    fn event(&mut self, mut draft: Draft) -> Event {
        self.note(&draft);
        if draft.noun_verb == RunFinished::<Value>::NOUN_VERB {
            self.count(&mut draft);
            if !self.has_spoken && is_deferred(&draft) {
                // The watch tells that by itself, once.
                return silent(draft);
            }
        }
        self.has_spoken = true;
        if is_of_a_file(&draft) && !self.voice.wants_files() {
            return silent(draft);
        }
        self.voice.event(draft)
    }

    fn wants_files(&self) -> bool {
        self.was_heard.is_some() || self.voice.wants_files()
    }

    fn problem(&mut self, problem: Problem) -> Event {
        self.has_spoken = true;
        self.voice.problem(problem)
    }

    fn progress(&mut self, progress: &Progress) {
        (self.alive)();
        self.voice.progress(progress);
    }
}

fn is_deferred(draft: &Draft) -> bool {
    draft.data.get("outcome").and_then(Value::as_str) == Some(Outcome::Deferred.name())
}

/// An event that nobody is told.
fn silent(draft: Draft) -> Event {
    Event {
        specversion: "1.0".to_owned(),
        id: String::new(),
        source: String::new(),
        kind: draft.noun_verb.to_owned(),
        subject: draft.subject,
        time: None,
        datacontenttype: None,
        runid: None,
        data: Some(draft.data),
        extra: serde_json::Map::new(),
    }
}
