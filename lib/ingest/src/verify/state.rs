//! What is found of one copy.

use host::error::Meaning;
use host::stop::Stop;
use host::{Dir, Facts};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::manifest::Record;
use store::names::Mapped;

use crate::digest;

/// What is found of one copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Good(Facts),
    LeftOut,
    Unknown,
    Missing,
    Damaged(String),
    Stopped,
}

/// A copy that is not what was stored.
#[derive(Clone, Debug)]
pub(crate) struct Bad {
    pub folder: Mapped,
    pub name: Vec<u8>,
    /// What is known of it; its digest is never `None`.
    pub record: Record,
    pub state: State,
}

impl Bad {
    /// Its path.
    pub fn path(&self) -> RelPath {
        self.folder.path.join(&self.name)
    }

    /// The name that its copy has.
    pub fn copy_name(&self) -> &[u8] {
        self.record.copy_name(&self.name)
    }

    /// What is wrong, in words.
    pub fn why(&self) -> &str {
        match &self.state {
            State::Damaged(why) => why,
            _ => "it is not there",
        }
    }

    /// The problem that it is while nobody mends it.
    pub fn problem(&self) -> Problem {
        let (code, what) = match &self.state {
            State::Damaged(why) => (Code::CopyDamaged, format!("a copy is damaged: {why}")),
            _ => (Code::CopyMissing, "a copy is not there".to_owned()),
        };
        Problem::new(code, what).at(self.path().text().clone())
    }
}

/// Reads one copy and holds it against its row; `each` is told of every stretch that is read.
pub(crate) fn state_of(
    dir: Option<&Dir>,
    name: &[u8],
    size: u64,
    digest: Option<[u8; 32]>,
    stop: &Stop,
    each: &mut dyn FnMut(u64),
) -> State {
    let Some(digest) = digest else { return State::Unknown };
    let Some(dir) = dir else { return State::Missing };
    match digest::of_disk(dir, name, stop, each) {
        Ok(Some((found, facts))) if found == digest => State::Good(facts),
        Ok(Some((_, facts))) if facts.size != size => {
            State::Damaged(format!("it has {} bytes, {size} were stored", facts.size))
        }
        Ok(Some(_)) => State::Damaged("its content is not what was stored".to_owned()),
        Ok(None) if stop.asked() => State::Stopped,
        Ok(None) => State::Damaged("it is no regular file, or changes while it is read".to_owned()),
        Err(e) if e.meaning() == Meaning::Missing => State::Missing,
        Err(e) => State::Damaged(format!("can't {} it: {}", e.attempt, e.source)),
    }
}
