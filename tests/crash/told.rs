//! Catalog and spool, read by their documented form (phc-manifest(5), phc-spool(5)) and
//! by none of the toolkit's code.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What a catalog says of one path.
#[derive(Clone, Debug)]
pub struct Told(Value);

impl Told {
    pub fn is_live(&self, kind: &str) -> bool {
        self.0["live"] == true && self.0["kind"] == kind
    }

    pub fn digest(&self) -> &str {
        self.0["digest"].as_str().unwrap_or_default()
    }

    pub fn target(&self) -> PathBuf {
        path(&self.0["target"])
    }
}

/// A path as JSON has it: a string, or its bytes in base64 where they are not UTF-8.
fn path(value: &Value) -> PathBuf {
    let bytes = match (value.as_str(), value["bytes"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(encoded)) => data_encoding::BASE64.decode(encoded.as_bytes()).unwrap(),
        _ => panic!("no path: {value}"),
    };
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

/// Replays a catalog: the base, then every increment that it does not contain.
///
/// # Panics
/// When a line can't be read, or a file lies there that is neither.
pub fn catalog(folder: &Path) -> BTreeMap<PathBuf, Told> {
    let mut state = BTreeMap::new();
    let mut upto = String::new();
    let mut increments = BTreeSet::new();
    for name in names(folder) {
        match name.strip_suffix(".jsonl") {
            Some(id) => drop(increments.insert(id.to_owned())),
            None => assert_eq!(name, "base.jsonl.zst", "what is this in the catalog?"),
        }
    }
    if let Ok(base) = std::fs::File::open(folder.join("base.jsonl.zst")) {
        let mut text = String::new();
        zstd::Decoder::new(base).unwrap().read_to_string(&mut text).unwrap();
        let (header, rest) = text.split_once('\n').unwrap();
        let header: Value = serde_json::from_str(header).unwrap();
        assert_eq!((&header["format"], &header["schema"]), (&"phc-catalog".into(), &1.into()));
        upto = header["upto"].as_str().unwrap().to_owned();
        replay(rest, &mut state);
    }
    for id in increments.into_iter().filter(|id| *id > upto) {
        replay(&std::fs::read_to_string(folder.join(id + ".jsonl")).unwrap(), &mut state);
    }
    state
}

fn replay(lines: &str, state: &mut BTreeMap<PathBuf, Told>) {
    assert!(lines.is_empty() || lines.ends_with('\n'), "a torn line");
    for line in lines.lines() {
        let news: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        if !news["from"].is_null() {
            state.remove(&path(&news["from"]));
        }
        state.insert(path(&news["path"]), Told(news));
    }
}

/// Every event in a device's spool, in the order of its segments.
///
/// # Panics
/// When a segment can't be read, an event is not valid, one was delivered twice, or
/// anything lies there that is no segment.
pub fn spool(folder: &Path) -> Vec<Value> {
    let mut events = Vec::new();
    let mut ids = BTreeSet::new();
    assert_eq!(names(&folder.join("tmp")), [""; 0], "unfinished segments in the spool");
    for day in names(&folder.join("new")) {
        for name in names(&folder.join("new").join(&day)) {
            assert!(name.ends_with(".jsonl") && name.len() == 42, "{name} is no segment");
            let text = std::fs::read_to_string(folder.join("new").join(&day).join(&name)).unwrap();
            assert!(text.ends_with('\n'), "{name} is torn");
            for line in text.lines() {
                let event: Value = serde_json::from_str(line).unwrap();
                tests::schemas::cloud_event(&event);
                let id = event["id"].as_str().unwrap().to_owned();
                assert!(ids.insert(id.clone()), "{id} was delivered twice");
                events.push(event);
            }
        }
    }
    events
}

/// Holds every `batch.stored` against the increment that it refers to.
///
/// # Panics
/// When one is not there, or is another one.
pub fn hold_batches(events: &[Value], catalog: &Path) {
    for event in events.iter().filter(|event| event["type"] == "phc.ingest.batch.stored") {
        let data = &event["data"];
        let file = catalog.join(format!("{}.jsonl", data["increment"].as_str().unwrap()));
        let text = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(data["digest"], blake3::hash(&text).to_hex().as_str(), "{}", file.display());
        assert_eq!(data["count"], lines, "{}", file.display());
    }
}

/// The names in a folder, sorted; a folder that is not there has none.
fn names(folder: &Path) -> Vec<String> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
