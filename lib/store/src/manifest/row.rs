//! The rows of the manifest.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use model::ingest::{FileRecord, RecordKind};
use model::text::Text;

use crate::names::Mapped;

/// What a row stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowKind {
    /// A regular file with a copy.
    File,
    /// A symbolic link; only its target is kept.
    Symlink,
}

impl RowKind {
    pub(super) fn number(self) -> i64 {
        match self {
            RowKind::File => 1,
            RowKind::Symlink => 2,
        }
    }

    pub(super) fn of_number(number: i64) -> rusqlite::Result<RowKind> {
        match number {
            1 => Ok(RowKind::File),
            2 => Ok(RowKind::Symlink),
            other => Err(rusqlite::Error::IntegralValueOutOfRange(0, other)),
        }
    }
}

/// As much of a row as telling "unchanged" takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The name in its folder.
    pub name: Box<[u8]>,
    /// What it is.
    pub kind: RowKind,
    /// False for a tombstone.
    pub live: bool,
    /// True if its content must be read before it is called unchanged.
    pub suspect: bool,
    /// Size in bytes.
    pub size: u64,
    /// The source's modification time, ns.
    pub mtime_ns: i64,
    /// The source's change time, ns.
    pub ctime_ns: Option<i64>,
    /// The source's inode or file id.
    pub file_id: u64,
    /// The copy's modification time, ns; `None` for what has no copy.
    pub copy_mtime_ns: Option<i64>,
    /// The copy's name, where it is not `name`.
    pub copy_name: Option<Box<[u8]>>,
}

impl Known {
    /// The name that its copy has.
    pub fn copy_name(&self) -> &[u8] {
        self.copy_name.as_deref().unwrap_or(&self.name)
    }
}

/// A whole row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What it is.
    pub kind: RowKind,
    /// False for a tombstone.
    pub live: bool,
    /// True if its content must be read before it is called unchanged.
    pub suspect: bool,
    /// Size in bytes.
    pub size: u64,
    /// The source's modification time, ns.
    pub mtime_ns: i64,
    /// The source's change time, ns.
    pub ctime_ns: Option<i64>,
    /// The source's birth time, ns.
    pub btime_ns: Option<i64>,
    /// The source's inode or file id.
    pub file_id: u64,
    /// The source's permission bits.
    pub mode: u32,
    /// The source's owner.
    pub uid: u32,
    /// The source's group.
    pub gid: u32,
    /// BLAKE3 digest of the content; `None` for links, and for copies nobody has read yet.
    pub digest: Option<[u8; 32]>,
    /// The copy's modification time, ns; `None` for links, and for a tombstone whose copy is in `_trash`.
    pub copy_mtime_ns: Option<i64>,
    /// The copy's name, where it is not the source's.
    pub copy_name: Option<Vec<u8>>,
    /// A link's target.
    pub target: Option<Vec<u8>>,
    /// Extended attributes of the source.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// When it was missed first, ms since 1970; `None` while it is live.
    pub gone_ms: Option<i64>,
}

impl Record {
    /// [`Record::copy_mtime_ns`] of a copy that was found damaged or missing: no copy has it,
    /// so that none is taken for what was stored before its content was read.
    pub const DOUBTED: i64 = i64::MIN;

    /// A live row of which nothing is known.
    pub fn unknown(kind: RowKind) -> Record {
        Record {
            kind,
            live: true,
            suspect: true,
            size: 0,
            mtime_ns: 0,
            ctime_ns: None,
            btime_ns: None,
            file_id: 0,
            mode: 0,
            uid: 0,
            gid: 0,
            digest: None,
            copy_mtime_ns: None,
            copy_name: None,
            target: None,
            xattrs: BTreeMap::new(),
            gone_ms: None,
        }
    }

    /// True if the copy was found damaged or missing and was not stored again yet.
    pub fn is_doubted(&self) -> bool {
        self.copy_mtime_ns == Some(Record::DOUBTED)
    }

    /// The name that its copy has, if this is the row of a file of this name.
    pub fn copy_name<'a>(&'a self, name: &'a [u8]) -> &'a [u8] {
        self.copy_name.as_deref().unwrap_or(name)
    }

    /// The record as catalog and events tell it, of the file of this name in this folder.
    pub fn told(&self, folder: &Mapped, name: &[u8]) -> FileRecord {
        let Mapped { path, copy } = folder.join(name, self.copy_name.as_deref());
        let differs = self.copy_mtime_ns.filter(|copy| *copy != self.mtime_ns);
        FileRecord {
            path,
            kind: match self.kind {
                RowKind::File => RecordKind::File,
                RowKind::Symlink => RecordKind::Symlink,
            },
            live: self.live,
            size: (self.kind == RowKind::File).then_some(self.size),
            mtime_ns: self.mtime_ns,
            digest: self.digest.map(|d| HEXLOWER.encode(&d)),
            mode: Some(self.mode),
            uid: Some(self.uid),
            gid: Some(self.gid),
            target: self.target.clone().map(Text::new),
            copy_mtime_ns: differs,
            trashed: self.kind == RowKind::File && !self.live && self.copy_mtime_ns.is_none(),
            copy: copy.filter(|_| self.kind == RowKind::File),
            xattrs: xattrs_told(&self.xattrs),
        }
    }

    /// The row that a told record allows: what only the source knows is unknown, so it is suspect.
    pub fn from_told(told: &FileRecord) -> Option<Record> {
        let kind = match told.kind {
            RecordKind::File => RowKind::File,
            RecordKind::Symlink => RowKind::Symlink,
            RecordKind::Folder => return None,
        };
        let digest = told.digest.as_ref().and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok());
        Some(Record {
            kind,
            live: told.live,
            suspect: true,
            size: told.size.unwrap_or_default(),
            mtime_ns: told.mtime_ns,
            ctime_ns: None,
            btime_ns: None,
            file_id: 0,
            mode: told.mode.unwrap_or_default(),
            uid: told.uid.unwrap_or_default(),
            gid: told.gid.unwrap_or_default(),
            digest: digest.and_then(|d| d.try_into().ok()),
            copy_mtime_ns: (kind == RowKind::File && !told.trashed)
                .then(|| told.copy_mtime_ns.unwrap_or(told.mtime_ns)),
            copy_name: copy_name_told(told),
            target: told.target.as_ref().map(|t| t.as_bytes().to_vec()),
            xattrs: xattrs_read(told.xattrs.as_ref()),
            gone_ms: None,
        })
    }
}

/// The last name of a told copy, where it is not the source's.
pub fn copy_name_told(told: &FileRecord) -> Option<Vec<u8>> {
    let (_, copy) = told.copy.as_ref()?.split()?;
    let (_, name) = told.path.split()?;
    (copy != name).then(|| copy.to_owned())
}

fn xattrs_told(xattrs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Option<BTreeMap<String, String>> {
    let told = |(name, value): (&Vec<u8>, &Vec<u8>)| {
        (String::from_utf8_lossy(name).into_owned(), BASE64.encode(value))
    };
    (!xattrs.is_empty()).then(|| xattrs.iter().map(told).collect())
}

fn xattrs_read(told: Option<&BTreeMap<String, String>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let decoded = |(name, value): (&String, &String)| {
        BASE64.decode(value.as_bytes()).ok().map(|value| (name.clone().into_bytes(), value))
    };
    told.into_iter().flatten().filter_map(decoded).collect()
}

pub(super) fn xattrs_text(xattrs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Option<String> {
    xattrs_told(xattrs).and_then(|told| serde_json::to_string(&told).ok())
}

pub(super) fn xattrs_of_text(text: Option<String>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let told: Option<BTreeMap<String, String>> =
        text.and_then(|text| serde_json::from_str(&text).ok());
    xattrs_read(told.as_ref())
}
