//! One read per file: digest and copy in the same pass.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use host::error::Attempt;
use host::stop::Stop;
use host::{Dir, Facts, Kind, barrier, facts, failpoint, obstacle, sparse, xattr};

use crate::apply::Ground;
use crate::patience::Reason;

/// Copies never have more permission bits than these (safety law 9).
pub const FILE_MODE: u32 = 0o640;

const BUFFER: usize = 256 * 1024;
/// A clone is tried from this size on; below it costs more than it saves.
const WORTH_CLONING: u64 = 1024 * 1024;

/// A finished temporary copy.
#[derive(Debug)]
pub struct Copy {
    /// BLAKE3 of the content.
    pub digest: [u8; 32],
    /// The source's facts, equal before and after the read.
    pub facts: Facts,
    /// The source's extended attributes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The copy's modification time as the file system keeps it, ns.
    pub mtime_ns: i64,
}

/// What came of trying to copy one file.
#[derive(Debug)]
pub enum Copied {
    /// The temporary holds it.
    Whole(Copy),
    /// It changed at every try; nothing was left behind.
    KeptChanging,
    /// It is no regular file any more, or gone; nothing was left behind.
    NotThere,
    /// The work was asked to stop; nothing was left behind.
    Stopped,
}

/// Which side failed: a source's failure is one file's, the space's may be everybody's.
#[derive(Debug)]
pub enum Failed {
    /// The source could not be read.
    Source(host::Error),
    /// The space could not be written.
    Space(host::Error),
}

/// Copies files; holds one thread's buffer.
#[derive(Debug)]
pub struct Copier<'a> {
    buffer: Vec<u8>,
    ground: &'a Ground<'a>,
}

impl<'a> Copier<'a> {
    /// A copier for one thread.
    pub fn new(ground: &'a Ground<'a>) -> Copier<'a> {
        Copier { buffer: vec![0; BUFFER], ground }
    }

    /// Copies a file to a new temporary; a file that changes meanwhile is tried again, then given up.
    ///
    /// # Errors
    /// When one of the sides fails; nothing is left behind then.
    pub fn copy(
        &mut self,
        from: &Dir,
        name: &[u8],
        to: &Dir,
        temp: &[u8],
    ) -> Result<Copied, Failed> {
        let mut tries = 0;
        loop {
            let (reason, given_up) = match self.attempt(from, name, to, temp) {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => {
                    discard(to, temp).map_err(Failed::Space)?;
                    (Reason::Changing, Ok(Copied::KeptChanging))
                }
                Err(failed) => {
                    // The failure that matters is the copy's.
                    let _ = to.remove_file(temp);
                    let Failed::Source(e) = failed else { return Err(failed) };
                    (Reason::Obstacle(obstacle::of(&e.source)), Err(Failed::Source(e)))
                }
            };
            tries += 1;
            if !self.ground.patience.wait(reason, tries, self.ground.clock, self.ground.stop) {
                return if self.ground.stop.asked() { Ok(Copied::Stopped) } else { given_up };
            }
        }
    }

    /// One try; `None` when the file changed.
    fn attempt(
        &mut self,
        from: &Dir,
        name: &[u8],
        to: &Dir,
        temp: &[u8],
    ) -> Result<Option<Copied>, Failed> {
        let path = || from.path().join(&*host::name::os(name));
        let source = match from.read(name) {
            Ok(file) => file,
            Err(e) if e.meaning() == host::error::Meaning::Missing => {
                return Ok(Some(Copied::NotThere));
            }
            Err(e) => return Err(Failed::Source(e)),
        };
        let before = facts::of(&source).attempt("stat", path()).map_err(Failed::Source)?;
        if before.kind != Kind::File {
            return Ok(Some(Copied::NotThere));
        }
        if let Some(settling) = self.ground.racy.settling(&before, self.ground.now_ns()) {
            std::thread::sleep(settling);
            let settled = facts::of(&source).attempt("stat", path()).map_err(Failed::Source)?;
            if !before.same_version(&settled) {
                return Ok(None);
            }
        }
        let copy = to.create_new(temp, before.mode & FILE_MODE).map_err(Failed::Space)?;
        let failed_here = |e| {
            Failed::Space(host::Error { attempt: "write", path: to.path().to_owned(), source: e })
        };
        failpoint::hit("copy.created").map_err(failed_here)?;
        let Some((digest, length)) = self.content(&source, &copy, &before, &path, to)? else {
            drop(copy);
            to.remove_file(temp).map_err(Failed::Space)?;
            return Ok(Some(Copied::Stopped));
        };
        failpoint::hit("copy.written").map_err(failed_here)?;
        let after = facts::of(&source).attempt("stat", path()).map_err(Failed::Source)?;
        if !before.same_version(&after) || length != after.size {
            return Ok(None);
        }
        let xattrs = xattr::read(&source).unwrap_or_default();
        self.ground.attributes.give(&copy, &xattrs);
        let mtime_ns = self.finish(&copy, &after).map_err(failed_here)?;
        failpoint::hit("copy.finished").map_err(failed_here)?;
        Ok(Some(Copied::Whole(Copy { digest, facts: after, xattrs, mtime_ns })))
    }

    /// Times, then durability where each file needs its own; returns the time that the copy really has.
    fn finish(&self, copy: &File, source: &Facts) -> io::Result<i64> {
        facts::set_mtime(copy, source.mtime_ns)?;
        if !self.ground.barrier.is_each() {
            return Ok(source.mtime_ns);
        }
        barrier::sync_file(copy)?;
        // Servers keep times in units of their own.
        Ok(facts::of(copy)?.mtime_ns)
    }

    fn content(
        &mut self,
        source: &File,
        copy: &File,
        facts: &Facts,
        path: &dyn Fn() -> std::path::PathBuf,
        to: &Dir,
    ) -> Result<Option<([u8; 32], u64)>, Failed> {
        let source_failed =
            |e| Failed::Source(host::Error { attempt: "read", path: path(), source: e });
        let space_failed = |e| {
            Failed::Space(host::Error { attempt: "write", path: to.path().to_owned(), source: e })
        };
        if facts.size >= WORTH_CLONING && sparse::clone(source, copy).is_ok() {
            // The clone is what will be kept, so it is what is read.
            return self
                .stream(&mut &*copy, &mut io::sink(), u64::MAX)
                .map_err(|e| e.either(space_failed, space_failed));
        }
        if facts.is_sparse() {
            return self
                .holes(source, copy, facts.size)
                .map_err(|e| e.either(source_failed, space_failed));
        }
        // A file that grows is noticed and never followed without end: by its facts after the read,
        // and where these may be late or wrong by one byte more than it had.
        let more = u64::from(facts.size == 0 || !self.ground.racy.is_fine());
        let limit = facts.size.saturating_add(more);
        self.stream(&mut &*source, &mut &*copy, limit)
            .map_err(|e| e.either(source_failed, space_failed))
    }

    /// Reads to the end, or `limit` bytes, and hashes; `None` when asked to stop.
    fn stream(
        &mut self,
        source: &mut dyn Read,
        copy: &mut dyn Write,
        limit: u64,
    ) -> Result<Option<([u8; 32], u64)>, Side> {
        let mut hasher = blake3::Hasher::new();
        let length = self.stretch(source, copy, limit, &mut hasher)?;
        Ok(length.map(|length| (*hasher.finalize().as_bytes(), length)))
    }

    fn stretch(
        &mut self,
        source: &mut dyn Read,
        copy: &mut dyn Write,
        limit: u64,
        hasher: &mut blake3::Hasher,
    ) -> Result<Option<u64>, Side> {
        let mut length = 0;
        while length < limit {
            let most = usize::try_from(limit - length).unwrap_or(BUFFER).min(BUFFER);
            let n = source.read(&mut self.buffer[..most]).map_err(Side::Source)?;
            if n == 0 {
                return Ok(Some(length));
            }
            hasher.update(&self.buffer[..n]);
            copy.write_all(&self.buffer[..n]).map_err(Side::Space)?;
            length += n as u64;
            self.ground.counters.add_bytes(n as u64);
            if n == BUFFER && self.ground.stop.asked() {
                return Ok(None);
            }
        }
        Ok(Some(length))
    }

    /// Copies the stretches of data and leaves the holes; holes are hashed as the zeros they read as.
    fn holes(
        &mut self,
        source: &File,
        copy: &File,
        size: u64,
    ) -> Result<Option<([u8; 32], u64)>, Side> {
        let mut hasher = blake3::Hasher::new();
        copy.set_len(size).map_err(Side::Space)?;
        let mut at = 0;
        while at < size {
            let data = sparse::next_data(source, at).map_err(Side::Source)?.unwrap_or(size..size);
            let (start, end) = (data.start.min(size), data.end.min(size));
            if !hash_zeros(&mut hasher, start - at, self.ground.stop) {
                return Ok(None);
            }
            (&*source).seek(SeekFrom::Start(start)).map_err(Side::Source)?;
            (&*copy).seek(SeekFrom::Start(start)).map_err(Side::Space)?;
            match self.stretch(&mut &*source, &mut &*copy, end - start, &mut hasher)? {
                None => return Ok(None),
                // It became shorter: the facts after the read will tell.
                Some(length) if length < end - start => return Ok(Some(([0; 32], start + length))),
                Some(_) => at = end,
            }
            if self.ground.stop.asked() {
                return Ok(None);
            }
        }
        Ok(Some((*hasher.finalize().as_bytes(), size)))
    }
}

/// Which side of a copy failed.
enum Side {
    Source(io::Error),
    Space(io::Error),
}

impl Side {
    fn either(
        self,
        source: impl Fn(io::Error) -> Failed,
        space: impl Fn(io::Error) -> Failed,
    ) -> Failed {
        match self {
            Side::Source(e) => source(e),
            Side::Space(e) => space(e),
        }
    }
}

/// Removes a temporary, if it was made.
fn discard(to: &Dir, temp: &[u8]) -> host::Result<()> {
    match to.remove_file(temp) {
        Err(e) if e.meaning() == host::error::Meaning::Missing => Ok(()),
        other => other,
    }
}

/// Hashes so many zeros; false if the work was asked to stop meanwhile.
fn hash_zeros(hasher: &mut blake3::Hasher, mut length: u64, stop: &Stop) -> bool {
    static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
    while length > 0 && !stop.asked() {
        let n = length.min(ZEROS.len() as u64);
        hasher.update(&ZEROS[..usize::try_from(n).unwrap_or(0)]);
        length -= n;
    }
    length == 0
}
