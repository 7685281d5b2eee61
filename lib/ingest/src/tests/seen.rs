//! Folders that were seen as their rows say: nothing that changes in one is passed over.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use model::ingest::Totals;
use model::relpath::RelPath;
use store::manifest::Manifest;

use super::house::House;

const FILES: u64 = 5;

/// A house whose folders are all seen to be as their rows say.
fn seen() -> House {
    let mut house = House::new();
    for name in ["top", "dir/a", "dir/b", "dir/in/x", "dir/in/y"] {
        house.write(name, name);
    }
    fs::create_dir(house.source("dir/empty")).unwrap();
    for _ in 0..2 {
        settle();
        house.run_well();
    }
    for folder in ["", "dir", "dir/in", "dir/empty"] {
        assert!(is_seen(&house, folder), "{folder} is not seen");
    }
    house
}

fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(40));
}

fn is_seen(house: &House, folder: &str) -> bool {
    let manifest = Manifest::look(&house.state().join(crate::MANIFEST)).unwrap().unwrap();
    let reader = manifest.reader().unwrap();
    let id = reader.folder_id(&RelPath::new(folder).unwrap()).unwrap().unwrap();
    reader.seen(id).unwrap().is_some()
}

#[test]
fn a_run_that_reads_no_rows_counts_what_is_there_all_the_same() {
    let mut house = seen();
    let totals = house.run_well();
    assert_eq!((totals.files, totals.unchanged, totals.folders), (FILES, FILES, 4));
    assert_eq!(totals.bytes, "topdir/adir/bdir/in/xdir/in/y".len() as u64);
}

#[test]
fn whatever_changes_in_a_seen_folder_is_found() {
    type Edit = fn(&House);
    type Found = fn(&Totals) -> u64;
    let edits: [(&str, Edit, Found); 10] = [
        ("an edit", |h| h.write("dir/in/x", "something else"), |t| t.replaced),
        ("an edit that keeps size and time", same_size_and_time, |t| t.replaced),
        ("another file of the same content and time", another_inode, |t| t.touched),
        ("other permissions", |h| chmod(h, "dir/in/x", 0o600), |t| t.touched),
        ("a new file", |h| h.write("dir/in/z", "new"), |t| t.stored),
        ("a file that left", |h| fs::remove_file(h.source("dir/in/x")).unwrap(), |t| t.gone),
        ("a rename", |h| rename(h, "dir/in/x", "dir/in/z"), |t| t.renamed),
        ("a new folder", |h| h.write("dir/new/z", "new"), |t| t.stored),
        ("a folder that left", |h| fs::remove_dir_all(h.source("dir/in")).unwrap(), |t| t.gone / 2),
        ("a folder that became a file", folder_to_file, |t| t.stored),
    ];
    for (what, edit, found) in edits {
        let mut house = seen();
        edit(&house);
        settle();
        assert_eq!(found(&house.run_well()), 1, "{what}");
        // And it is seen again once that is done.
        settle();
        let totals = house.run_well();
        assert_eq!(totals.files, totals.unchanged, "{what}");
        assert!(is_seen(&house, "dir"), "{what}");
    }
}

#[test]
fn what_is_left_out_no_more_is_found_in_a_seen_folder() {
    let mut house = seen();
    house.settings.excludes = crate::excludes::Excludes::new(["b".parse().unwrap()]);
    assert_eq!(house.run_well().excluded, 1);
    house.write("dir/b", "edited while it was left out");
    settle();
    house.run_well();
    house.settings.excludes = crate::excludes::Excludes::default();
    assert_eq!(house.run_well().replaced, 1);
}

#[test]
fn a_row_that_is_doubted_is_read_in_a_seen_folder() {
    let mut house = seen();
    let store::manifest::Opened::Existing(mut manifest) =
        Manifest::open(&house.state().join(crate::MANIFEST)).unwrap()
    else {
        panic!("there was none")
    };
    let mut batch = manifest.batch().unwrap();
    batch.doubt(&RelPath::new("dir/in").unwrap(), b"x", true).unwrap();
    batch.commit().unwrap();
    drop(manifest);
    fs::write(house.copy("dir/in/x"), "rotten").unwrap();
    house.run_well();
    assert_eq!(fs::read(house.copy("dir/in/x")).unwrap(), b"dir/in/x");
}

fn same_size_and_time(house: &House) {
    let path = house.source("dir/in/x");
    let time = path.metadata().unwrap().modified().unwrap();
    house.write("dir/in/x", "DIR/IN/X");
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
}

fn another_inode(house: &House) {
    let (path, beside) = (house.source("dir/in/x"), house.source("beside"));
    let time = path.metadata().unwrap().modified().unwrap();
    fs::copy(&path, &beside).unwrap();
    fs::File::options().write(true).open(&beside).unwrap().set_modified(time).unwrap();
    fs::rename(&beside, &path).unwrap();
}

fn chmod(house: &House, path: &str, mode: u32) {
    fs::set_permissions(house.source(path), fs::Permissions::from_mode(mode)).unwrap();
}

fn rename(house: &House, from: &str, to: &str) {
    fs::rename(house.source(from), house.source(to)).unwrap();
}

fn folder_to_file(house: &House) {
    fs::remove_dir(house.source("dir/empty")).unwrap();
    house.write("dir/empty", "a file now");
}
