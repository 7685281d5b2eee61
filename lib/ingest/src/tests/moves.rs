//! Folders that move: nothing is read again, and nothing empty stays behind.

use super::house::House;

fn album(house: &House) {
    for folder in ["album/one", "album/two/deep"] {
        (0..20).for_each(|n| house.write(&format!("{folder}/{n}"), format!("{folder} {n}")));
    }
    std::fs::create_dir(house.source("album/empty")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(60));
}

#[test]
fn a_moved_folder_leaves_no_empty_one_behind() {
    let mut house = House::new();
    album(&house);
    house.run_well();
    std::fs::create_dir(house.source("archive")).unwrap();
    std::fs::rename(house.source("album"), house.source("archive/2024")).unwrap();
    let totals = house.run_well();
    assert_eq!((totals.renamed, totals.bytes_stored, totals.gone), (40, 0, 0));
    assert!(!house.copy("album").exists() && house.copy("archive/2024/empty").is_dir());
    house.expect_equal();
}

#[test]
fn a_tombstones_copy_keeps_its_folder() {
    let mut house = House::new();
    album(&house);
    house.run_well();
    std::fs::remove_file(house.source("album/one/1")).unwrap();
    house.run_well();
    std::fs::rename(house.source("album"), house.source("moved")).unwrap();
    assert_eq!(house.run_well().renamed, 39);
    assert!(house.copy("album/one/1").is_file());
    assert!(!house.copy("album/two").exists() && !house.copy("album/empty").exists());
}

#[test]
fn the_two_ends_of_a_move_need_not_come_in_one_run() {
    let mut house = House::new();
    album(&house);
    house.run_well();
    let aside = house.source("").with_file_name("aside");
    std::fs::rename(house.source("album/one"), &aside).unwrap();
    assert_eq!(house.run_well().gone, 20);
    std::fs::rename(&aside, house.source("back")).unwrap();
    let totals = house.run_well();
    assert_eq!((totals.renamed, totals.bytes_stored), (20, 0), "{totals:?}");
    assert!(!house.copy("album/one").exists() && house.copy("back/1").is_file());
    assert_eq!(house.run_well().unchanged, 40);
}

#[test]
fn what_only_looks_like_the_file_that_left_is_read() {
    let mut house = House::new();
    album(&house);
    house.run_well();
    let aside = house.source("").with_file_name("aside");
    std::fs::rename(house.source("album/one"), &aside).unwrap();
    house.run_well();
    std::fs::write(aside.join("1"), "album one !").unwrap();
    std::fs::rename(&aside, house.source("back")).unwrap();
    let totals = house.run_well();
    assert_eq!((totals.renamed, totals.stored), (19, 1), "{totals:?}");
    assert_eq!(std::fs::read(house.copy("back/1")).unwrap(), b"album one !");
    assert_eq!(std::fs::read(house.copy("album/one/1")).unwrap(), b"album/one 1");
}
