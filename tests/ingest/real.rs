//! Trees that nobody made for these tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::trees::{self, Kind};
use tests::{Ended, Sandbox};

use crate::runs;

/// Brings a tree in, and again: equal to the byte and nanosecond, then nothing written.
fn comes_in_whole(sandbox: &Sandbox, source: &Path) {
    sandbox.adopt();
    let before = trees::list(source);
    let count = |kind| before.values().filter(|entry| entry.kind == kind).count() as u64;
    let finished = runs::finished(&run(sandbox, source));
    let found = |total: &str| finished.count(&format!("totals/{total}"));
    assert_eq!(finished.text("outcome"), "done");
    assert_eq!(found("stored") + found("hard_links"), count(Kind::File), "{}", finished.data);
    assert_eq!(found("symlinks"), count(Kind::Symlink), "{}", finished.data);
    assert_eq!(found("folders"), count(Kind::Folder) + 1, "{}", finished.data);
    let copy = sandbox.device().join("tree");
    trees::assert_copied(source, &copy);

    // Files that were young at the first run are read once more by the second.
    run(sandbox, source);
    let stored =
        || [copy.clone(), sandbox.device().join("_catalog")].map(|root| trees::snapshot(&root));
    let stamps = stored();
    let finished = runs::finished(&run(sandbox, source));
    assert_eq!(finished.count("totals/unchanged"), count(Kind::File), "{}", finished.data);
    assert!(stamps == stored(), "an unchanged tree was written");
    assert!(before == trees::list(source), "the source was written");
}

fn run(sandbox: &Sandbox, source: &Path) -> Ended {
    let run = sandbox.run("phc-ingest").args(["run", "--cloud", "tree", "--source"]);
    run.arg(source).arg("--space").arg(sandbox.space()).end().ok()
}

/// The first of these that is there and has files, but not too many.
fn one_of(candidates: &[PathBuf]) -> PathBuf {
    let fits = |path: &&PathBuf| path.is_dir() && (50..5_000).contains(&trees::list(path).len());
    let found = candidates.iter().find(fits);
    found.unwrap_or_else(|| panic!("none of {candidates:?} has 50 to 5000 entries")).clone()
}

fn below(folder: &str, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| Path::new(folder).join(name)).collect()
}

#[test]
fn data_files_of_the_system_come_in_whole() {
    let sandbox = Sandbox::new();
    let names = ["doc", "zoneinfo", "perl", "mime", "bash-completion"];
    comes_in_whole(&sandbox, &one_of(&below("/usr/share", &names)));
}

#[test]
fn libraries_of_the_system_with_their_links_come_in_whole() {
    let sandbox = Sandbox::new();
    let names = ["systemd", "git-core", "python3", "ssl", "os-release.d"];
    comes_in_whole(&sandbox, &one_of(&below("/usr/lib", &names)));
}

#[test]
fn the_sources_of_a_dependency_come_in_whole() {
    let sandbox = Sandbox::new();
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.unwrap_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(".cargo"));
    let crates = std::fs::read_dir(home.join("registry/src")).unwrap().flat_map(|registry| {
        std::fs::read_dir(registry.unwrap().path()).unwrap().map(|entry| entry.unwrap().path())
    });
    let mut crates: Vec<PathBuf> = crates.collect();
    crates.sort();
    comes_in_whole(&sandbox, &one_of(&crates));
}

#[test]
fn needs_git_a_checkout_with_its_repository_comes_in_whole_after_each_commit() {
    let sandbox = Sandbox::new();
    let source = sandbox.path("checkout");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", sandbox.home()).arg("-C").arg(&source).args(arguments);
        assert!(command.output().unwrap().status.success(), "git {arguments:?}");
    };
    std::fs::create_dir(&source).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(Command::new("cp").arg("-a").args([here, &source]).status().unwrap().success());
    git(&["init", "--quiet"]);
    git(&["config", "user.email", "sam@example.org"]);
    git(&["config", "user.name", "Sam"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    comes_in_whole(&sandbox, &source);
    git(&["mv", "tests/ingest", "tests/moved"]);
    git(&["commit", "--quiet", "--message", "second"]);
    run(&sandbox, &source);
    // What left the source stays in the copy, and what was only touched keeps the copy's time.
    let lacks = |found: &String| found.ends_with("is missing") || found.ends_with("content");
    let found = trees::differences(&source, &sandbox.device().join("tree"));
    assert_eq!(found.into_iter().filter(lacks).collect::<Vec<_>>(), [""; 0]);
}
