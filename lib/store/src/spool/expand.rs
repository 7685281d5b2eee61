//! Expanding: the event of a batch becomes the events of its files.
//!
//! Per-file detail lies in an increment of the catalog. It is checked against the event's
//! digest before the first line of it is passed on, and read again while it is, so that
//! no more than a line is held in memory.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use host::Dir;
use host::error::Meaning;
use model::event::{Event, Payload};
use model::ingest::{BatchStored, FileGone, FileStored};
use model::problem::{Code, Problem};
use serde_json::{Map, Value};

use super::segment::Segment;
use super::walk::Found;
use crate::layout;
use crate::space::SpaceRoot;

/// A segment's events, ready to be passed on.
#[derive(Debug)]
pub struct Feed {
    segment: Segment,
    /// The increments to be told in place of a line, by the line's number from 0.
    increments: HashMap<usize, Increment>,
}

#[derive(Debug)]
struct Increment {
    catalog: Arc<Dir>,
    name: String,
    batch: Event,
}

impl Feed {
    /// The events as they are.
    pub fn plain(segment: Segment) -> Feed {
        Feed { segment, increments: HashMap::new() }
    }

    /// The events with batches turned into their files, as far as the catalog still has
    /// them; a batch that it has not is passed on itself, and told as a problem.
    pub fn expanded(space: &SpaceRoot, found: &Found, segment: Segment) -> (Feed, Vec<Problem>) {
        let mut catalogs = HashMap::new();
        let (mut increments, mut problems) = (HashMap::new(), Vec::new());
        for (number, line) in segment.lines().enumerate() {
            let Some((event, batch)) = batch(line) else { continue };
            match open(space, found, &batch, &mut catalogs) {
                Ok((catalog, name)) => {
                    drop(increments.insert(number, Increment { catalog, name, batch: event }));
                }
                Err(problem) => problems.push(problem),
            }
        }
        (Feed { segment, increments }, problems)
    }

    /// Calls `each` with every event as a line of JSON without its end.
    ///
    /// # Errors
    /// What `each` returns, and when an increment vanishes meanwhile.
    pub fn each(&self, each: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        for (number, line) in self.segment.lines().enumerate() {
            match self.increments.get(&number) {
                Some(increment) => increment.each(each)?,
                None => each(line)?,
            }
        }
        Ok(())
    }

    /// Writes every event, one a line.
    ///
    /// # Errors
    /// As [`Feed::each`].
    pub fn write_to(&self, to: &mut dyn Write) -> Result<()> {
        let mut to = std::io::BufWriter::with_capacity(64 * 1024, to);
        self.each(&mut |line| {
            to.write_all(line.as_bytes())?;
            to.write_all(b"\n")
        })?;
        to.flush()
    }
}

fn batch(line: &str) -> Option<(Event, BatchStored)> {
    // Most lines are told apart without being parsed.
    if !line.contains(BatchStored::NOUN_VERB) {
        return None;
    }
    let event = Event::parse(line).ok()?;
    let batch = event.data_as().filter(|_| event.kind == kind_of::<BatchStored>())?;
    Some((event, batch))
}

fn kind_of<P: Payload>() -> String {
    format!("phc.{}.{}", model::ingest::TOOL, P::NOUN_VERB)
}

/// The increment's folder and name, once it is known to be what the event says.
fn open(
    space: &SpaceRoot,
    found: &Found,
    batch: &BatchStored,
    catalogs: &mut HashMap<String, Arc<Dir>>,
) -> std::result::Result<(Arc<Dir>, String), Problem> {
    let name = format!("{}.jsonl", batch.increment);
    let damaged = |why: String| {
        let what = format!("can't expand the batch of increment {}: {why}", batch.increment);
        Problem::new(Code::CatalogDamaged, what).at(found.path().text().clone())
    };
    let catalog = match catalogs.get(&batch.cloud) {
        Some(catalog) => catalog.clone(),
        None => {
            let cloud = batch.cloud.parse().map_err(|_| damaged("its cloud has no name".into()))?;
            let path = layout::catalog(&found.device, &cloud);
            let dir = space.dir().beneath(&path).map_err(|e| damaged(e.to_string()))?;
            catalogs.entry(batch.cloud.clone()).or_insert(Arc::new(dir)).clone()
        }
    };
    match check(&catalog, &name, batch) {
        Ok(None) => Ok((catalog, name)),
        Ok(Some(why)) => Err(damaged(why)),
        Err(e) if e.meaning() == Meaning::Missing => {
            Err(damaged("compaction removed it".to_owned())
                .hint("the batch itself is passed on; its files stand in the catalog's base"))
        }
        Err(e) => Err(damaged(e.to_string())),
    }
}

/// Reads the whole increment; says what is wrong with it.
fn check(catalog: &Dir, name: &str, batch: &BatchStored) -> host::Result<Option<String>> {
    use host::error::Attempt;
    let mut file = catalog.read(name.as_bytes())?;
    let (mut hasher, mut lines) = (blake3::Hasher::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer).attempt("read", catalog.path())?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        lines += buffer[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    let digest = HEXLOWER.encode(hasher.finalize().as_bytes());
    Ok(match (digest == batch.digest, lines == batch.count) {
        (false, _) => Some(format!("its digest is {digest}, not {}", batch.digest)),
        (true, false) => Some(format!("it has {lines} lines, not {}", batch.count)),
        (true, true) => None,
    })
}

impl Increment {
    fn each(&self, each: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let file = self.catalog.read(self.name.as_bytes()).map_err(std::io::Error::other)?;
        for (number, line) in BufReader::with_capacity(64 * 1024, file).lines().enumerate() {
            let news: Value = serde_json::from_str(&line?)?;
            each(&serde_json::to_string(&self.event(number + 1, news))?)?;
        }
        Ok(())
    }

    /// The event of one line. Its id is made of the increment's and the line's number, so
    /// that it is the same whenever it is told.
    fn event(&self, number: usize, news: Value) -> Event {
        let gone = news.get("change").and_then(Value::as_str) == Some("gone");
        let path = news.get("path").and_then(Value::as_str);
        Event {
            id: format!("{}.{number}", self.name.trim_end_matches(".jsonl")),
            kind: if gone { kind_of::<FileGone>() } else { kind_of::<FileStored>() },
            subject: path.filter(|path| !path.is_empty()).map(str::to_owned),
            data: Some(news),
            extra: Map::new(),
            ..self.batch.clone()
        }
    }
}
