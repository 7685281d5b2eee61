use std::collections::BTreeMap;
use std::time::Duration;

use host::Dir;
use model::ingest::{Change, FileNews, FileRecord, RecordKind};
use model::relpath::RelPath;

use super::Catalog;
use crate::manifest::{Manifest, Opened};

fn news(path: &str, size: u64) -> FileNews {
    let path = RelPath::new(path).unwrap();
    let file = FileRecord { size: Some(size), ..FileRecord::bare(path, RecordKind::File, true) };
    FileNews { cloud: "c".into(), file, change: Change::Stored, from: None, was: None }
}

fn state(catalog: &Catalog) -> (BTreeMap<String, u64>, usize) {
    let mut state = BTreeMap::new();
    let problems = catalog
        .replay(&mut |n| {
            state.insert(n.file.path.to_string(), n.file.size.unwrap());
        })
        .unwrap();
    (state, problems.len())
}

fn sandbox() -> (tempfile::TempDir, Catalog) {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(temp.path()).unwrap();
    (temp, Catalog { dir })
}

#[test]
fn later_lines_outdo_earlier_ones_and_damage_costs_only_its_line() {
    let (temp, catalog) = sandbox();
    assert!(catalog.is_empty().unwrap());
    let first = catalog.publish(host::id::ordered(), &[news("a", 1), news("b", 2)]).unwrap();
    catalog.publish(host::id::ordered(), &[news("a", 3)]).unwrap();
    assert_eq!(state(&catalog), (BTreeMap::from([("a".into(), 3), ("b".into(), 2)]), 0));
    assert_eq!((first.count, first.bytes), (2, 3));

    let file = temp.path().join(format!("{}.jsonl", first.id));
    assert_eq!(first.digest, blake3::hash(&std::fs::read(&file).unwrap()).to_hex().to_string());
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen('{', "[", 1)).unwrap();
    assert_eq!(state(&catalog), (BTreeMap::from([("a".into(), 3), ("b".into(), 2)]), 1));
}

#[test]
fn compaction_keeps_the_state_and_what_the_spool_may_still_refer_to() {
    let (temp, catalog) = sandbox();
    let Opened::Fresh(mut manifest) = Manifest::open(&temp.path().join("m.sqlite")).unwrap() else {
        panic!()
    };
    let mut newest = None;
    for size in 0..70 {
        let told = news("d/a", size);
        let mut batch = manifest.batch().unwrap();
        let record = crate::manifest::Record::from_told(&told.file).unwrap();
        batch.put(&RelPath::new("d").unwrap(), b"a", &record).unwrap();
        batch.commit().unwrap();
        newest = Some(catalog.publish(host::id::ordered(), &[told]).unwrap().id);
    }
    let reader = manifest.reader().unwrap();
    let now: jiff::Timestamp = std::time::SystemTime::now().try_into().unwrap();
    let keep = Duration::from_secs(60);
    assert!(catalog.compact("c", &reader, now, keep).unwrap());
    assert_eq!(super::increment::ids(catalog.dir()).unwrap().len(), 70);
    assert!(!catalog.compact("c", &reader, now + keep * 2, keep).unwrap());
    assert_eq!(super::increment::ids(catalog.dir()).unwrap().len(), 0);
    assert!(catalog.holds(newest.unwrap()).unwrap());
    assert!(!catalog.holds(host::id::ordered()).unwrap());
    let mut told = BTreeMap::new();
    let problems = catalog
        .replay(&mut |n| {
            told.insert(n.file.path.to_string(), n.file.size);
        })
        .unwrap();
    assert!(problems.is_empty());
    assert_eq!(told, BTreeMap::from([("d".into(), None), ("d/a".into(), Some(69))]));
}
