//! Guards, loops, lost manifests: what must not go wrong.

use super::house::House;

fn wait_out_the_racy_window() {
    std::thread::sleep(std::time::Duration::from_millis(60));
}

fn house_with(files: usize) -> House {
    let mut house = House::new();
    for n in 0..files {
        house.write(&format!("f{n}"), format!("content {n}"));
    }
    wait_out_the_racy_window();
    house.run_well();
    house
}

#[test]
fn a_disaster_is_refused_kept_and_let_through_once_when_approved() {
    let mut house = house_with(400);
    for n in 0..150 {
        std::fs::remove_file(house.source(&format!("f{n}"))).unwrap();
    }
    house.write("new", "an addition changes nothing about it");
    let refused = house.run();
    assert_eq!((refused.exit.code(), refused.finished.outcome.name()), (3, "refused"));
    assert!(!house.copy("new").exists());
    let plan = refused.finished.plan.unwrap();
    let plans = store::approvals::Plans::of(&house.state());
    plans.approve(&plan, jiff::Timestamp::now()).unwrap();
    assert_eq!(house.run_well().gone, 150);
    assert!(plans.all().unwrap().is_empty());
    assert_eq!(house.run_well().gone, 0);
    // What was approved does not count against the next day's small changes.
    std::fs::remove_file(house.source("f200")).unwrap();
    assert_eq!(house.run_well().gone, 1);
}

#[test]
fn small_batches_add_up() {
    let mut house = house_with(400);
    let mut last = 0;
    for n in 0..200 {
        std::fs::remove_file(house.source(&format!("f{n}"))).unwrap();
        if n % 40 == 39 {
            last = house.run().exit.code();
        }
    }
    assert_eq!(last, 3);
}

#[test]
fn a_mass_touch_is_no_disaster_and_a_mass_edit_is_one() {
    let mut house = house_with(300);
    for n in 0..300 {
        let file =
            std::fs::File::options().write(true).open(house.source(&format!("f{n}"))).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    wait_out_the_racy_window();
    assert_eq!(house.run_well().touched, 300);
    for n in 0..300 {
        house.write(&format!("f{n}"), format!("encrypted {n}"));
    }
    wait_out_the_racy_window();
    assert_eq!(house.run().exit.code(), 3);
    assert_eq!(std::fs::read(house.copy("f7")).unwrap(), b"content 7");
}

#[test]
fn renames_of_everything_are_no_disaster() {
    let mut house = house_with(300);
    for n in 0..300 {
        std::fs::rename(house.source(&format!("f{n}")), house.source(&format!("g{n}"))).unwrap();
    }
    assert_eq!(house.run_well().renamed, 300);
    house.expect_equal();
}

#[test]
fn an_empty_or_missing_root_is_refused_when_files_are_known() {
    let mut house = house_with(3);
    for n in 0..3 {
        std::fs::remove_file(house.source(&format!("f{n}"))).unwrap();
    }
    let refused = house.run();
    assert_eq!(refused.finished.problem.unwrap().code.name(), "root-empty");
    std::fs::remove_dir(house.source("")).unwrap();
    let refused = house.run();
    assert_eq!(
        (refused.exit.code(), refused.finished.problem.unwrap().code.name()),
        (3, "root-gone")
    );
    let mut fresh = House::new();
    fresh.settings.source = fresh.source("nothing here");
    assert_eq!(fresh.run().exit.code(), 2);
}

#[test]
fn losing_the_manifest_loses_nothing_and_does_not_switch_the_guard_off() {
    let mut house = house_with(300);
    std::fs::write(house.state().join("manifest.sqlite"), "garbage").unwrap();
    let before = house.fingerprint();
    let totals = house.run_well();
    assert_eq!((totals.touched, totals.stored, totals.adopted), (300, 0, 0));
    assert_eq!(house.fingerprint(), before);
    assert_eq!(house.problems(), ["manifest-rebuilt"]);
    assert_eq!(house.run_well().unchanged, 300);

    for lost in ["manifest.sqlite", "manifest.sqlite-wal", "manifest.sqlite-shm"] {
        let _ = std::fs::remove_file(house.state().join(lost));
    }
    for n in 0..200 {
        std::fs::remove_file(house.source(&format!("f{n}"))).unwrap();
    }
    assert_eq!(house.run().exit.code(), 3);
}

#[test]
fn an_existing_copy_is_taken_over_without_writing() {
    let mut house = House::new();
    for n in 0..300 {
        house.write(&format!("d/f{n}"), format!("content {n}"));
    }
    std::fs::create_dir_all(house.copy("")).unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(house.source("d"))
        .arg(house.copy(""))
        .status()
        .unwrap();
    assert!(copied.success());
    std::fs::write(house.copy("d/f0"), "another content").unwrap();
    wait_out_the_racy_window();
    let before = house.fingerprint();
    let totals = house.run_well();
    assert_eq!((totals.touched, totals.replaced), (299, 1));
    assert_eq!(house.fingerprint().iter().filter(|f| !before.contains(f)).count(), 1);
    house.expect_equal();
    assert_eq!(house.trash(), [("icloud/d/f0".into(), b"another content".to_vec())]);
}

#[test]
fn a_space_that_was_rolled_back_is_noticed_and_mended() {
    let mut house = house_with(20);
    let kept = house.device_folder().with_extension("kept");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        assert!(
            std::process::Command::new("cp")
                .arg("-a")
                .arg(from)
                .arg(to)
                .status()
                .unwrap()
                .success()
        );
    };
    copy(&house.device_folder(), &kept);
    house.write("f3", "newer content");
    house.write("added", "later");
    wait_out_the_racy_window();
    house.run_well();
    std::fs::remove_dir_all(house.device_folder()).unwrap();
    copy(&kept, &house.device_folder());
    house.run_well();
    assert_eq!(house.problems(), ["space-rolled-back"]);
    house.expect_equal();
    house.run_well();
    assert!(house.problems().is_empty());
}

#[test]
fn loops_are_errors() {
    let mut house = house_with(1);
    let space = house.device_folder().ancestors().nth(3).unwrap().to_owned();
    for source in [
        space.clone(),
        space.join("devices"),
        house.copy(""),
        space.parent().unwrap().to_owned(),
        house.state(),
    ] {
        house.settings.source = source.clone();
        let ended = house.run();
        assert_eq!(ended.exit.code(), 2, "{}", source.display());
        assert_eq!(ended.finished.problem.unwrap().code.name(), "loop");
    }
    let link = house.device_folder().ancestors().nth(4).unwrap().join("link");
    std::os::unix::fs::symlink(&space, &link).unwrap();
    house.settings.source = link;
    assert_eq!(house.run().exit.code(), 2);
}

#[test]
fn a_dry_run_tells_the_plan_and_touches_nothing() {
    let mut house = House::new();
    house.write("a/b", "one");
    wait_out_the_racy_window();
    house.settings.dry_run = true;
    house.run_well();
    assert!(!house.device_folder().exists());
    assert!(house.published().is_empty());
    let kinds: Vec<String> =
        house.told.borrow().iter().flat_map(|t| t.events.iter().map(|e| e.kind.clone())).collect();
    assert_eq!(
        kinds,
        ["phc.ingest.run.started", "phc.ingest.file.planned", "phc.ingest.run.finished"]
    );
}

#[test]
fn a_second_run_of_the_same_cloud_waits_for_another_time() {
    let mut house = house_with(1);
    let _held = host::lock::take(&house.state().join("lock"), "run 7").unwrap();
    let ended = house.run();
    assert_eq!(ended.exit.code(), 75);
    assert!(ended.finished.problem.unwrap().what.contains("run 7"));
}
