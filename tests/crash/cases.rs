//! What a run may be at when it is killed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;

use crate::bench::Bench;

/// One thing that a run may be at: what was before, and what changed since.
pub struct Case {
    pub name: &'static str,
    /// True where the policy moves copies of what is gone to the trash.
    pub trashes: bool,
    /// Makes a first source; a run brings it in. `None`: the run that is killed is the first one.
    pub before: Option<fn(&Bench)>,
    /// What happens between the two runs.
    pub change: fn(&Bench),
}

/// Every case; together they reach every failpoint.
pub const CASES: &[Case] = &[
    Case { name: "cold", trashes: false, before: None, change: every_sort_of_file },
    Case { name: "edits", trashes: false, before: Some(every_sort_of_file), change: edit },
    Case { name: "renames", trashes: false, before: Some(every_sort_of_file), change: rename },
    Case {
        name: "renames, trashing",
        trashes: true,
        before: Some(every_sort_of_file),
        change: rename,
    },
    Case { name: "gone", trashes: false, before: Some(every_sort_of_file), change: remove },
    Case {
        name: "gone, trashing",
        trashes: true,
        before: Some(every_sort_of_file),
        change: remove,
    },
    Case { name: "swaps", trashes: false, before: Some(every_sort_of_file), change: swap },
    Case { name: "swaps, trashing", trashes: true, before: Some(every_sort_of_file), change: swap },
    Case {
        name: "rebuild",
        trashes: false,
        before: Some(every_sort_of_file),
        change: break_manifest,
    },
    Case {
        name: "rebuild of nothing",
        trashes: false,
        before: Some(every_sort_of_file),
        change: lose_manifest,
    },
    Case {
        name: "compaction",
        trashes: false,
        before: Some(every_sort_of_file),
        change: many_increments,
    },
    Case {
        name: "delivery",
        trashes: false,
        before: Some(every_sort_of_file),
        change: full_outbox,
    },
    Case { name: "adoption", trashes: false, before: None, change: copies_of_old },
];

/// Small, empty, large, sparse and hard-linked files, odd names, links, a FIFO, empty folders.
fn every_sort_of_file(bench: &Bench) {
    for n in 0..6 {
        bench.write(format!("small/{n}"), format!("small file {n}"));
        bench.age(format!("small/{n}"), 1000 + n);
    }
    bench.write("empty", "");
    bench.write("small/empty too", "");
    bench.write("deep/er/and/deeper/file", "at the bottom");
    bench.write(".phc-018f4a52-7c1e-7d3a-9b1c-2f6e5d4c3b2a-7", "a user's own file, by that name");
    bench.write("_status.json", "{}");
    bench.write("newline\nin a name", "odd");
    bench.write(OsStr::from_bytes(b"not \xff UTF-8"), "odder");
    bench.write("n".repeat(255), "long");
    let noise: Vec<u8> = (0..300_000_u32).flat_map(|n| (n.wrapping_mul(n)).to_le_bytes()).collect();
    bench.write("large", noise);
    bench.write("links/first", "one file, three names");
    for name in ["links/second", "third"] {
        fs::hard_link(bench.source().join("links/first"), bench.source().join(name)).unwrap();
    }
    let sparse = File::create(bench.source().join("sparse")).unwrap();
    sparse.write_all_at(b"in the middle", 1 << 20).unwrap();
    sparse.set_len(3 << 20).unwrap();
    fs::create_dir_all(bench.source().join("hollow/inside")).unwrap();
    symlink("small/1", bench.source().join("link")).unwrap();
    let fifo = bench.source().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
}

/// New content, longer, shorter, of the same length with the old time, and only a new time.
fn edit(bench: &Bench) {
    bench.write("small/0", "a new and longer text");
    bench.write("small/1", "s");
    let same_size = bench.source().join("small/2");
    let time = fs::metadata(&same_size).unwrap().modified().unwrap();
    bench.write("small/2", "SMALL FILE 2");
    File::open(&same_size).unwrap().set_modified(time).unwrap();
    bench.age("small/3", 5);
    bench.write("empty", "no longer");
    bench.write("small/empty too", "");
    bench.write("small/new", "not known before");
    let large = File::options().write(true).open(bench.source().join("large")).unwrap();
    large.write_all_at(b"in place", 1 << 19).unwrap();
    let sparse = File::options().write(true).open(bench.source().join("sparse")).unwrap();
    sparse.write_all_at(b"further on", 2 << 20).unwrap();
    bench.write("links/first", "one file, three new names");
    fs::remove_file(bench.source().join("link")).unwrap();
    symlink("elsewhere", bench.source().join("link")).unwrap();
}

/// Files and whole folders under other names, and two that change places.
fn rename(bench: &Bench) {
    moved(bench, "small/0", "small/renamed");
    moved(bench, "small/1", "deep/er/moved");
    moved(bench, "large", "small/large");
    moved(bench, "sparse", "thin");
    moved(bench, "deep", "depth");
    moved(bench, "small/2", "waiting");
    moved(bench, "small/3", "small/2");
    moved(bench, "waiting", "small/3");
}

fn moved(bench: &Bench, from: &str, to: &str) {
    fs::rename(bench.source().join(from), bench.source().join(to)).unwrap();
}

fn remove(bench: &Bench) {
    for name in ["small/0", "small/empty too", "large", "links/second", "link"] {
        fs::remove_file(bench.source().join(name)).unwrap();
    }
    for name in ["deep", "hollow"] {
        fs::remove_dir_all(bench.source().join(name)).unwrap();
    }
}

/// Files become folders, folders become files, links change sides.
fn swap(bench: &Bench) {
    for name in ["small/0", "empty", "link"] {
        fs::remove_file(bench.source().join(name)).unwrap();
        bench.write(Path::new(name).join("now a folder"), format!("{name} was a file"));
    }
    for name in ["deep", "links"] {
        fs::remove_dir_all(bench.source().join(name)).unwrap();
        bench.write(name, format!("{name} was a folder"));
    }
    fs::remove_file(bench.source().join("small/1")).unwrap();
    symlink("small/2", bench.source().join("small/1")).unwrap();
    fs::remove_dir_all(bench.source().join("hollow")).unwrap();
    symlink("small", bench.source().join("hollow")).unwrap();
}

/// The manifest is damaged in the middle, after some edits.
fn break_manifest(bench: &Bench) {
    edit(bench);
    let path = bench.kept().join("manifest.sqlite");
    let manifest = File::options().write(true).open(&path).unwrap();
    manifest.write_all_at(&[0xa5; 4096], 0).unwrap();
}

/// The manifest is lost, after some edits.
fn lose_manifest(bench: &Bench) {
    edit(bench);
    bench.lose_manifest();
}

/// So many increments that the next run compacts the catalog: the first one's words, said often
/// and long ago.
fn many_increments(bench: &Bench) {
    let catalog = bench.sandbox.device().join("_catalog").join(crate::bench::CLOUD);
    let first = fs::read_dir(&catalog).unwrap().next().unwrap().unwrap().path();
    for n in 0..70 {
        // A UUIDv7 of the year 2024 (RFC 9562: milliseconds since 1970 come first).
        let id = format!("018f4a52-7c1e-7d3a-9b1c-2f6e5d4c3b{n:02x}.jsonl");
        fs::copy(&first, catalog.join(id)).unwrap();
    }
    edit(bench);
}

/// Two runs found no space, and their events wait.
fn full_outbox(bench: &Bench) {
    let (space, away) = (bench.sandbox.space(), bench.sandbox.path("away"));
    fs::rename(&space, &away).unwrap();
    for _ in 0..2 {
        bench.ingest().end().with(75);
    }
    fs::rename(&away, &space).unwrap();
    edit(bench);
}

/// The copies of an older tool are there already: equal ones, others, and one that is no file.
fn copies_of_old(bench: &Bench) {
    every_sort_of_file(bench);
    let copy = bench.copy();
    fs::create_dir_all(copy.join("small/4")).unwrap();
    fs::create_dir_all(copy.join("links")).unwrap();
    let equal = ["small/0", "large", "links/first"].map(|name| (name, name));
    for (from, to) in equal.into_iter().chain([("small/0", "small/1"), ("large", "third")]) {
        fs::copy(bench.source().join(from), copy.join(to)).unwrap();
    }
    // Further names of a file share the time of its copy, whichever that is: it is the file's own here.
    let time = fs::metadata(bench.source().join("links/first")).unwrap().modified().unwrap();
    fs::File::open(copy.join("links/first")).unwrap().set_modified(time).unwrap();
}
