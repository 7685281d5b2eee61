//! The order of what reaches the disk, and what is never opened, seen by strace(1).

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::Sandbox;

use crate::bench::{Bench, CLOUD};
use crate::law;
use crate::mounted::Mounted;
use crate::trace::{Call, traced};

const WRITES: &[&str] = &[
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "pwritev2",
    "copy_file_range",
    "ftruncate",
    "fallocate",
    "ioctl",
    "sendfile",
    "splice",
];
const RENAMES: &[&str] = &["rename", "renameat", "renameat2", "link", "linkat"];
const SYNCS: &[&str] = &["fsync", "fdatasync"];
const OPENS: &[&str] = &["open", "openat", "openat2", "creat", "open_by_handle_at"];

/// Where nothing can be traced these tests prove nothing: they are to be left out by name.
fn expect_strace() {
    let tried = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    let may = tried.is_ok_and(|status| status.success());
    assert!(may, "strace is missing, or tracing is forbidden here; --skip needs_strace");
}

/// One file's way to its final name.
struct Arrival<'a> {
    temporary: PathBuf,
    rename: &'a Call,
    last_write: usize,
}

/// Every rename of a temporary below the copy.
fn arrivals<'a>(calls: &'a [Call], copy: &Path) -> Vec<Arrival<'a>> {
    let renames = calls.iter().filter(|call| call.is(RENAMES) && call.returned.starts_with('0'));
    let arrival = |rename: &'a Call| {
        let temporary = rename.paths.iter().find(|path| law::is_temporary(path))?.clone();
        let wrote = |call: &&Call| call.is(WRITES) && call.concerns(&temporary);
        let last_write = calls.iter().filter(wrote).map(|call| call.ended).max().unwrap_or(0);
        temporary.starts_with(copy).then_some(Arrival { temporary, rename, last_write })
    };
    renames.filter_map(arrival).collect()
}

/// Law 4: data on disk before the name, the name before the manifest says so, and that on disk as well.
#[track_caller]
fn in_order(calls: &[Call], copy: &Path, each: bool) {
    let arrivals = arrivals(calls, copy);
    assert!(arrivals.len() > 10, "{} files arrived", arrivals.len());
    let syncs = |call: &&Call| call.is(&["syncfs"]) && !each;
    for Arrival { temporary, rename, last_write } in &arrivals {
        let of_file = |call: &Call| call.is(SYNCS) && call.concerns(temporary);
        let durable = calls.iter().any(|call| {
            (syncs(&call) || of_file(call)) && call.began > *last_write && call.ended < rename.began
        });
        assert!(durable, "{} got its name before its data was on disk", temporary.display());
    }
    let last = arrivals.iter().map(|a| a.rename.ended).max().unwrap();
    let first = arrivals.iter().map(|a| a.rename.began).min().unwrap();
    let is_log = |call: &&Call| call.paths.iter().any(|path| path.ends_with("manifest.sqlite-wal"));
    let told = calls.iter().filter(is_log).find(|call| call.is(WRITES) && call.began > first);
    let told = told.expect("the manifest is written").began;
    assert!(told > last, "the manifest was written before the last name was there");
    for Arrival { temporary, rename, .. } in &arrivals {
        let folder = temporary.parent().unwrap();
        let of_folder = |call: &Call| call.is(SYNCS) && call.concerns(folder);
        let durable = calls.iter().any(|call| {
            (syncs(&call) || of_folder(call)) && call.began > rename.ended && call.ended < told
        });
        assert!(durable, "{} was told before its name was on disk", temporary.display());
    }
    let kept = calls.iter().filter(is_log).any(|call| call.is(SYNCS) && call.began > told);
    assert!(kept, "what the manifest was told was never synced");
}

/// Law 1: below the source nothing is opened for writing, made, renamed, removed or changed.
#[track_caller]
fn source_untouched(calls: &[Call], source: &Path) {
    for call in calls.iter().filter(|call| call.is_below(source)) {
        let reads = call.is(OPENS)
            && !call.is(&["creat"])
            && !["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE", "O_APPEND"]
                .iter()
                .any(|flag| call.arguments.contains(flag));
        // A clone (FICLONE) names the source as what is read.
        let asks = call.is(&["chdir", "ioctl", "copy_file_range"]);
        assert!(reads || asks, "below the source: {call:?}");
    }
}

fn fill(bench: &Bench) {
    for n in 0..20 {
        bench.write(format!("{}/file-{n}", n % 3), format!("content {n}"));
    }
    bench.write("large", vec![5; 3 << 20]);
    std::os::unix::fs::symlink("large", bench.source().join("link")).unwrap();
}

/// A cold run, an unchanged one, and one after edits, all watched.
fn watched(bench: &mut Bench, each: bool) {
    fill(bench);
    bench.look();
    let file = bench.sandbox.path("trace");
    let (ended, calls) = traced(bench.ingest(), &file);
    ended.ok();
    assert_eq!(arrivals(&calls, &bench.copy()).len(), 21);
    in_order(&calls, &bench.copy(), each);
    source_untouched(&calls, &bench.source());

    if each {
        // Stamps through FUSE are trusted after 2.5 s, so that all is read again once.
        std::thread::sleep(std::time::Duration::from_millis(2600));
        bench.ingest().end().ok();
    }
    let (ended, calls) = traced(bench.ingest(), &file);
    ended.ok();
    let opened = |call: &&Call| call.is(OPENS) && call.is_below(&bench.source());
    let files: Vec<&Call> =
        calls.iter().filter(opened).filter(|c| !c.arguments.contains("O_DIRECTORY")).collect();
    assert!(files.is_empty(), "an unchanged run opened files of the source: {files:?}");
    source_untouched(&calls, &bench.source());

    for n in 0..20 {
        bench.write(format!("{}/file-{n}", n % 3), format!("other content {n}"));
    }
    bench.look();
    let (ended, calls) = traced(bench.ingest(), &file);
    ended.ok();
    in_order(&calls, &bench.copy(), each);
    let trashed = calls.iter().filter(|call| {
        call.is(&["linkat"]) && call.paths.iter().any(|p| p.to_string_lossy().contains("_trash"))
    });
    assert_eq!(trashed.count(), 20, "each former version gets its second name first");
    source_untouched(&calls, &bench.source());
    assert_eq!(CLOUD, bench.copy().file_name().unwrap());
}

#[test]
fn needs_strace_data_is_synced_before_its_name_and_both_before_the_manifest_knows() {
    expect_strace();
    watched(&mut Bench::new(), false);
}

#[test]
fn needs_root_needs_strace_the_same_on_ext4() {
    expect_strace();
    let mut bench = Bench::bare(Sandbox::new());
    let _disk = Mounted::ext4(&bench.sandbox.path("image"), &bench.sandbox.space());
    bench.sandbox.adopt();
    watched(&mut bench, false);
}

#[test]
fn needs_root_needs_strace_needs_bindfs_where_one_barrier_is_none_each_file_is_synced() {
    expect_strace();
    let mut bench = Bench::bare(Sandbox::new());
    let folder = bench.sandbox.path("behind");
    std::fs::create_dir(&folder).unwrap();
    let _disk = Mounted::bindfs(&folder, &bench.sandbox.space());
    bench.sandbox.adopt();
    watched(&mut bench, true);
}
