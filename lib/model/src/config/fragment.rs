//! From text to a fragment: everything optional, nothing unknown.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::cloud::CloudFragment;
use super::error::Fault;
use super::health::HealthFragment;
use super::host::Host;
use super::ingest::Ingest;
use super::merge::{key_at, moved, overlay};
use super::pillar::PillarFragment;
use super::source::Origins;
use super::spool::Spool;
use super::table;
use super::trash::Trash;
use super::verify::VerifyFragment;
use crate::sentinel::Pillar;

/// What a file, or all of them together, may hold.
///
/// Sections whose values can't contradict each other are read as they are used.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fragment {
    #[serde(deserialize_with = "table::named")]
    pub(super) host: BTreeMap<Spanned<String>, Host>,
    #[serde(deserialize_with = "table::named")]
    pub(super) pillar: BTreeMap<Pillar, PillarFragment>,
    #[serde(deserialize_with = "table::named")]
    pub(super) cloud: BTreeMap<Spanned<String>, CloudFragment>,
    #[serde(deserialize_with = "table::one")]
    pub(super) ingest: Ingest,
    #[serde(deserialize_with = "table::one")]
    pub(super) trash: Trash,
    #[serde(deserialize_with = "table::one")]
    pub(super) verify: VerifyFragment,
    #[serde(deserialize_with = "table::one")]
    pub(super) spool: Spool,
    #[serde(deserialize_with = "table::one")]
    pub(super) health: HealthFragment,
}

/// Reads every source, lays the later over the earlier ones, and takes what results.
///
/// Each source is read as a fragment of its own too: what a drop-in hides must be
/// right all the same. The merged table comes along, to name what a later check finds.
pub(super) fn read<'s>(origins: &Origins<'s>) -> Result<(Fragment, DeTable<'s>), Fault> {
    let mut whole = DeTable::new();
    for (start, source) in origins.iter() {
        let table = DeTable::parse(&source.text).map_err(|e| syntax(&e, start))?;
        let table = moved(table.into_inner(), start);
        fragment(&table)?;
        overlay(&mut whole, table);
    }
    Ok((fragment(&whole)?, whole))
}

fn fragment(table: &DeTable<'_>) -> Result<Fragment, Fault> {
    let document = Spanned::new(0..0, table.clone());
    Fragment::deserialize(Deserializer::from(document)).map_err(|e| explain(&e, table))
}

/// Puts the name of the value before what is wrong with it; a key is named already.
pub(super) fn named(fault: Fault, table: &DeTable<'_>) -> Fault {
    match key_at(table, fault.span.start) {
        Some((path, false)) => {
            Fault { what: format!("{}: {}", path.join("."), fault.what), ..fault }
        }
        _ => fault,
    }
}

fn syntax(error: &toml::de::Error, start: usize) -> Fault {
    let at = start + error.span().map_or(0, |span| span.start);
    Fault::new(at..at, one_line(error.message()))
}

/// Says in the file's own words what the deserializer said in Rust's.
fn explain(error: &toml::de::Error, table: &DeTable<'_>) -> Fault {
    let message = error.message();
    let span = error.span().unwrap_or(0..0);
    let Some((path, is_key)) = key_at(table, span.start) else {
        return Fault::new(span, one_line(message));
    };
    // serde names the culprit and what it knows in backticks: "unknown field `a`, expected `b` or `c`".
    let unknown = ["unknown field", "unknown variant"].iter().any(|kind| message.starts_with(kind));
    let expected = message.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    let known: Vec<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    match (path.split_last(), unknown) {
        (Some((key, section)), true) if is_key => {
            Fault::new(span, unknown_key(key, section)).instead_of(key, known)
        }
        (_, true) => {
            let word = message.split('`').nth(1).unwrap_or_default();
            let what = format!("{} can't be \"{word}\"", path.join("."));
            Fault::new(span, what).instead_of(word, known)
        }
        _ => Fault::new(span, format!("{}: {}", path.join("."), plain(message))),
    }
}

/// What serde calls by Rust's names, as phc.toml(5) calls it.
const WORDS: [(&str, &str); 8] = [
    ("expected a nonzero u32", "expected a whole number from 1"),
    ("expected u64", "expected a whole number"),
    ("expected a sequence", "expected a list"),
    ("expected a boolean", "expected true or false"),
    ("expected a map", "expected a table"),
    ("invalid type: map", "invalid type: table"),
    ("invalid type: sequence", "invalid type: list"),
    ("wanted string or table", "invalid type, expected a string"),
];

fn plain(message: &str) -> String {
    let mut plain = one_line(message);
    for (theirs, ours) in WORDS {
        plain = plain.replace(theirs, ours);
    }
    plain
}

fn unknown_key(key: &str, section: &[String]) -> String {
    match section {
        [] => format!("unknown key \"{key}\""),
        _ => format!("unknown key \"{key}\" in [{}]", section.join(".")),
    }
}

fn one_line(message: &str) -> String {
    message.trim().replace('\n', "; ")
}
