use std::collections::BTreeMap;
use std::path::Path;

use model::ingest::Change;
use model::relpath::RelPath;

use super::{Manifest, News, Opened, Record, RowKind};

fn record(size: u64) -> Record {
    Record {
        kind: RowKind::File,
        live: true,
        suspect: false,
        size,
        mtime_ns: -5,
        ctime_ns: Some(7),
        btime_ns: None,
        file_id: u64::MAX,
        mode: 0o640,
        uid: 1,
        gid: 2,
        digest: Some([9; 32]),
        copy_mtime_ns: Some(-4),
        copy_name: None,
        target: None,
        xattrs: BTreeMap::from([(b"user.tag".to_vec(), b"\xff".to_vec())]),
        gone_ms: None,
    }
}

fn fresh(dir: &tempfile::TempDir) -> Manifest {
    match Manifest::open(&dir.path().join("m.sqlite")).unwrap() {
        Opened::Fresh(manifest) => manifest,
        Opened::Existing(_) => panic!("there was none"),
    }
}

#[test]
fn rows_come_back_as_they_were_put_and_only_after_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let mut manifest = fresh(&dir);
    let folder = RelPath::new("a/b").unwrap();
    let reader = manifest.reader().unwrap();

    let mut batch = manifest.batch().unwrap();
    batch.put(&folder, b"x\xff", &record(3)).unwrap();
    drop(batch);
    assert_eq!(reader.folder_id(&folder).unwrap(), None);

    let mut batch = manifest.batch().unwrap();
    batch.put(&folder, b"x\xff", &record(3)).unwrap();
    batch.commit().unwrap();
    let id = reader.folder_id(&folder).unwrap().unwrap();
    assert_eq!(reader.folder_path(id).unwrap().path, folder);
    assert_eq!(reader.record(id, b"x\xff").unwrap().unwrap(), record(3));
    assert_eq!(reader.entries(id).unwrap()[0].file_id, u64::MAX);
    assert_eq!(reader.counts().unwrap(), (1, 3, 0));
}

#[test]
fn what_is_committed_waits_until_it_is_announced() {
    let dir = tempfile::tempdir().unwrap();
    let mut manifest = fresh(&dir);
    let root = RelPath::root();
    let mut batch = manifest.batch().unwrap();
    batch.put(&root, b"new", &record(1)).unwrap();
    let from = RelPath::new("old").unwrap();
    batch
        .announce(&root, b"new", &News { from: Some(from.clone()), ..News::of(Change::Renamed) })
        .unwrap();
    batch.commit().unwrap();

    let told = manifest.unannounced("icloud", 0, 10).unwrap().unwrap();
    assert_eq!((told.news[0].change, told.news[0].from.clone()), (Change::Renamed, Some(from)));
    assert_eq!(told.news[0].file.copy_mtime_ns, Some(-4));
    let back = Record::from_told(&told.news[0].file).unwrap();
    assert_eq!(back.digest, record(1).digest);
    assert_eq!(back.xattrs, record(1).xattrs);
    assert!(back.suspect);

    let increment = uuid::Uuid::nil();
    manifest.forget_announced(told.upto, increment).unwrap();
    assert!(manifest.unannounced("icloud", 0, 10).unwrap().is_none());
    assert_eq!(manifest.meta("newest_increment").unwrap().unwrap(), increment.to_string());
}

#[test]
fn what_is_no_manifest_is_broken_and_can_be_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.sqlite");
    for content in [&b"garbage garbage garbage"[..], b"SQLite format 3\0cut"] {
        std::fs::write(&path, content).unwrap();
        assert!(Manifest::open(&path).unwrap_err().is_broken());
    }
    let aside = Manifest::set_aside(&path, "1").unwrap();
    assert!(aside.exists() && !path.exists());
    assert!(matches!(Manifest::open(&path).unwrap(), Opened::Fresh(_)));
}

#[test]
fn a_manifest_of_each_earlier_version_opens_and_says_what_it_said() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    for version in 1..super::schema::VERSION {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.sqlite");
        let old = golden.join(format!("manifest-v{version}.sqlite"));
        std::fs::copy(&old, &path).expect("a golden manifest of every version");
        let Opened::Existing(mut manifest) = Manifest::open(&path).unwrap() else {
            panic!("version {version} was not taken for a manifest")
        };
        assert_eq!(manifest.reader().unwrap().counts().unwrap(), (4, 23, 1), "{version}");
        let sub = RelPath::new("sub").unwrap();
        let id = manifest.reader().unwrap().folder_id(&sub).unwrap().unwrap();
        let names: Vec<Box<[u8]>> =
            manifest.reader().unwrap().entries(id).unwrap().into_iter().map(|k| k.name).collect();
        assert_eq!(names, [b"b.txt".as_slice().into(), b"n\xff".as_slice().into()]);
        manifest.check_deeply().unwrap();
        let mut batch = manifest.batch().unwrap();
        batch.put(&sub, b"new", &record(3)).unwrap();
        batch.commit().unwrap();
    }
}

#[test]
fn what_was_seen_of_a_folder_is_forgotten_with_any_change_in_it() {
    type Change = fn(&mut super::Batch<'_>, &RelPath) -> super::Result<()>;
    let changes: [(&str, Change); 8] = [
        ("put", |b, f| b.put(f, b"new", &record(1))),
        ("bury", |b, f| b.bury(f, b"x", 0, false)),
        ("remove", |b, f| b.remove(f, b"x")),
        ("a folder's row", |b, f| b.put_folder(&f.join(b"sub"), true, 0, 0o700, (0, 0))),
        ("a new folder", |b, f| b.put(&f.join(b"other"), b"y", &record(1))),
        ("a folder that left", |b, f| {
            let sub = f.join(b"sub");
            b.remove(&sub, b"x")?;
            b.bury_folder(&sub).map(|buried| assert!(buried))
        }),
        ("trash", |b, f| b.trashed_below(f, 0)),
        ("trash above", |b, f| b.trashed_below(&f.split().unwrap().0, 0)),
    ];
    for (name, change) in changes {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = fresh(&dir);
        let (here, beside) = (RelPath::new("top/here").unwrap(), RelPath::new("beside").unwrap());
        let mut batch = manifest.batch().unwrap();
        for folder in [&here, &beside] {
            batch.put(folder, b"x", &record(1)).unwrap();
            batch.put(&folder.join(b"sub"), b"x", &record(1)).unwrap();
        }
        batch.commit().unwrap();
        let reader = manifest.reader().unwrap();
        let id = |path| reader.folder_id(path).unwrap().unwrap();
        manifest.remember_seen(&[(id(&here), [1; 32]), (id(&beside), [2; 32])]).unwrap();
        assert_eq!(reader.seen(id(&here)).unwrap(), Some([1; 32]), "{name}");
        let mut batch = manifest.batch().unwrap();
        change(&mut batch, &here).unwrap();
        batch.commit().unwrap();
        assert_eq!(reader.seen(id(&here)).unwrap(), None, "{name}");
        assert_eq!(reader.seen(id(&beside)).unwrap(), Some([2; 32]), "{name}");
    }
}

#[test]
fn a_folder_is_buried_after_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut manifest = fresh(&dir);
    let outer = RelPath::new("outer").unwrap();
    let inner = outer.join(b"inner");
    let mut batch = manifest.batch().unwrap();
    batch.put(&inner, b"x", &record(1)).unwrap();
    assert!(!batch.bury_folder(&outer).unwrap() && !batch.bury_folder(&inner).unwrap());
    batch.bury(&inner, b"x", 0, false).unwrap();
    assert!(!batch.bury_folder(&outer).unwrap() && batch.bury_folder(&inner).unwrap());
    assert!(batch.bury_folder(&outer).unwrap() && !batch.bury_folder(&outer).unwrap());
}
