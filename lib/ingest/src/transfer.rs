//! One file copied whole with its digest: what mends a copy, and what restores one.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use host::error::Attempt;
use host::stop::Stop;
use host::{Dir, Facts, Kind, facts, sparse};

use crate::copy::Failed;

const BUFFER: usize = 128 * 1024;

/// A finished temporary.
#[derive(Debug)]
pub struct Transferred {
    /// The temporary, still open.
    pub file: File,
    /// BLAKE3 of what it holds.
    pub digest: [u8; 32],
    /// Permission bits of what was read.
    pub mode: u32,
    /// Its modification time, ns.
    pub mtime_ns: i64,
}

/// Copies a file to a new temporary; `None` if it changed meanwhile, is no regular file, or the work was asked to stop.
///
/// Nothing of an attempt that came to nothing is left behind.
///
/// # Errors
/// When one of the sides fails.
pub fn transfer(
    from: (&Dir, &[u8]),
    to: (&Dir, &[u8]),
    mode: u32,
    stop: &Stop,
) -> Result<Option<Transferred>, Failed> {
    let source = from.0.read(from.1).map_err(Failed::Source)?;
    let before = stat(from, &source)?;
    if before.kind != Kind::File {
        return Ok(None);
    }
    let file = to.0.create_new(to.1, mode).map_err(Failed::Space)?;
    let done = filled(from, &source, to, &file, &before, stop);
    match done {
        Ok(Some(digest)) => {
            let (mode, mtime_ns) = (before.mode, before.mtime_ns);
            Ok(Some(Transferred { file, digest, mode, mtime_ns }))
        }
        other => {
            // What the attempt came to is what matters.
            let _ = to.0.remove_file(to.1);
            other.map(|_| None)
        }
    }
}

fn filled(
    from: (&Dir, &[u8]),
    source: &File,
    to: (&Dir, &[u8]),
    file: &File,
    before: &Facts,
    stop: &Stop,
) -> Result<Option<[u8; 32]>, Failed> {
    let space = |e| Failed::Space(at("write", to, e));
    let read = |e| Failed::Source(at("read", from, e));
    let (digest, length) = if sparse::clone(source, file).is_ok() {
        match hashed(file, None, stop) {
            Ok(done) => done,
            Err((_, e)) => return Err(space(e)),
        }
    } else {
        match hashed(source, Some(file), stop) {
            Ok(done) => done,
            Err((true, e)) => return Err(read(e)),
            Err((false, e)) => return Err(space(e)),
        }
    };
    let after = stat(from, source)?;
    let whole = !stop.asked() && before.same_version(&after) && length == after.size;
    Ok(whole.then_some(digest))
}

/// Reads to the end, hashes, and writes what is not all zeros; in an error, true says that reading failed.
fn hashed(
    mut from: &File,
    to: Option<&File>,
    stop: &Stop,
) -> Result<([u8; 32], u64), (bool, io::Error)> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    while !stop.asked() {
        let n = from.read(&mut buffer).map_err(|e| (true, e))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        length += n as u64;
        if let Some(mut to) = to {
            let is_hole = n == BUFFER && buffer.iter().all(|b| *b == 0);
            let written = if is_hole {
                to.seek(SeekFrom::Current(BUFFER as i64)).map(drop)
            } else {
                to.write_all(&buffer[..n])
            };
            written.map_err(|e| (false, e))?;
        }
    }
    if let Some(to) = to {
        to.set_len(length).map_err(|e| (false, e))?;
    }
    Ok((*hasher.finalize().as_bytes(), length))
}

fn stat(of: (&Dir, &[u8]), file: &File) -> Result<Facts, Failed> {
    let path = of.0.path().join(&*host::name::os(of.1));
    facts::of(file).attempt("stat", path).map_err(Failed::Source)
}

fn at(attempt: &'static str, of: (&Dir, &[u8]), source: io::Error) -> host::Error {
    host::Error { attempt, path: of.0.path().join(&*host::name::os(of.1)), source }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use host::Dir;
    use host::stop::Stop;

    use super::{BUFFER, transfer};

    #[test]
    fn content_and_digest_are_those_of_what_was_read_and_holes_stay() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let mut content = vec![0; BUFFER * 3];
        content.extend_from_slice(b"the end");
        content[BUFFER * 2] = 7;
        std::fs::write(temp.path().join("a"), &content).unwrap();
        let done = transfer((&dir, b"a"), (&dir, b"b"), 0o600, &Stop::never()).unwrap().unwrap();
        assert_eq!(done.digest, *blake3::hash(&content).as_bytes());
        assert_eq!(std::fs::read(temp.path().join("b")).unwrap(), content);
        std::os::unix::fs::symlink("a", temp.path().join("link")).unwrap();
        assert!(transfer((&dir, b"link"), (&dir, b"c"), 0o600, &Stop::never()).is_err());
        assert!(!temp.path().join("c").exists());
    }

    #[test]
    fn a_stopped_one_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        std::fs::write(temp.path().join("a"), "x").unwrap();
        let stop = Stop::never();
        stop.ask();
        assert!(transfer((&dir, b"a"), (&dir, b"b"), 0o600, &stop).unwrap().is_none());
        assert!(!temp.path().join("b").exists());
    }
}
