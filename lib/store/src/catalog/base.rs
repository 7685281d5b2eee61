//! The base: the catalog's state up to one increment, compressed, replaced whole by compaction.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use host::error::Meaning;
use host::{Dir, failpoint, publish};
use jiff::Timestamp;
use model::ingest::{Change, FileNews, FileRecord, RecordKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Catalog, increment, stream_error};
use crate::layout::FILE_MODE;
use crate::manifest;
use crate::names::Mapped;

const NAME: &[u8] = b"base.jsonl.zst";

/// Compact when this many increments are not in the base yet,
const MANY: usize = 64;
/// or one for each so many bytes of the base, whichever is more,
const BASE_PER_FILE: u64 = 64 * 1024;
/// or when they are together half as large as the base, at least this large, in bytes,
const LARGE: u64 = 16 * 1024 * 1024;
/// and the oldest of them has this age: who ingests for the first time is not kept waiting
/// for a second copy of what was just told.
const SETTLED: Duration = Duration::from_secs(24 * 3600);

/// The base's first line.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    schema: u32,
    /// The newest increment that the base contains.
    upto: Uuid,
}

impl Catalog {
    /// Writes a new base from the manifest when enough increments have gathered; true if it did.
    ///
    /// Everything in the manifest must have been announced. Increments within the base
    /// are removed once they are older than `keep`, so that the events of the spool that
    /// refer to them can still be expanded.
    ///
    /// # Errors
    /// When the manifest can't be read or the catalog can't be written.
    pub fn compact(
        &self,
        cloud: &str,
        manifest: &manifest::Reader,
        now: Timestamp,
        keep: Duration,
    ) -> host::Result<bool> {
        let ids = increment::ids(self.dir())?;
        let upto = upto(self.dir())?;
        let beyond: Vec<Uuid> =
            ids.iter().copied().filter(|id| upto.is_none_or(|u| *id > u)).collect();
        let Some(newest) = beyond.last().copied().filter(|_| self.is_worth(&beyond, now)) else {
            self.remove_covered(&ids, upto, now, keep)?;
            return Ok(false);
        };
        let failed = |e| host::Error {
            attempt: "compact the catalog in",
            path: self.dir().path().to_owned(),
            source: e,
        };
        failpoint::hit("catalog.compacting").map_err(failed)?;
        self.rewrite(cloud, manifest, newest)?;
        failpoint::hit("catalog.compacted").map_err(failed)?;
        self.remove_covered(&ids, Some(newest), now, keep)?;
        Ok(true)
    }

    fn is_worth(&self, beyond: &[Uuid], now: Timestamp) -> bool {
        let size = |name: &[u8]| self.dir().facts(name).map_or(0, |facts| facts.size);
        let gathered: u64 = beyond.iter().map(|id| size(&increment::file_name(*id))).sum();
        let base = size(NAME);
        // The base is compressed about ten to one. Writing a large one is not worth a few small files.
        let many = MANY.max(usize::try_from(base / BASE_PER_FILE).unwrap_or(MANY));
        let is_settled = beyond.first().is_some_and(|oldest| age(*oldest, now) > SETTLED.as_secs());
        beyond.len() >= many || (is_settled && gathered >= LARGE.max(base * 5))
    }

    /// Writes the whole manifest as the base, which then stands for all increments up to this id.
    ///
    /// # Errors
    /// When the manifest can't be read or the catalog can't be written; the old base stays then.
    pub fn rewrite(&self, cloud: &str, reader: &manifest::Reader, upto: Uuid) -> host::Result<()> {
        publish::replace_with(self.dir(), NAME, FILE_MODE, |file| {
            let mut stream = zstd::Encoder::new(file, 1)?;
            stream.include_checksum(true)?;
            write_line(&mut stream, &Header { format: "phc-catalog".to_owned(), schema: 1, upto })?;
            write_state(cloud, reader, &mut stream)?;
            stream.finish().map(drop)
        })
    }

    fn remove_covered(
        &self,
        ids: &[Uuid],
        upto: Option<Uuid>,
        now: Timestamp,
        keep: Duration,
    ) -> host::Result<()> {
        let old = |id: &Uuid| age(*id, now) > keep.as_secs();
        for id in ids.iter().filter(|id| upto.is_some_and(|u| **id <= u) && old(id)) {
            self.dir().remove_file(&increment::file_name(*id))?;
        }
        Ok(())
    }
}

/// Seconds since an increment was written; 0 for an id that tells no time.
fn age(id: Uuid, now: Timestamp) -> u64 {
    let (seconds, _) = id.get_timestamp().map_or((u64::MAX, 0), |t| t.to_unix());
    now.as_second().cast_unsigned().saturating_sub(seconds)
}

fn write_line(stream: &mut impl Write, value: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Writes every folder and row of the manifest; a manifest that can't be read is an error of the stream.
fn write_state(
    cloud: &str,
    reader: &manifest::Reader,
    stream: &mut impl Write,
) -> std::io::Result<()> {
    let mut written = Ok(());
    let mut tell = |file: FileRecord| {
        let change = if file.live { Change::Stored } else { Change::Gone };
        let news = FileNews { cloud: cloud.to_owned(), file, change, from: None, was: None };
        if written.is_ok() {
            written = write_line(stream, &news);
        }
    };
    reader
        .each_folder(&mut |at, live, mtime_ns, mode| tell(folder(at, live, mtime_ns, mode)))
        .and_then(|()| reader.each_record(&mut |at, name, record| tell(record.told(at, name))))
        .map_err(std::io::Error::other)?;
    written
}

fn folder(at: &Mapped, live: bool, mtime_ns: i64, mode: u32) -> FileRecord {
    FileRecord {
        mtime_ns,
        mode: Some(mode),
        copy: at.copy.clone(),
        ..FileRecord::bare(at.path.clone(), RecordKind::Folder, live)
    }
}

/// The newest increment within the base; `None` when there is no base that can be read.
pub fn upto(dir: &Dir) -> host::Result<Option<Uuid>> {
    Ok(open(dir)?.map(|(upto, _)| upto))
}

/// Opens the base after its header; `None` when there is none or its header can't be read.
pub fn open(dir: &Dir) -> host::Result<Option<(Uuid, impl BufRead + use<>)>> {
    let file: File = match dir.read(NAME) {
        Ok(file) => file,
        Err(e) if e.meaning() == Meaning::Missing => return Ok(None),
        Err(e) => return Err(e),
    };
    let stream = zstd::Decoder::new(file).map_err(|e| stream_error(dir, e))?;
    let mut lines = BufReader::new(stream);
    let mut first = String::new();
    let header =
        lines.read_line(&mut first).ok().and_then(|_| serde_json::from_str::<Header>(&first).ok());
    Ok(header.filter(|h| h.format == "phc-catalog" && h.schema == 1).map(|h| (h.upto, lines)))
}
