//! Looking at one folder: its names, and the facts of what is not left out.

use std::borrow::Cow;

use host::{Dir, Facts, Kind};
use model::relpath::RelPath;
use store::manifest;

use crate::excludes::Excludes;
use crate::placeholder::{self, Away};

/// What is there under one name.
pub(super) enum Here {
    /// It is left out by the configuration.
    LeftOut,
    /// Its facts can't be asked.
    Unasked,
    /// A folder; its facts are asked when it is opened.
    Folder,
    /// A file or folder whose content is only in the cloud.
    Away(Facts, Box<Away>),
    /// Anything else.
    Other(Facts),
}

/// An entry that was looked at, by the name under which it counts.
pub(super) struct Seen<'a> {
    pub name: Cow<'a, [u8]>,
    pub here: Here,
}

impl Seen<'_> {
    /// True for a folder, and for what may be one: it is not taken for gone then.
    pub fn may_be_folder(&self) -> bool {
        match &self.here {
            Here::LeftOut | Here::Unasked | Here::Folder => true,
            Here::Away(facts, _) => facts.kind == Kind::Folder,
            Here::Other(_) => false,
        }
    }

    /// True for the stub of a file that has another name.
    pub fn is_stub(&self) -> bool {
        matches!(&self.here, Here::Away(_, away) if away.stub.is_some())
    }
}

/// Asks what is there under a name; `None` if it left since it was listed.
///
/// # Errors
/// When its facts can't be asked.
pub(super) fn look<'a>(
    dir: &Dir,
    folder: &RelPath,
    (name, kind): (&'a [u8], Option<Kind>),
    excludes: &Excludes,
) -> host::Result<Option<Seen<'a>>> {
    let seen = |here| Ok(Some(Seen { name: name.into(), here }));
    if excludes.leave_out(folder, name) {
        return seen(Here::LeftOut);
    }
    if kind == Some(Kind::Folder) && !host::placeholder::SYSTEM_MARKS {
        return seen(Here::Folder);
    }
    let facts = match dir.facts(name) {
        Ok(facts) => facts,
        Err(e) if e.meaning() == host::error::Meaning::Missing => return Ok(None),
        Err(e) => return Err(e),
    };
    let (name, away) = placeholder::look(dir, name, &facts);
    let here = match away {
        Some(away) if away.stub.is_some() && excludes.leave_out(folder, &name) => Here::LeftOut,
        Some(away) => Here::Away(facts, away),
        None if facts.kind == Kind::Folder => Here::Folder,
        None => Here::Other(facts),
    };
    Ok(Some(Seen { name, here }))
}

/// The digest of everything that telling "unchanged" takes, of all entries in the order of
/// their names; `None` if one could not be asked, or is only in the cloud.
///
/// Two folders with equal digests have the same entries with the same facts. `block` is
/// memory to work in.
pub(super) fn digest(seen: &[Seen<'_>], block: &mut Vec<u8>) -> Option<manifest::Seen> {
    block.clear();
    for entry in seen {
        let tag = match &entry.here {
            Here::Unasked | Here::Away(..) => return None,
            Here::LeftOut => b'x',
            Here::Folder => b'd',
            Here::Other(facts) => tag_of(facts.kind),
        };
        block.push(tag);
        block.extend_from_slice(&(entry.name.len() as u64).to_le_bytes());
        block.extend_from_slice(&entry.name);
        if let Here::Other(facts) = &entry.here {
            add_facts(facts, block);
        }
    }
    Some(*blake3::hash(block).as_bytes())
}

fn tag_of(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'f',
        Kind::Symlink => b'l',
        Kind::Special => b's',
        Kind::Folder => b'd',
    }
}

fn add_facts(facts: &Facts, block: &mut Vec<u8>) {
    block.extend_from_slice(&facts.size.to_le_bytes());
    block.extend_from_slice(&facts.mtime_ns.to_le_bytes());
    block.push(u8::from(facts.ctime_ns.is_some()));
    block.extend_from_slice(&facts.ctime_ns.unwrap_or_default().to_le_bytes());
    block.extend_from_slice(&facts.file_id.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::{Here, Seen, digest};
    use host::{Facts, Kind};

    fn file(edit: impl FnOnce(&mut Facts)) -> Here {
        let mut facts = Facts { mtime_ns: 1_000, ctime_ns: Some(0), file_id: 7, ..Facts::plain(5) };
        edit(&mut facts);
        Here::Other(facts)
    }

    fn of(entries: Vec<(&[u8], Here)>) -> Option<[u8; 32]> {
        let seen: Vec<_> =
            entries.into_iter().map(|(name, here)| Seen { name: name.into(), here }).collect();
        digest(&seen, &mut Vec::new())
    }

    #[test]
    fn whatever_tells_a_change_tells_another_digest() {
        let plain = || file(|_| {});
        let all = [
            of(vec![]),
            of(vec![(b"a", plain())]),
            of(vec![(b"b", plain())]),
            of(vec![(b"a", plain()), (b"b", plain())]),
            of(vec![(b"a", file(|f| f.size = 6))]),
            of(vec![(b"a", file(|f| f.mtime_ns = 1_001))]),
            of(vec![(b"a", file(|f| f.ctime_ns = Some(1)))]),
            of(vec![(b"a", file(|f| f.ctime_ns = None))]),
            of(vec![(b"a", file(|f| f.file_id = 8))]),
            of(vec![(b"a", file(|f| f.kind = Kind::Symlink))]),
            of(vec![(b"a", file(|f| f.kind = Kind::Special))]),
            of(vec![(b"a", Here::Folder)]),
            of(vec![(b"a", Here::LeftOut)]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(one.is_some() && !all[..at].contains(one), "case {at}");
        }
        assert_eq!(of(vec![(b"a", plain())]), of(vec![(b"a", file(|f| f.device = 9))]));
        assert_eq!(of(vec![(b"a", Here::Unasked)]), None);
    }
}
