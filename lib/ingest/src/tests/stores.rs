//! What arrives, and what a second run does.

use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};

use super::house::House;

fn wait_out_the_racy_window() {
    std::thread::sleep(std::time::Duration::from_millis(60));
}

#[test]
fn everything_arrives_whole_and_a_second_run_writes_nothing() {
    let mut house = House::new();
    for n in 0..600 {
        house.write(&format!("folder {}/file {n}", n % 7), format!("content {n}"));
    }
    house.write("large", vec![7u8; 3 << 20]);
    house.write("empty file", "");
    std::fs::create_dir_all(house.source("empty/folder")).unwrap();
    wait_out_the_racy_window();
    let totals = house.run_well();
    assert_eq!((totals.files, totals.stored, totals.unchanged), (602, 602, 0));
    house.expect_equal();
    assert!(house.copy("empty/folder").is_dir());

    let before = house.fingerprint();
    let totals = house.run_well();
    assert_eq!((totals.stored, totals.unchanged, totals.touched), (0, 602, 0));
    assert_eq!(house.fingerprint(), before);
    assert_eq!(
        house.published(),
        [
            "phc.ingest.run.started",
            "phc.ingest.batch.stored",
            "phc.ingest.run.finished",
            "phc.ingest.run.started",
            "phc.ingest.run.finished"
        ]
    );
}

#[test]
fn an_edit_that_keeps_size_and_time_is_found_and_the_former_version_kept() {
    let mut house = House::new();
    house.write("a", "one");
    wait_out_the_racy_window();
    house.run_well();
    let meta = std::fs::metadata(house.source("a")).unwrap();
    house.write("a", "two");
    let file = std::fs::File::options().write(true).open(house.source("a")).unwrap();
    file.set_times(std::fs::FileTimes::new().set_modified(meta.modified().unwrap())).unwrap();
    drop(file);
    wait_out_the_racy_window();
    let totals = house.run_well();
    assert_eq!((totals.replaced, totals.trashed), (1, 1));
    house.expect_equal();
    assert_eq!(house.trash(), [("icloud/a".into(), b"one".to_vec())]);
}

#[test]
fn a_touched_file_changes_the_manifest_only() {
    let mut house = House::new();
    house.write("a", "one");
    wait_out_the_racy_window();
    house.run_well();
    let before = house.fingerprint();
    let file = std::fs::File::options().write(true).open(house.source("a")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    drop(file);
    wait_out_the_racy_window();
    assert_eq!(house.run_well().touched, 1);
    assert_eq!(house.fingerprint(), before);
    assert_eq!(house.run_well().unchanged, 1);
    assert!(house.trash().is_empty());
}

#[test]
fn a_rename_in_the_source_is_a_rename_in_the_space() {
    let mut house = House::new();
    house.write("old/a", "content a");
    house.write("old/b", "content b");
    wait_out_the_racy_window();
    house.run_well();
    let inode = std::fs::metadata(house.copy("old/a")).unwrap().ino();
    std::fs::rename(house.source("old"), house.source("new")).unwrap();
    let totals = house.run_well();
    assert_eq!((totals.renamed, totals.stored, totals.gone), (2, 0, 0));
    assert_eq!(std::fs::metadata(house.copy("new/a")).unwrap().ino(), inode);
    house.expect_equal();
    assert_eq!(house.run_well().unchanged, 2);
}

#[test]
fn what_left_stays_as_a_tombstone_and_can_come_back() {
    let mut house = House::new();
    house.write("a", "one");
    house.write("b", "two");
    wait_out_the_racy_window();
    house.run_well();
    std::fs::remove_file(house.source("a")).unwrap();
    assert_eq!(house.run_well().gone, 1);
    assert_eq!(std::fs::read(house.copy("a")).unwrap(), b"one");
    assert_eq!(house.run_well().gone, 0);
    house.write("a", "one");
    wait_out_the_racy_window();
    let totals = house.run_well();
    assert_eq!((totals.adopted, totals.trashed), (1, 0));
    house.write("a", "three");
    wait_out_the_racy_window();
    assert_eq!(house.run_well().replaced, 1);
    house.expect_equal();
}

#[test]
fn gone_copies_go_to_the_trash_where_that_is_the_policy() {
    let mut house = House::new();
    house.settings.on_gone = model::config::OnGone::Trash;
    house.write("d/a", "one");
    house.write("b", "two");
    wait_out_the_racy_window();
    house.run_well();
    std::fs::remove_dir_all(house.source("d")).unwrap();
    let totals = house.run_well();
    assert_eq!((totals.gone, totals.trashed), (1, 1));
    assert!(!house.copy("d/a").exists());
    assert_eq!(house.trash(), [("icloud/d/a".into(), b"one".to_vec())]);
}

#[test]
fn a_file_that_becomes_a_folder_and_back_loses_nothing() {
    let mut house = House::new();
    house.write("x", "a file");
    wait_out_the_racy_window();
    house.run_well();
    std::fs::remove_file(house.source("x")).unwrap();
    house.write("x/inner", "in a folder");
    wait_out_the_racy_window();
    house.run_well();
    house.expect_equal();
    assert_eq!(house.trash(), [("icloud/x".into(), b"a file".to_vec())]);
    std::fs::remove_dir_all(house.source("x")).unwrap();
    house.write("x", "a file again");
    wait_out_the_racy_window();
    house.run_well();
    house.expect_equal();
    assert_eq!(house.trash().len(), 2);
    assert_eq!(house.run_well().unchanged, 1);
}

#[test]
fn links_and_special_files_are_counted_and_never_followed() {
    let mut house = House::new();
    house.write("target/file", "x");
    symlink("target", house.source("to folder")).unwrap();
    symlink("/nowhere/at all", house.source("dangling")).unwrap();
    symlink("self", house.source("self")).unwrap();
    let status = std::process::Command::new("mkfifo").arg(house.source("fifo")).status().unwrap();
    assert!(status.success());
    let _socket = std::os::unix::net::UnixListener::bind(house.source("s")).unwrap();
    wait_out_the_racy_window();
    let totals = house.run_well();
    assert_eq!((totals.symlinks, totals.specials, totals.files), (3, 2, 1));
    assert!(!house.copy("to folder").exists() && !house.copy("fifo").exists());
    let catalog = std::fs::read_dir(house.device_folder().join("_catalog/icloud")).unwrap();
    let text: String =
        catalog.map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap()).collect();
    assert!(text.contains(r#""target":"/nowhere/at all""#), "{text}");
    let totals = house.run_well();
    assert_eq!((totals.unchanged, totals.symlinks), (1, 3));
}

#[test]
fn hard_links_are_stored_under_each_name() {
    let mut house = House::new();
    house.write("a", "shared");
    std::fs::hard_link(house.source("a"), house.source("b")).unwrap();
    std::fs::create_dir(house.source("d")).unwrap();
    std::fs::hard_link(house.source("a"), house.source("d/c")).unwrap();
    wait_out_the_racy_window();
    let totals = house.run_well();
    assert_eq!((totals.stored, totals.hard_links), (1, 2));
    house.expect_equal();
    assert_eq!(house.run_well().unchanged, 3);
    // An edit through one name is an edit of all.
    std::fs::write(house.source("b"), "edited!").unwrap();
    wait_out_the_racy_window();
    house.run_well();
    house.expect_equal();
}

#[test]
fn sparse_stays_sparse() {
    let mut house = House::new();
    house.write("sparse", "");
    let file = std::fs::File::options().write(true).open(house.source("sparse")).unwrap();
    file.set_len(64 << 20).unwrap();
    file.write_all_at(b"in the middle", 30 << 20).unwrap();
    file.write_all_at(b"at the end", (64 << 20) - 10).unwrap();
    drop(file);
    wait_out_the_racy_window();
    house.run_well();
    house.expect_equal();
    assert!(std::fs::metadata(house.copy("sparse")).unwrap().blocks() * 512 < 4 << 20);
}

#[test]
fn a_hole_larger_than_the_disk_takes_no_room_and_can_be_stopped() {
    let mut house = House::new();
    house.write("hole", "");
    let file = std::fs::File::options().write(true).open(house.source("hole")).unwrap();
    file.set_len(1 << 40).unwrap();
    drop(file);
    wait_out_the_racy_window();
    let stop = house.stop.clone();
    let began = std::time::Instant::now();
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        stop.ask();
    });
    let ended = house.run();
    assert_eq!(ended.finished.outcome.name(), "stopped", "{:?}", ended.finished.problem);
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
    assert!(House::tree(&house.copy("")).is_empty());
}

#[test]
fn copies_are_never_wider_than_their_source_nor_than_0640() {
    let mut house = House::new();
    for (name, mode) in [("open", 0o777), ("usual", 0o644), ("private", 0o600), ("readonly", 0o444)]
    {
        house.write(&format!("d-{name}/{name}"), name);
        std::fs::set_permissions(
            house.source(&format!("d-{name}/{name}")),
            PermissionsExt::from_mode(mode),
        )
        .unwrap();
        std::fs::set_permissions(
            house.source(&format!("d-{name}")),
            PermissionsExt::from_mode(mode | 0o700),
        )
        .unwrap();
    }
    wait_out_the_racy_window();
    house.run_well();
    let mode = |path: &str| std::fs::metadata(house.copy(path)).unwrap().mode() & 0o7777;
    for (name, mode_of) in
        [("open", 0o777), ("usual", 0o644), ("private", 0o600), ("readonly", 0o444)]
    {
        assert_eq!(mode(&format!("d-{name}/{name}")) & !(mode_of & 0o640), 0, "{name}");
        assert_eq!(mode(&format!("d-{name}")) & !((mode_of | 0o700) & 0o750), 0, "{name}");
    }
    std::fs::set_permissions(house.source("d-usual/usual"), PermissionsExt::from_mode(0o600))
        .unwrap();
    std::fs::set_permissions(house.source("d-usual"), PermissionsExt::from_mode(0o700)).unwrap();
    wait_out_the_racy_window();
    house.run_well();
    let mode = |path: &str| std::fs::metadata(house.copy(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode("d-usual/usual"), mode("d-usual")), (0o600, 0o700));
}

#[test]
fn names_of_the_users_own_are_ingested_like_any_other() {
    use std::os::unix::ffi::OsStrExt;
    let mut house = House::new();
    for name in [
        "time/x",
        "space/x",
        "_spool/x",
        "_status.json",
        ".phc-space.json.txt",
        "a\nb",
        " trailing ",
        "-rf",
    ] {
        house.write(name, name);
    }
    let odd = std::ffi::OsStr::from_bytes(b"latin1-\xe9");
    std::fs::write(house.source("").join(odd), "odd").unwrap();
    std::fs::write(house.source("").join("n".repeat(255)), "long").unwrap();
    wait_out_the_racy_window();
    house.run_well();
    house.expect_equal();
    assert_eq!(house.run_well().unchanged, 10);
}
