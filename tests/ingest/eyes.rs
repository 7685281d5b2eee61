//! What is in the space, read without the programs' own code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::trees::{self, Kind};

/// The files of a tree with their texts, and its empty folders with a slash at their end.
pub fn texts(root: &Path) -> BTreeMap<PathBuf, String> {
    let entries = trees::list(root);
    let is_empty = |folder: &Path| !entries.keys().any(|path| path.parent() == Some(folder));
    let mut found = BTreeMap::new();
    for (path, entry) in &entries {
        match entry.kind {
            Kind::Folder if is_empty(path) => drop(found.insert(path.join(""), String::new())),
            Kind::Folder => {}
            _ => {
                let bytes = fs::read(root.join(path)).unwrap();
                found.insert(path.clone(), String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    found
}

/// The former versions in a device's `_trash`, by cloud and path, the older day and run first.
pub fn versions(device: &Path) -> BTreeMap<PathBuf, Vec<String>> {
    let trash = device.join("_trash");
    let mut found: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    if !trash.exists() {
        return found;
    }
    for (path, entry) in trees::list(&trash) {
        if entry.kind == Kind::Folder {
            continue;
        }
        let inner: PathBuf = path.components().skip(2).collect();
        let bytes = fs::read(trash.join(path)).unwrap();
        found.entry(inner).or_default().push(String::from_utf8_lossy(&bytes).into_owned());
    }
    found
}

/// The lines of a cloud's increments in the catalog, the oldest first.
pub fn increments(device: &Path, cloud: &str) -> Vec<Value> {
    let folder = device.join("_catalog").join(cloud);
    let mut names: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let plain = names.iter().filter(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let lines = plain.flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    });
    lines.collect()
}

/// Temporary files of runs: `.phc-<runid>-<n>`.
pub fn litter(root: &Path) -> Vec<PathBuf> {
    let is_temporary = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let rest = name.strip_prefix(".phc-").unwrap_or_default().to_owned();
        rest.len() > 36 && rest[..36].bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    };
    trees::list(root).into_keys().filter(is_temporary).collect()
}

/// The files of the state with their bytes, but for locks and for a plan that was
/// refused, which is kept so that it can be approved.
pub fn state(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let is_a_plans_own = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy();
        let is_plan = path.components().any(|part| part.as_os_str() == "plans");
        name.ends_with("lock") || name.ends_with(".holder") || is_plan
    };
    let files = trees::list(root).into_iter().filter(|(_, entry)| entry.kind == Kind::File);
    let files = files.filter(|(path, _)| !is_a_plans_own(path));
    files.map(|(path, _)| (path.clone(), fs::read(root.join(path)).unwrap())).collect()
}

/// What the newest line of the catalog says of a path: `live`, `gone`, or a link's target.
pub fn in_catalog(device: &Path, cloud: &str, path: &str) -> String {
    let lines = increments(device, cloud);
    let of = |line: &&Value| line["path"].as_str() == Some(path);
    let Some(line) = lines.iter().rev().find(of) else { return "unknown".to_owned() };
    match (line["live"].as_bool(), line["target"].as_str()) {
        (Some(true), Some(target)) => format!("-> {target}"),
        (Some(true), None) => "live".to_owned(),
        _ => "gone".to_owned(),
    }
}

/// How many files lie below a folder, which may be missing.
pub fn file_count(root: &Path) -> usize {
    if !root.exists() {
        return 0;
    }
    trees::list(root).values().filter(|entry| entry.kind == Kind::File).count()
}
