//! Reading a file for its digest alone.

use std::fs::File;
use std::io::Read;

use host::error::Attempt;
use host::stop::Stop;
use host::{Dir, Facts, Kind, cache, facts};

/// Large enough for BLAKE3 to use every lane of its widest instructions.
const BUFFER: usize = 128 * 1024;

/// The digest of a file that did not change while it was read, with its facts.
///
/// `None` when it changed, is no regular file, or the work was asked to stop.
///
/// # Errors
/// When it can't be opened or read.
pub fn of_stable(dir: &Dir, name: &[u8], stop: &Stop) -> host::Result<Option<([u8; 32], Facts)>> {
    of_file(dir, name, dir.read(name)?, stop, &mut |_| ())
}

/// The same, read from the disk and not from the system's cache; `each` is told of every stretch.
///
/// # Errors
/// As [`of_stable`].
pub fn of_disk(
    dir: &Dir,
    name: &[u8],
    stop: &Stop,
    each: &mut dyn FnMut(u64),
) -> host::Result<Option<([u8; 32], Facts)>> {
    let file = dir.read(name)?;
    cache::forget(&file);
    of_file(dir, name, file, stop, each)
}

fn of_file(
    dir: &Dir,
    name: &[u8],
    file: File,
    stop: &Stop,
    each: &mut dyn FnMut(u64),
) -> host::Result<Option<([u8; 32], Facts)>> {
    let path = || dir.path().join(&*host::name::os(name));
    let before = facts::of(&file).attempt("stat", path())?;
    if before.kind != Kind::File {
        return Ok(None);
    }
    let Some((digest, length)) = of_content(&file, stop, each).attempt("read", path())? else {
        return Ok(None);
    };
    let after = facts::of(&file).attempt("stat", path())?;
    Ok((before.same_version(&after) && length == after.size).then_some((digest, after)))
}

fn of_content(
    mut file: &File,
    stop: &Stop,
    each: &mut dyn FnMut(u64),
) -> std::io::Result<Option<([u8; 32], u64)>> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some((*hasher.finalize().as_bytes(), length))),
            n => {
                hasher.update(&buffer[..n]);
                length += n as u64;
                each(n as u64);
            }
        }
        if stop.asked() {
            return Ok(None);
        }
    }
}
