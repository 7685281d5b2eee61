//! The one way a small file appears: written beside, synced, renamed, its folder synced.

use std::fs::File;
use std::io::{BufWriter, Write};

use crate::dir::Dir;
use crate::error::{Attempt, Meaning, Result};
use crate::{barrier, failpoint, id};

/// What the names of unfinished files begin with; a UUIDv7 follows.
const PREFIX: &[u8] = b".phc-";

/// Replaces or makes a file whole: readers see the old or the new content, never a part.
///
/// The file's permission bits are `mode` less the umask; a failed attempt leaves nothing behind.
///
/// # Errors
/// When writing, syncing or renaming fails.
pub fn replace(dir: &Dir, name: &[u8], content: &[u8], mode: u32) -> Result<()> {
    replace_with(dir, name, mode, |file| file.write_all(content))
}

/// [`replace`] for content that is written bit by bit.
///
/// # Errors
/// As [`replace`], and what `write` reports.
pub fn replace_with<T>(
    dir: &Dir,
    name: &[u8],
    mode: u32,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<T>,
) -> Result<T> {
    let (temp, written) = write_beside(dir, mode, write)?;
    finish(dir, &temp, dir.rename(&temp, dir, name))?;
    Ok(written)
}

/// Makes a file whole unless its name exists.
///
/// # Errors
/// [`Meaning::Exists`] when the name exists; else as [`replace`].
pub fn create(dir: &Dir, name: &[u8], content: &[u8], mode: u32) -> Result<()> {
    let (temp, ()) = write_beside(dir, mode, |file| file.write_all(content))?;
    finish(dir, &temp, dir.rename_new(&temp, dir, name))
}

/// Renames a finished, synced file into another folder of the same file system without replacing.
///
/// # Errors
/// [`Meaning::Exists`] when the name exists; then the file stays where it was.
pub fn move_new(from: &Dir, old: &[u8], to: &Dir, name: &[u8]) -> Result<()> {
    from.rename_new(old, to, name)?;
    to.sync()
}

fn write_beside<T>(
    dir: &Dir,
    mode: u32,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<T>,
) -> Result<(Vec<u8>, T)> {
    let temp = [PREFIX, id::ordered().to_string().as_bytes()].concat();
    let file = dir.create_new(&temp, mode)?;
    match write_synced(&file, write) {
        Ok(written) => Ok((temp, written)),
        Err(e) => {
            // The error that matters is the write's; a temporary that can't be removed is only litter.
            let _ = dir.remove_file(&temp);
            Err(e).attempt("write", dir.path())
        }
    }
}

fn write_synced<T>(
    file: &File,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<T>,
) -> std::io::Result<T> {
    let mut buffered = BufWriter::new(file);
    let written = write(&mut buffered)?;
    buffered.flush()?;
    barrier::sync_file(file)?;
    failpoint::hit("publish.written")?;
    Ok(written)
}

fn finish(dir: &Dir, temp: &[u8], renamed: Result<()>) -> Result<()> {
    if let Err(e) = renamed {
        let _ = dir.remove_file(temp);
        return Err(e);
    }
    failpoint::hit("publish.renamed").attempt("publish in", dir.path())?;
    dir.sync()
}

/// Removes what killed processes left unfinished in a folder that only the caller writes now.
///
/// # Errors
/// When the folder can't be listed, or a file not be removed.
pub fn clear_unfinished(dir: &Dir) -> Result<()> {
    for entry in dir.entries()?.iter().filter(|entry| is_unfinished(&entry.name)) {
        absent_is_fine(dir.remove_file(&entry.name))?;
    }
    Ok(())
}

/// Replaces or makes a file that is only a hint to look elsewhere: whole, but not durable.
///
/// Any number of processes may do so at once; one that is killed leaves what the next takes up.
///
/// # Errors
/// When writing or renaming fails.
pub fn replace_hint(dir: &Dir, name: &[u8], content: &[u8], mode: u32) -> Result<()> {
    let temp = [PREFIX, name].concat();
    absent_is_fine(dir.remove_file(&temp))?;
    let mut file = match dir.create_new(&temp, mode) {
        // Another process gives the same hint just now.
        Err(e) if e.meaning() == Meaning::Exists => return Ok(()),
        other => other?,
    };
    let written = file.write_all(content).and_then(|()| failpoint::hit("publish.written"));
    let renamed = written
        .attempt("write", dir.path())
        .and_then(|()| absent_is_fine(dir.rename(&temp, dir, name)));
    if renamed.is_err() {
        // The error that matters is the first one.
        let _ = dir.remove_file(&temp);
    }
    renamed
}

fn absent_is_fine(done: Result<()>) -> Result<()> {
    match done {
        Err(e) if e.meaning() == Meaning::Missing => Ok(()),
        other => other,
    }
}

/// True for the names that files have here until they are renamed.
fn is_unfinished(name: &[u8]) -> bool {
    let id = name.strip_prefix(PREFIX).and_then(|id| std::str::from_utf8(id).ok());
    id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
}

/// Reads a whole small file; `None` when there is none.
///
/// # Errors
/// When it exists and can't be read, is larger than `limit` bytes, or is no regular file.
pub fn read(dir: &Dir, name: &[u8], limit: u64) -> Result<Option<Vec<u8>>> {
    use std::io::Read;
    let file = match dir.read(name) {
        Ok(file) => file,
        Err(e) if e.meaning() == Meaning::Missing => return Ok(None),
        Err(e) => return Err(e),
    };
    let path = dir.path().join(&*crate::name::os(name));
    let meta = file.metadata().attempt("stat", &path)?;
    if !meta.is_file() || meta.len() > limit {
        return Err(std::io::Error::other(format!("not a regular file of at most {limit} bytes")))
            .attempt("read", path);
    }
    let mut content = Vec::new();
    file.take(limit).read_to_end(&mut content).attempt("read", &path)?;
    Ok(Some(content))
}

#[cfg(all(test, unix))]
mod tests {
    use super::{clear_unfinished, create, read, replace};
    use crate::dir::Dir;
    use crate::error::Meaning;

    #[test]
    fn a_name_is_replaced_whole_or_refused_and_no_litter_stays() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        assert_eq!(read(&dir, b"status", 10).unwrap(), None);
        create(&dir, b"status", b"one", 0o640).unwrap();
        assert_eq!(create(&dir, b"status", b"two", 0o640).unwrap_err().meaning(), Meaning::Exists);
        replace(&dir, b"status", b"three", 0o640).unwrap();
        assert_eq!(read(&dir, b"status", 10).unwrap().unwrap(), b"three");
        assert!(read(&dir, b"status", 2).is_err());
        assert_eq!(dir.entries().unwrap().len(), 1);
    }

    #[test]
    fn what_is_unfinished_is_cleared_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let names = [".phc-space.json", "status", ".phc-018f4a52-7c1e-7d3a-9b1c-2f6e5d4c3b2a-1"];
        for name in names.iter().chain(&[".phc-018f4a52-7c1e-7d3a-9b1c-2f6e5d4c3b2a"]) {
            std::fs::write(temp.path().join(name), "x").unwrap();
        }
        clear_unfinished(&dir).unwrap();
        let mut left: Vec<_> = dir.entries().unwrap().into_iter().map(|e| e.name).collect();
        left.sort_unstable();
        assert_eq!(left, [names[2].as_bytes(), names[0].as_bytes(), b"status"].map(Box::from));
    }
}
