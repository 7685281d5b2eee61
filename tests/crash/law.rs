//! The safety laws, as checks on what lies on disk.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use tests::Ended;
use tests::trees::{self, Kind};

use crate::bench::{Bench, CLOUD, finished};
use crate::told;
use crate::versions::{Tree, Version, digest};

/// At any time: no wrong byte under a final name, and no name missing that a finished run left.
///
/// `before` is the source that the last finished run saw.
#[track_caller]
pub fn untorn(bench: &Bench, before: &Tree) {
    let copy = Tree::of(&bench.copy());
    let source = Tree::of(&bench.source());
    for (path, version) in &copy.files {
        let is_ours = bench.history.knows(path, version);
        let is_unfinished = is_temporary(path) && !bench.history.has_path(path);
        assert!(is_ours || is_unfinished, "{} holds what it never held", path.display());
    }
    for path in before.files.keys().filter(|path| source.files.contains_key(*path)) {
        assert!(copy.files.contains_key(path), "{} was stored and is missing", path.display());
    }
}

/// After a run that was not killed, failed or not: nothing unfinished is left anywhere in the space.
#[track_caller]
pub fn no_litter(bench: &Bench) {
    let copy = bench.copy();
    let space = bench.sandbox.space();
    for (path, entry) in trees::list(&space) {
        let in_copy =
            space.join(&path).strip_prefix(&copy).is_ok_and(|p| bench.history.has_path(p));
        let of_user = in_copy || path.components().any(|part| part.as_os_str() == "_trash");
        let name = path.file_name().unwrap().as_encoded_bytes();
        let looks_unfinished = name.starts_with(b".phc-") && name != b".phc-space.json";
        let is_litter = looks_unfinished && entry.kind == Kind::File && !of_user;
        assert!(!is_litter, "litter: {}", path.display());
    }
}

/// After a run that ended `done`: the copy is the source, everything told is true, and the
/// next run finds nothing to do.
#[track_caller]
pub fn whole(bench: &Bench, source: &Tree, last: &Ended) {
    let copy = Tree::of(&bench.copy());
    equal(bench, source, &copy);
    sound(bench, source, last);
}

/// As [`whole`], but for the copy's comparison with the source.
#[track_caller]
pub fn sound(bench: &Bench, source: &Tree, last: &Ended) {
    no_litter(bench);
    all_found(bench, bench.history.kept());
    told_truly(bench, source, last);
    bench.command("verify").end().ok();
    nothing_to_do(bench, source);
}

/// The copy holds the source, and beside it at most tombstones: what the source held once.
#[track_caller]
fn equal(bench: &Bench, source: &Tree, copy: &Tree) {
    for (path, version) in &source.files {
        let Some(found) = copy.files.get(path) else { panic!("{} is missing", path.display()) };
        assert_eq!(found.digest, version.digest, "{} has other content", path.display());
        // A file that was only touched keeps the copy, and with it the time, that it had.
        let time_is_right = found == version || bench.history.knows(path, found);
        assert!(time_is_right, "{} has another time: {found:?}, {version:?}", path.display());
    }
    for folder in &source.folders {
        assert!(copy.folders.contains(folder), "{} is missing", folder.display());
    }
    for (path, version) in copy.files.iter().filter(|(path, _)| !source.files.contains_key(*path)) {
        let is_tombstone = !bench.on_gone_trash && bench.history.knows(path, version);
        assert!(is_tombstone, "{} is one too many", path.display());
    }
    assert!(copy.links.is_empty(), "links are never recreated: {:?}", copy.links);
}

/// Every version that a finished run stored is still there, live, as a tombstone or in the trash.
#[track_caller]
pub fn all_found(bench: &Bench, kept: &BTreeSet<String>) {
    let copy = Tree::of(&bench.copy());
    let mut there: BTreeSet<String> =
        copy.files.values().map(|version| version.digest.clone()).collect();
    let trash = bench.sandbox.device().join("_trash");
    if trash.exists() {
        let files = trees::list(&trash).into_iter().filter(|(_, e)| e.kind == Kind::File);
        there.extend(files.map(|(path, _)| digest(&trash.join(path))));
    }
    let lost: Vec<&String> = kept.difference(&there).collect();
    assert!(lost.is_empty(), "{} stored versions are lost: {lost:?}", lost.len());
}

/// Catalog and spool say what is.
#[track_caller]
fn told_truly(bench: &Bench, source: &Tree, last: &Ended) {
    let folder = bench.sandbox.device().join("_catalog").join(CLOUD);
    let catalog = told::catalog(&folder);
    let live = |kind| catalog.iter().filter(move |(_, told)| told.is_live(kind));
    let files = live("file").map(|(path, told)| (path.clone(), told.digest().to_owned()));
    let wanted = source.files.iter().map(|(path, v)| (path.clone(), v.digest.clone()));
    same("the catalog's files", files.collect(), wanted.collect());
    let links = live("symlink").map(|(path, told)| (path.clone(), told.target()));
    let wanted = source.links.iter().map(|(path, to)| (path.clone(), to.clone()));
    same("the catalog's links", links.collect(), wanted.collect());
    let folders = live("folder").map(|(path, _)| path.clone());
    let folders = folders.filter(|path| !path.as_os_str().is_empty());
    same("the catalog's folders", folders.collect(), source.folders.clone());

    let events = told::spool(&bench.sandbox.device().join("_spool"));
    told::hold_batches(&events, &folder);
    let end = finished(last);
    assert!(events.iter().any(|event| event["id"] == *end.id), "the run's end is not in the spool");
}

/// Checks that two sets are the same.
#[track_caller]
fn same<T: Ord + Debug>(what: &str, found: BTreeSet<T>, wanted: BTreeSet<T>) {
    let missing: Vec<&T> = wanted.difference(&found).collect();
    let wrong: Vec<&T> = found.difference(&wanted).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "{what}: not {missing:?}, but {wrong:?}");
}

/// The next run calls everything unchanged, and touches nothing.
#[track_caller]
fn nothing_to_do(bench: &Bench, source: &Tree) {
    let before = trees::snapshot(&bench.copy());
    let again = bench.ingest().end().ok();
    let end = finished(&again);
    assert_eq!(end.text("outcome"), "done");
    assert_eq!(end.count("totals/unchanged"), source.files.len() as u64, "{}", again.stdout);
    assert_eq!(end.count("totals/files"), source.files.len() as u64);
    for figure in
        ["stored", "replaced", "adopted", "renamed", "touched", "hard_links", "gone", "trashed"]
    {
        assert_eq!(end.count(&format!("totals/{figure}")), 0, "{figure}: {}", again.stdout);
    }
    assert_eq!(before, trees::snapshot(&bench.copy()), "a run with nothing to do wrote");
}

/// True for the names of a run's temporaries: `.phc-<runid>-<n>`.
pub fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(rest) = name.strip_prefix(".phc-") else { return false };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    rest.len() > 37 && rest.as_bytes()[36] == b'-' && number(&rest[37..])
}

/// A version that a file of the copy has now.
pub fn version(path: &Path) -> Option<Version> {
    let mut files = Tree::of(path.parent()?).files;
    files.remove(Path::new(path.file_name()?))
}
