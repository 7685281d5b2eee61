//! Increments: immutable files of what changed, one JSON object a line.

use std::fs::File;
use std::io::{BufReader, Write};

use data_encoding::HEXLOWER;
use host::{Dir, publish};
use model::ingest::{BatchStored, FileNews};
use uuid::Uuid;

use super::{Catalog, base};
use crate::layout::FILE_MODE;

/// A published increment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Increment {
    /// Its id, which is its file's name.
    pub id: Uuid,
    /// Lines in it.
    pub count: u64,
    /// Bytes of the live files in it.
    pub bytes: u64,
    /// BLAKE3 digest of the file, in hexadecimal.
    pub digest: String,
}

impl Increment {
    /// The event that refers to it.
    pub fn event(&self, cloud: &str) -> BatchStored {
        BatchStored {
            cloud: cloud.to_owned(),
            increment: self.id,
            count: self.count,
            bytes: self.bytes,
            digest: self.digest.clone(),
        }
    }
}

impl Catalog {
    /// An id that sorts after all that was told, also where the clock was set back since:
    /// readers take a later line over an earlier one.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn next_id(&self) -> host::Result<Uuid> {
        let newest = ids(self.dir())?.last().copied().max(base::upto(self.dir())?);
        Ok(newest.map_or_else(host::id::ordered, host::id::ordered_after))
    }

    /// Publishes what changed as one increment of this id.
    ///
    /// # Errors
    /// When it can't be written; then nothing of it is there.
    pub fn publish(&self, id: Uuid, news: &[FileNews]) -> host::Result<Increment> {
        let mut hasher = blake3::Hasher::new();
        publish::replace_with(self.dir(), &file_name(id), FILE_MODE, |file| {
            for item in news {
                let mut line = serde_json::to_vec(item)?;
                line.push(b'\n');
                hasher.update(&line);
                file.write_all(&line)?;
            }
            Ok(())
        })?;
        Ok(Increment {
            id,
            count: news.len() as u64,
            bytes: news.iter().filter(|n| n.file.live).filter_map(|n| n.file.size).sum(),
            digest: HEXLOWER.encode(hasher.finalize().as_bytes()),
        })
    }
}

/// The file of an increment.
pub fn file_name(id: Uuid) -> Vec<u8> {
    format!("{id}.jsonl").into_bytes()
}

/// The increments that lie in a catalog's folder, oldest first; other files are not ours to judge.
pub fn ids(dir: &Dir) -> host::Result<Vec<Uuid>> {
    let of_name = |name: &[u8]| {
        let stem = std::str::from_utf8(name).ok()?.strip_suffix(".jsonl")?;
        Uuid::parse_str(stem).ok()
    };
    let mut ids: Vec<Uuid> =
        dir.entries()?.iter().filter_map(|entry| of_name(&entry.name)).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Opens an increment.
pub fn open(dir: &Dir, id: Uuid) -> host::Result<BufReader<File>> {
    dir.read(&file_name(id)).map(BufReader::new)
}
