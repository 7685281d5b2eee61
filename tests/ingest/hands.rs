//! What a person or a sync client does to files.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, RenameFlags};

/// A path as cases write it: `\xHH` stands for a byte.
pub fn path(text: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut parts = text.split(r"\x");
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (hex, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(hex, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// The numbered names of a pattern: `*` replaced by 000, 001, ….
pub fn numbered(pattern: &str, from: usize, count: usize) -> impl Iterator<Item = String> {
    assert!(pattern.contains('*'), "{pattern} has no *");
    (from..from + count).map(move |n| pattern.replace('*', &format!("{n:03}")))
}

/// Writes in place, so that the inode stays.
pub fn write(path: &Path, text: &str, mode: Option<u32>, keep_mtime: bool) {
    let before = fs::metadata(path).ok().and_then(|meta| meta.modified().ok());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    if let Some(mode) = mode {
        chmod(path, mode);
    }
    if keep_mtime {
        set_mtime(path, before.unwrap());
    }
}

pub fn remove(path: &Path) {
    match path.symlink_metadata().unwrap().is_dir() {
        true => fs::remove_dir_all(path).unwrap(),
        false => fs::remove_file(path).unwrap(),
    }
}

pub fn rename(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, to).unwrap();
}

pub fn swap(a: &Path, b: &Path) {
    rustix::fs::renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
}

pub fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub fn touch(path: &Path, seconds: i64) {
    let span = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    set_mtime(path, if seconds < 0 { now - span } else { now + span });
}

fn set_mtime(path: &Path, time: SystemTime) {
    fs::File::open(path).unwrap().set_modified(time).unwrap();
}

pub fn folder(path: &Path) {
    fs::create_dir_all(path).unwrap();
}

pub fn symlink(path: &Path, to: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(to.as_bytes()), path).unwrap();
}

pub fn hard_link(path: &Path, to: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::hard_link(to, path).unwrap();
}

pub fn fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from(0o644), 0).unwrap();
}

pub fn socket(path: &Path) {
    drop(std::os::unix::net::UnixListener::bind(path).unwrap());
}

pub fn sparse(path: &Path, size: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::create(path).unwrap();
    file.write_all_at(b"!", size - 1).unwrap();
}

pub fn mark(path: &Path, attributes: &std::collections::BTreeMap<String, String>) {
    use rustix::fs::{XattrFlags, removexattr, setxattr};
    for (name, value) in attributes {
        let value = self::path(value).into_os_string().into_vec();
        let done = match value.is_empty() {
            true => removexattr(path, name.as_str()),
            false => setxattr(path, name.as_str(), &value, XattrFlags::empty()),
        };
        done.unwrap_or_else(|e| panic!("{}: {e}: tests need user attributes", path.display()));
    }
}

pub fn clone(path: &Path, to: &Path) {
    let status = std::process::Command::new("cp").arg("-a").args([path, to]).status();
    assert!(status.unwrap().success());
}

/// Makes the runs that filled a device's `_trash` older: their ids (UUIDv7, RFC 9562) begin
/// with the milliseconds since 1970.
pub fn age_trash(device: &Path, days: u64) {
    let folders = |path: &Path| -> Vec<PathBuf> {
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    for run in folders(&device.join("_trash")).iter().flat_map(|day| folders(day)) {
        let id = run.file_name().unwrap().to_str().unwrap().replace('-', "");
        let ms = u64::from_str_radix(&id[..12], 16).unwrap() - days * 86_400_000;
        let id = format!("{ms:012x}{}", &id[12..]);
        let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        fs::rename(&run, run.with_file_name(id)).unwrap();
    }
}

/// Changes a file's content and none of its facts, as a failing disk does: nobody can set a
/// change time back, so the manifest is told that it was this one all along.
pub fn rot(sandbox: &tests::Sandbox, path: &Path, text: &str) {
    write(path, text, None, true);
    let meta = fs::metadata(path).unwrap();
    let inner = path.strip_prefix(sandbox.path("source")).unwrap();
    let inner = model::relpath::RelPath::new(inner.as_os_str().as_bytes()).unwrap();
    let (folder, name) = inner.split().unwrap();
    let kept = sandbox.state().join("devices/bench/sam/ingest/docs/manifest.sqlite");
    let store::manifest::Opened::Existing(mut manifest) =
        store::manifest::Manifest::open(&kept).unwrap()
    else {
        panic!("nothing was ever ingested")
    };
    let reader = manifest.reader().unwrap();
    let id = reader.folder_id(&folder).unwrap().unwrap();
    let mut record = reader.record(id, name).unwrap().unwrap();
    assert_eq!(record.size, meta.len(), "rot keeps the size");
    record.ctime_ns = Some(meta.ctime() * 1_000_000_000 + meta.ctime_nsec());
    let mut batch = manifest.batch().unwrap();
    batch.put(&folder, name, &record).unwrap();
    batch.commit().unwrap();
}
