//! What lies in `_trash`: `<date>/<runid>/<cloud>/<path>`.

use host::error::Meaning;
use host::{Dir, Kind};
use jiff::Timestamp;
use model::device::Device;
use model::problem::Problem;
use model::relpath::RelPath;
use store::approvals::EntryDigest;
use store::space::SpaceRoot;
use store::{device, layout};
use uuid::Uuid;

/// A former version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// Its path below `_trash`.
    pub path: RelPath,
    /// When it was put away: the time in its run's id (RFC 9562).
    pub put_away: Timestamp,
    /// Size in bytes.
    pub size: u64,
}

impl Version {
    /// What all versions of one file share: cloud and path.
    pub(super) fn of_file(&self) -> Vec<u8> {
        let names: Vec<&[u8]> = self.path.names().skip(2).collect();
        names.join(&b'/')
    }

    /// The digest that stands for its destruction in a plan.
    pub(super) fn digest(&self) -> EntryDigest {
        let mut digest = EntryDigest::default();
        blake3::Hasher::new()
            .update(b"expire")
            .update(self.path.as_bytes())
            .finalize_xof()
            .fill(&mut digest);
        digest
    }
}

/// Every version in a device's trash; folders that no run made are left alone.
///
/// # Errors
/// When the trash can't be read.
pub fn versions(space: &SpaceRoot, of: &Device) -> Result<Vec<Version>, Problem> {
    let trash = match space.dir().beneath(&layout::trash(of)) {
        Ok(trash) => trash,
        Err(e) if e.meaning() == Meaning::Missing => return Ok(Vec::new()),
        Err(e) => return Err(device::away(e)),
    };
    let mut versions = Vec::new();
    for date in folders(&trash)? {
        let by_date = trash.sub(&date).map_err(device::away)?;
        for run in folders(&by_date)? {
            let Some(put_away) = time_of(&run) else { continue };
            let root = RelPath::root().join(&date).join(&run);
            walk(&trash, root, put_away, &mut versions)?;
        }
    }
    Ok(versions)
}

fn walk(
    trash: &Dir,
    root: RelPath,
    put_away: Timestamp,
    versions: &mut Vec<Version>,
) -> Result<(), Problem> {
    let mut waiting = vec![root];
    while let Some(path) = waiting.pop() {
        let dir = trash.beneath(&path).map_err(device::away)?;
        for entry in dir.entries().map_err(device::away)? {
            let facts = dir.facts(&entry.name).map_err(device::away)?;
            let path = path.join(&entry.name);
            match facts.kind {
                Kind::Folder => waiting.push(path),
                _ => versions.push(Version { path, put_away, size: facts.size }),
            }
        }
    }
    Ok(())
}

fn folders(dir: &Dir) -> Result<Vec<Box<[u8]>>, Problem> {
    let mut names = Vec::new();
    for entry in dir.entries().map_err(device::away)? {
        let kind = match entry.kind {
            Some(kind) => kind,
            None => dir.facts(&entry.name).map_err(device::away)?.kind,
        };
        if kind == Kind::Folder {
            names.push(entry.name);
        }
    }
    Ok(names)
}

fn time_of(run: &[u8]) -> Option<Timestamp> {
    let id = Uuid::parse_str(std::str::from_utf8(run).ok()?).ok()?;
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

/// Removes the folders below the trash in which nothing lies any more.
pub(super) fn remove_empty_folders(trash: &Dir) -> Result<(), Problem> {
    for name in folders(trash)? {
        let dir = trash.sub(&name).map_err(device::away)?;
        remove_empty_folders(&dir)?;
        if dir.entries().map_err(device::away)?.is_empty() {
            trash.remove_folder(&name).map_err(device::away)?;
        }
    }
    Ok(())
}
