//! Segments: immutable files of events, one a line.

use std::fmt;

use jiff::Timestamp;
use model::event::Event;
use model::problem::{Code, Problem};
use uuid::Uuid;

use super::{MAX_SEGMENT_BYTES, grease};
use crate::layout;

const SUFFIX: &str = ".jsonl";

/// A segment's id: a UUIDv7 (RFC 9562), which says when it was made and names its file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(Uuid);

impl SegmentId {
    /// A fresh one.
    pub fn fresh() -> SegmentId {
        SegmentId(host::id::ordered())
    }

    /// Takes a UUID that is a version 7 with a time before the year 10000.
    pub fn new(id: Uuid) -> Option<SegmentId> {
        (id.get_version_num() == 7 && time_of(id).is_some()).then_some(SegmentId(id))
    }

    /// The id that a file name `<uuidv7>.jsonl`, lower case, stands for.
    pub fn of_file_name(name: &[u8]) -> Option<SegmentId> {
        let stem = std::str::from_utf8(name).ok()?.strip_suffix(SUFFIX)?;
        let id: SegmentId = stem.parse().ok()?;
        (id.to_string() == stem).then_some(id)
    }

    /// `<uuidv7>.jsonl`.
    pub fn file_name(self) -> String {
        format!("{self}{SUFFIX}")
    }

    /// When it was made, by the clock of its maker.
    pub fn time(self) -> Timestamp {
        time_of(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The folder of its day, `yyyymmdd`.
    pub fn day(self) -> String {
        layout::date(self.time())
    }

    /// The UUID.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

fn time_of(id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for SegmentId {
    type Err = NotASegment;

    fn from_str(text: &str) -> Result<SegmentId, NotASegment> {
        let id = Uuid::try_parse(text).ok().and_then(SegmentId::new);
        id.ok_or_else(|| NotASegment(text.to_owned()))
    }
}

/// Why some text names no segment.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no segment's id, which is a UUIDv7")]
pub struct NotASegment(String);

/// A segment's content, every line of which is an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment(String);

impl Segment {
    /// Takes a file's content.
    ///
    /// # Errors
    /// Why it is no segment: empty, torn, not UTF-8, or a line that is no event.
    pub fn parse(content: Vec<u8>) -> Result<Segment, String> {
        let text = String::from_utf8(content).map_err(|e| e.utf8_error().to_string())?;
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if !text.ends_with('\n') {
            return Err("its last line has no end: it is torn".to_owned());
        }
        for (number, line) in text.lines().enumerate() {
            Event::parse(line).map_err(|e| format!("line {}: {e}", number + 1))?;
        }
        Ok(Segment(text))
    }

    /// The content as it is in the file.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Its lines, each of which is an event of any type.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }
}

/// The contents of the segments that events make, none over [`MAX_SEGMENT_BYTES`].
///
/// # Errors
/// `event-invalid` when one can't be written or is over 64 KiB.
pub(super) fn encode(events: &[Event]) -> Result<Vec<String>, Problem> {
    let mut contents: Vec<String> = Vec::new();
    for event in events {
        let line = event.to_line().map_err(|e| {
            Problem::new(Code::EventInvalid, format!("can't publish event {}: {e}", event.id))
        })?;
        let room = |c: &&mut String| c.len() + line.len() < MAX_SEGMENT_BYTES;
        match contents.last_mut().filter(room) {
            Some(content) => content.push_str(&line),
            None => contents.push(grease::first_line(event) + &line),
        }
        if let Some(content) = contents.last_mut() {
            content.push('\n');
        }
    }
    Ok(contents)
}
