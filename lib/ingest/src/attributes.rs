//! Extended attributes of the source: kept on the copies as far as the target can, and told where not.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Mutex, PoisonError};

use host::Dir;
use host::barrier::{self, Barrier};
use host::error::Attempt;
use model::config::AttributeName;
use model::event::Payload;
use model::text::Text;
use serde::{Deserialize, Serialize};

/// The system's own: they say nothing of a file that its copy should say.
const OF_THE_SYSTEM: [&[u8]; 3] = [b"security.", b"system.", b"trusted."];
/// So many names are told apart in one run; no file system's users have nearly as many.
const NAMES: usize = 256;

/// Which attributes copies carry, and which ones of a run they do not.
#[derive(Debug)]
pub struct Attributes<'a> {
    wanted: &'a [AttributeName],
    dropped: Mutex<BTreeMap<Vec<u8>, u64>>,
}

impl<'a> Attributes<'a> {
    /// Copies carry the attributes of these names.
    pub fn new(wanted: &'a [AttributeName]) -> Attributes<'a> {
        Attributes { wanted, dropped: Mutex::default() }
    }

    /// Gives a new copy the attributes of its source.
    pub(crate) fn give(&self, copy: &File, source: &BTreeMap<Vec<u8>, Vec<u8>>) {
        if source.is_empty() {
            return;
        }
        let kept = source.iter().filter(|(name, _)| self.is_wanted(name));
        let kept: BTreeMap<_, _> = kept.map(|(n, v)| (n.clone(), v.clone())).collect();
        let refused = host::xattr::write(copy, &kept);
        let unwanted = source.keys().filter(|name| !kept.contains_key(*name));
        self.note(unwanted.chain(&refused));
    }

    /// Makes the attributes of a copy those that its source has now.
    pub(crate) fn follow(
        &self,
        dir: &Dir,
        name: &[u8],
        source: &BTreeMap<Vec<u8>, Vec<u8>>,
        barrier: &Barrier,
    ) -> host::Result<()> {
        let path = || dir.path().join(&*host::name::os(name));
        let copy = dir.read(name)?;
        let has = host::xattr::read(&copy).unwrap_or_default();
        let wanted = |all: &BTreeMap<Vec<u8>, Vec<u8>>| {
            let wanted = all.iter().filter(|(name, _)| self.is_wanted(name));
            wanted.map(|(n, v)| (n.clone(), v.clone())).collect::<BTreeMap<_, _>>()
        };
        if wanted(&has) == wanted(source) {
            return Ok(());
        }
        host::xattr::remove(&copy, has.keys().filter(|n| !source.contains_key(*n)));
        self.give(&copy, source);
        if barrier.is_each() { barrier::sync_file(&copy).attempt("sync", path()) } else { Ok(()) }
    }

    /// What is to be told of attributes that copies don't have; `None` if they have all.
    pub fn told(self, cloud: &str) -> Option<AttributesDropped> {
        let dropped = self.dropped.into_inner().unwrap_or_else(PoisonError::into_inner);
        let name = |(name, files)| AttributeDropped { name: Text::new(name), files };
        let names: Vec<_> = dropped.into_iter().map(name).collect();
        (!names.is_empty()).then(|| AttributesDropped { cloud: cloud.to_owned(), names })
    }

    fn is_wanted(&self, name: &[u8]) -> bool {
        !is_of_the_system(name) && self.wanted.iter().any(|pattern| pattern.matches(name))
    }

    fn note<'n>(&self, names: impl Iterator<Item = &'n Vec<u8>>) {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names.filter(|name| !is_of_the_system(name)) {
            if dropped.len() < NAMES || dropped.contains_key(name) {
                *dropped.entry(name.clone()).or_default() += 1;
            }
        }
    }
}

fn is_of_the_system(name: &[u8]) -> bool {
    OF_THE_SYSTEM.iter().any(|of| name.starts_with(of))
}

/// `phc.ingest.attributes.dropped`: extended attributes that a run's copies don't have.
///
/// Their values are in the catalog all the same, and `restore` gives them back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AttributesDropped {
    /// The cloud.
    pub cloud: String,
    /// Which attributes, in the order of their names.
    pub names: Vec<AttributeDropped>,
}

/// An attribute that copies don't have.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AttributeDropped {
    /// Its name.
    pub name: Text,
    /// Files of this run that have it.
    pub files: u64,
}

impl Payload for AttributesDropped {
    const NOUN_VERB: &'static str = "attributes.dropped";

    fn subject(&self) -> Option<String> {
        Some(self.cloud.clone())
    }
}
