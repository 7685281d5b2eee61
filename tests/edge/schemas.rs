//! The JSON Schema of everything that is written for others, generated from its Rust type.
//!
//! `PHC_WRITE=1 cargo test -p tests --test edge schemas` writes what has changed.

use std::collections::BTreeMap;
use std::path::Path;

use model::event::Payload;
use model::ingest::{BatchStored, FileGone, FilePlanned, FileStored, Totals};
use model::problem::Problem;
use model::run::{RunFinished, RunStarted};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::current;

/// Every schema by its name: an event's type, or a file's name without dots and underscores around it.
///
/// `any` stands for each tool where the form does not depend on it.
fn register() -> BTreeMap<String, Value> {
    let mut register = Register::default();
    register.event::<Problem>("any");
    register.event::<RunStarted>("any");

    register.event::<RunFinished<Totals>>(model::ingest::TOOL);
    register.event::<FilePlanned>(model::ingest::TOOL);
    register.event::<FileStored>(model::ingest::TOOL);
    register.event::<FileGone>(model::ingest::TOOL);
    register.event::<BatchStored>(model::ingest::TOOL);
    register.event::<ingest::attributes::AttributesDropped>(model::ingest::TOOL);
    register.event::<ingest::inbox::InboxArrived>(model::ingest::TOOL);
    register.event::<ingest::discover::CloudFound>(model::ingest::TOOL);
    register.event::<ingest::verify::Verified>(model::ingest::TOOL);
    register.event::<ingest::past::VersionTold>(model::ingest::TOOL);
    register.event::<ingest::past::FileRestored>(model::ingest::TOOL);
    register.event::<ingest::past::FilesRestored>(model::ingest::TOOL);
    register.event::<ingest::duplicates::Duplicated>(model::ingest::TOOL);
    register.event::<ingest::duplicates::Counted>(model::ingest::TOOL);
    register.event::<ingest::expire::Expired>(model::ingest::TOOL);
    register.event::<ingest::expire::VersionExpired>(model::ingest::TOOL);
    register.event::<ingest::deferred::FileDeferred>(model::ingest::TOOL);
    register.event::<ingest::status::CloudTold>(model::ingest::TOOL);
    register.event::<ingest::name::NameTold>(model::ingest::TOOL);
    register.event::<ingest::status::Approved>(model::ingest::TOOL);
    register.event::<ingest::watch::WatchStarted>(model::ingest::TOOL);
    register.event::<ingest::watch::WatchDeferred>(model::ingest::TOOL);
    register.event::<ingest::watch::WatchMissed>(model::ingest::TOOL);
    register.event::<ingest::watch::WatchEnded>(model::ingest::TOOL);

    register.event::<model::spool::EventsPublished>(model::spool::TOOL);
    register.event::<model::spool::OutboxFlushed>(model::spool::TOOL);
    register.event::<model::spool::SegmentListed>(model::spool::TOOL);
    register.event::<model::spool::SegmentFinished>(model::spool::TOOL);
    register.event::<model::spool::SegmentDied>(model::spool::TOOL);
    register.event::<model::spool::SpoolsPruned>(model::spool::TOOL);
    register.event::<model::spool::ConsumerListed>(model::spool::TOOL);

    register.event::<health::collect::Judged>(health::TOOL);
    register.event::<health::config::Checked>(health::TOOL);

    register.event::<mount::event::Adopted>(mount::event::TOOL);
    register.event::<mount::event::Ready>(mount::event::TOOL);
    register.event::<mount::event::Refused>(mount::event::TOOL);
    register.event::<mount::Report>(mount::event::TOOL);

    register.file::<model::sentinel::Sentinel>("phc-space");
    register.file::<model::device::DeviceCard>("device");
    register.file::<model::status::Status>("status");
    register.file::<model::spool::ConsumerRecord>("consumer");
    register.file::<model::ingest::FileNews>("catalog-line");
    register.0
}

#[derive(Default)]
struct Register(BTreeMap<String, Value>);

impl Register {
    fn event<P: Payload + JsonSchema>(&mut self, tool: &str) {
        self.file::<P>(&format!("phc.{tool}.{}", P::NOUN_VERB));
    }

    fn file<T: JsonSchema>(&mut self, name: &str) {
        // As it is written: a value that is not known is null, never left out.
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let mut schema = settings.into_generator().into_root_schema_for::<T>();
        schema.insert("title".to_owned(), name.into());
        assert!(
            self.0.insert(name.to_owned(), schema.to_value()).is_none(),
            "{name} is there twice"
        );
    }
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let folder = tests::schemas::folder();
    let mut register = register();
    for (name, schema) in &register {
        let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
        current::check(&folder.join(format!("{name}.json")), &text);
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let known = stem == "README" || register.remove(stem).is_some();
        assert!(known, "{} belongs to no type any more", path.display());
    }
}

/// The words `<noun>.<past verb>` of every payload in the libraries' text.
fn payloads(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            payloads(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let words = text.split("const NOUN_VERB: &'static str = \"").skip(1);
            found.extend(words.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
}

#[test]
fn every_payload_has_a_schema() {
    let mut found = Vec::new();
    payloads(&tests::schemas::project().join("lib"), &mut found);
    assert!(found.len() > 10, "where are the payloads?");
    let register = register();
    for words in found {
        let has = register.keys().any(|name| name.splitn(3, '.').nth(2) == Some(&words));
        assert!(has, "{words} is missing in the register above");
    }
}
