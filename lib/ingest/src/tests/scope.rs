//! Runs that look at folders in doubt alone keep every promise of a full one.

use model::exit::Exit;
use model::problem::Code;
use model::relpath::RelPath;

use super::house::House;
use crate::run::Ended;
use crate::scope::{Folders, Scope};

impl House {
    fn run_in(&mut self, folders: &[(&str, bool)]) -> Ended {
        let folders = folders.iter().map(|(path, below)| (RelPath::new(*path).unwrap(), *below));
        self.settings.scope = Scope::Folders(folders.collect::<Folders>());
        let ended = self.run();
        self.settings.scope = Scope::Everything;
        ended
    }
}

fn ten_in_each(house: &House, folders: &[&str]) {
    for folder in folders {
        (0..10).for_each(|n| house.write(&format!("{folder}/{n}"), format!("{folder} {n}")));
    }
}

#[test]
fn what_is_not_in_doubt_is_not_looked_at() {
    let mut house = House::new();
    ten_in_each(&house, &["a", "b", "a/deep"]);
    house.run_well();
    house.write("a/1", "new a 1");
    house.write("b/1", "new b 1");
    house.write("a/deep/1", "new deep 1");
    let ended = house.run_in(&[("a", false)]);
    let totals = ended.finished.totals.unwrap();
    assert!(totals.partial && totals.files == 10 && totals.replaced == 1, "{totals:?}");
    assert_eq!(house.run_in(&[("a", true)]).finished.totals.unwrap().replaced, 1);
    assert_eq!(house.run_well().replaced, 1);
    house.expect_equal();
}

#[test]
fn folders_that_came_left_or_changed_into_files_are_followed_to_their_bottom() {
    let mut house = House::new();
    ten_in_each(&house, &["gone/deep/deeper", "stays", "turns"]);
    house.run_well();
    std::fs::remove_dir_all(house.source("gone")).unwrap();
    std::fs::remove_dir_all(house.source("turns")).unwrap();
    house.write("turns", "a file now");
    ten_in_each(&house, &["stays/new/newer"]);
    let ended =
        house.run_in(&[("gone/deep/deeper", false), ("stays/new/newer", false), ("turns", true)]);
    let totals = ended.finished.totals.unwrap();
    assert_eq!((totals.gone, totals.stored), (20, 11), "{totals:?}");
    let totals = house.run_well();
    assert_eq!((totals.files, totals.stored, totals.gone), (21, 0, 0), "{totals:?}");
}

#[test]
fn a_link_in_a_folders_place_is_not_followed() {
    let mut house = House::new();
    ten_in_each(&house, &["a/b", "c"]);
    house.run_well();
    std::fs::remove_dir_all(house.source("a/b")).unwrap();
    std::os::unix::fs::symlink(house.source("c"), house.source("a/b")).unwrap();
    let totals = house.run_in(&[("a/b", true)]).finished.totals.unwrap();
    assert_eq!((totals.gone, totals.symlinks, totals.files), (10, 1, 0), "{totals:?}");
}

#[test]
fn a_rename_between_two_folders_of_the_batch_reads_nothing() {
    let mut house = House::new();
    ten_in_each(&house, &["a", "b"]);
    house.run_well();
    std::fs::rename(house.source("a/1"), house.source("b/one")).unwrap();
    std::fs::rename(house.source("a"), house.source("c")).unwrap();
    let totals = house.run_in(&[("b", false), ("a", true), ("c", true)]).finished.totals.unwrap();
    assert_eq!((totals.renamed, totals.bytes_stored, totals.gone), (10, 0, 0), "{totals:?}");
}

#[test]
fn small_batches_add_up_at_the_guard() {
    let mut house = House::new();
    for folder in 0..40 {
        ten_in_each(&house, &[&format!("f{folder}")]);
    }
    house.run_well();
    let mut ends = Vec::new();
    for folder in 0..11 {
        std::fs::remove_dir_all(house.source(&format!("f{folder}"))).unwrap();
        ends.push(house.run_in(&[(&format!("f{folder}"), true)]));
    }
    assert!(ends[..10].iter().all(|ended| ended.exit == Exit::Done));
    let last = ends.pop().unwrap();
    assert_eq!(last.exit, Exit::Refused);
    assert_eq!(last.finished.problem.unwrap().code, Code::GuardExceeded);
}

#[test]
fn an_emptied_root_is_refused_wherever_the_batch_looks() {
    let mut house = House::new();
    ten_in_each(&house, &["a", "b"]);
    house.run_well();
    for folder in ["a", "b"] {
        std::fs::remove_dir_all(house.source(folder)).unwrap();
    }
    let ended = house.run_in(&[("a", false)]);
    assert_eq!(ended.finished.problem.unwrap().code, Code::RootEmpty);
}

#[test]
fn excluded_folders_are_not_looked_at_and_what_was_known_of_them_stays() {
    let mut house = House::new();
    ten_in_each(&house, &["cache/a", "b"]);
    house.run_well();
    house.settings.excludes = crate::excludes::Excludes::new(["cache".parse().unwrap()]);
    std::fs::remove_dir_all(house.source("cache/a")).unwrap();
    let totals = house.run_in(&[("cache/a", true)]).finished.totals.unwrap();
    assert_eq!((totals.files, totals.gone, totals.folders), (0, 0, 0), "{totals:?}");
}

#[test]
fn without_a_manifest_or_with_another_space_everything_is_looked_at() {
    let mut house = House::new();
    ten_in_each(&house, &["a", "b"]);
    house.run_well();
    std::fs::remove_dir_all(house.state()).unwrap();
    let totals = house.run_in(&[("a", false)]).finished.totals.unwrap();
    assert!(!totals.partial && totals.files == 20, "{totals:?}");
    std::fs::remove_dir_all(house.device_folder().join("_catalog")).unwrap();
    std::fs::remove_file(house.copy("b/1")).unwrap();
    let totals = house.run_in(&[("a", false)]).finished.totals.unwrap();
    assert!(!totals.partial && totals.files == 20, "{totals:?}");
    house.expect_equal();
}

#[test]
fn a_batch_says_nothing_of_the_last_full_run() {
    let mut house = House::new();
    ten_in_each(&house, &["a"]);
    house.run_well();
    let last = |house: &House| {
        ["last-run.json", "last-success.json"]
            .map(|f| std::fs::read(house.state().join(f)).unwrap())
    };
    let before = last(&house);
    house.write("a/1", "changed");
    assert_eq!(house.run_in(&[("a", false)]).exit, Exit::Done);
    assert_eq!(last(&house), before);
    assert!(house.state().join("last-batch.json").exists());
}
