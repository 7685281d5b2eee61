//! A sandbox with a spool, and strict eyes for what is told of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tests::sandbox::{HOST, USER};
use tests::{Ended, Run, Sandbox, schemas};

/// `phc.spool.events.published`.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Published {
    pub events: u64,
    pub segments: Vec<String>,
    pub delivered: u64,
    pub waiting: u64,
}

/// `phc.spool.outbox.flushed`.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Flushed {
    pub delivered: u64,
    pub waiting: u64,
}

/// `phc.spool.segment.listed`.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub device: String,
    pub segment: String,
    pub place: String,
    pub made: String,
    pub bytes: Option<u64>,
}

/// `phc.spool.segment.finished`.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Finished {
    pub consumer: String,
    pub device: String,
    pub segment: String,
    pub exit: Option<i32>,
}

/// `phc.spool.segment.died`.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Died {
    pub consumer: String,
    pub device: String,
    pub segment: String,
    pub attempts: u64,
    pub reason: String,
    pub retried: bool,
}

/// `phc.spool.spools.pruned`.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Pruned {
    pub dry_run: bool,
    pub segments: u64,
    pub removed: u64,
    pub bytes: u64,
    pub held: u64,
    pub orphans: u64,
}

/// `devices/_consumers/<name>.json`.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub schema: u32,
    pub consumer: String,
    pub id: String,
    pub device: String,
    pub only: Option<String>,
    pub time: String,
    pub looked: Option<String>,
    pub newest: Option<String>,
    pub oldest_unfinished: Option<String>,
    pub unfinished: u64,
    pub dead: Vec<String>,
}

/// A machine with an adopted space.
pub struct Bench {
    pub sandbox: Sandbox,
}

impl Bench {
    pub fn new() -> Bench {
        let bench = Bench { sandbox: Sandbox::new() };
        bench.sandbox.adopt();
        bench
    }

    /// `phc-spool`, about to run.
    pub fn spool(&self, arguments: &[&str]) -> Run {
        self.sandbox.run("phc-spool").args(arguments)
    }

    /// Stores events of these ids as one segment, and says which.
    #[track_caller]
    pub fn put(&self, ids: &[&str]) -> String {
        let ended = self.spool(&["put"]).stdin(lines(ids)).end().ok();
        let mut published: Published = data(&ended, "phc.spool.events.published");
        published.segments.remove(0)
    }

    /// Takes what a consumer has not finished; the command keeps the events in `out`.
    pub fn take(&self, consumer: &str) -> Run {
        self.exec(consumer, "cat >> \"$HOME/out\"")
    }

    /// Gives what a consumer has not finished to a shell script, each time at once.
    pub fn exec(&self, consumer: &str, script: &str) -> Run {
        let head = ["read", "--consumer", consumer, "--backoff", "0s", "--exec", "sh", "-c"];
        self.spool(&head).arg(script)
    }

    /// The ids that commands kept, in order; grease left out.
    pub fn taken(&self) -> Vec<String> {
        ids(&std::fs::read_to_string(self.sandbox.home().join("out")).unwrap_or_default())
    }

    /// The folder of a device's spool.
    pub fn folder(&self) -> PathBuf {
        self.sandbox.device().join("_spool")
    }

    /// Every segment's file in the spool.
    pub fn segments(&self) -> Vec<PathBuf> {
        files(&self.folder().join("new"))
    }

    /// The file of a segment.
    pub fn segment(&self, id: &str) -> PathBuf {
        let name = format!("{id}.jsonl");
        self.segments().into_iter().find(|path| path.ends_with(&name)).unwrap()
    }

    /// How often each event lies in the spool; every file there must be whole.
    #[track_caller]
    pub fn told(&self) -> BTreeMap<String, usize> {
        let mut told = BTreeMap::new();
        for path in self.segments() {
            let text = std::fs::read_to_string(path).unwrap();
            assert!(text.ends_with('\n'), "torn: {text:?}");
            ids(&text).into_iter().for_each(|id| *told.entry(id).or_default() += 1);
        }
        told
    }

    /// Files that wait in the outbox, litter included.
    pub fn outbox(&self) -> Vec<PathBuf> {
        files(&self.sandbox.state().join("devices").join(HOST).join(USER).join("outbox"))
    }

    /// A consumer's record in the space.
    #[track_caller]
    pub fn record(&self, consumer: &str) -> Record {
        let path = self.sandbox.space().join(format!("devices/_consumers/{consumer}.json"));
        let value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        schemas::hold(&schemas::named("consumer"), &value);
        serde_json::from_value(value).unwrap()
    }
}

/// Events of these ids, one a line.
pub fn lines(ids: &[&str]) -> String {
    ids.iter().map(|id| line(id) + "\n").collect()
}

/// An event of this id.
pub fn line(id: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"{id}","source":"/test","type":"test.said"}}"#)
}

/// The ids of lines of events, each valid against CloudEvents' schema; grease left out.
#[track_caller]
pub fn ids(lines: &str) -> Vec<String> {
    let events = lines.lines().map(|line| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        schemas::cloud_event(&value);
        value
    });
    let known = events.filter(|event| event["type"] != "phc.unknown.grease.spread");
    known.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// The data of the one event of a type, decoded strictly.
#[track_caller]
pub fn data<T: DeserializeOwned>(ended: &Ended, kind: &str) -> T {
    serde_json::from_value(ended.event(kind).data).unwrap()
}

/// The data of all events of a type.
#[track_caller]
pub fn all<T: DeserializeOwned>(ended: &Ended, kind: &str) -> Vec<T> {
    let events = ended.events_of(kind).into_iter();
    events.map(|event| serde_json::from_value(event.data).unwrap()).collect()
}

/// Every file below a folder.
pub fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    found
}
