//! What the file system under a device's folder can hold: told by its type where that is
//! enough, and tried where it is not. Tried once, and remembered for the volume.

use std::path::Path;

use host::error::Meaning;
use host::{Dir, mounts, publish, volume};
use model::cloud::CloudId;
use model::device::Device;
use model::problem::Problem;
use serde::{Deserialize, Serialize};

use super::target::{Alphabet, Target};
use crate::layout;
use crate::space::SpaceRoot;
use crate::state::{FILE_MODE, open_folder, unusable};

/// Where it is remembered, in a cloud's state.
const REMEMBERED: &[u8] = b"target.json";

/// Characters and endings that the file systems of Windows refuse, change or swallow.
const WINDOWS: [&[u8]; 7] = [b"a:b", b"a?b", b"a\\b", b"a\x01b", b"a.", b"a ", b"NUL"];

/// What was found of one volume.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    /// The volume: the space's id, the file system's type and what is mounted.
    volume: String,
    target: Target,
}

/// Tells what the copies of a cloud may be called; `state` is the cloud's.
///
/// A local ext4, xfs, btrfs or tmpfs holds all names, unless the folder folds case: that is
/// asked of the kernel. For every other file system a few files are made and removed in
/// the device's folder, unless `may_write` is false or it was done before.
///
/// # Errors
/// When the space is away or full, or the state can't be used.
pub fn target(
    space: &SpaceRoot,
    device: &Device,
    cloud: &CloudId,
    state: &Path,
    may_write: bool,
) -> Result<Target, Problem> {
    let dir = match space.dir().beneath(&layout::device(device)) {
        Ok(dir) => dir,
        Err(e) if e.meaning() == Meaning::Missing => {
            space.dir().again().map_err(crate::device::away)?
        }
        Err(e) => return Err(crate::device::away(e)),
    };
    if volume::has_fine_stamps(&dir) && !volume::folds_case(&dir) {
        return Ok(Target::BYTES);
    }
    let mount = mount_of(&dir);
    let (fs_type, source) = mount.map_or_else(Default::default, |m| (m.fs_type, m.source));
    let volume = format!("{} {fs_type} {source}", space.id());
    // The card is there once the device has a folder; another case of its name finds it or not.
    let folds_now = dir.facts(b"_DEVICE.JSON").is_ok();
    let state = open_folder(state)?;
    let remembered = publish::read(&state, REMEMBERED, 64 * 1024).map_err(unusable)?;
    let remembered = remembered.and_then(|json| serde_json::from_slice::<Remembered>(&json).ok());
    if let Some(known) = remembered.filter(|known| known.volume == volume)
        && (known.target.folds || !folds_now)
    {
        return Ok(known.target);
    }
    if !may_write {
        let folds = folds_now || of_type(&fs_type) != Alphabet::Bytes;
        return Ok(Target { alphabet: of_type(&fs_type), folds, long: false });
    }
    let target = tried(&dir, cloud, of_type(&fs_type)).map_err(crate::device::away)?;
    let json = serde_json::to_vec(&Remembered { volume, target }).unwrap_or_default();
    publish::replace(&state, REMEMBERED, &json, FILE_MODE).map_err(unusable)?;
    Ok(target)
}

fn mount_of(dir: &Dir) -> Option<mounts::Mount> {
    let table = mounts::table().ok()?;
    let id = dir.own_facts().ok().and_then(|facts| facts.mount_id);
    if let Some(mount) = table.iter().find(|mount| Some(mount.id) == id) {
        return Some(mount.clone());
    }
    let path = std::fs::canonicalize(dir.path()).ok()?;
    mounts::covering(&table, &path).cloned()
}

/// What a file system's type alone tells: never more than it can hold.
fn of_type(fs_type: &str) -> Alphabet {
    let name = fs_type.to_ascii_lowercase();
    let windows =
        ["cifs", "smb", "exfat", "vfat", "msdos", "fat", "ntfs", "fuseblk", "fuse.exfat", "refs"];
    if windows.iter().any(|windows| name.starts_with(windows)) {
        Alphabet::Windows
    } else if name == "apfs" || name.starts_with("hfs") {
        Alphabet::Unicode
    } else {
        Alphabet::Bytes
    }
}

/// Makes and looks for names in a folder of its own, which is gone afterwards.
fn tried(device: &Dir, cloud: &CloudId, at_most: Alphabet) -> host::Result<Target> {
    let name = format!("_probe-{cloud}").into_bytes();
    device.make_folder(&name, layout::FOLDER_MODE)?;
    let dir = device.sub(&name)?;
    // What a run that was killed here left.
    clear(&dir)?;
    let found = tried_in(&dir, at_most);
    clear(&dir)?;
    drop(dir);
    device.remove_folder(&name)?;
    found
}

fn clear(dir: &Dir) -> host::Result<()> {
    dir.entries()?.iter().try_for_each(|entry| dir.remove_file(&entry.name))
}

fn tried_in(dir: &Dir, at_most: Alphabet) -> host::Result<Target> {
    let meet = |made: &str, asked: &str| -> host::Result<bool> {
        dir.create_new(made.as_bytes(), layout::FILE_MODE)?;
        Ok(dir.facts(asked.as_bytes()).is_ok())
    };
    let folds = meet("case-a", "CASE-A")? | meet("form-\u{e9}", "form-e\u{301}")?;
    let mut alphabet = at_most;
    if alphabet == Alphabet::Bytes && !holds(dir, b"bytes-\xff")? {
        alphabet = Alphabet::Unicode;
    }
    for name in WINDOWS {
        if alphabet != Alphabet::Windows && !holds(dir, name)? {
            alphabet = Alphabet::Windows;
        }
    }
    let long = holds(dir, "\u{3042}".repeat(86).as_bytes())?;
    Ok(Target { alphabet, folds, long })
}

/// True if a file of this name can be made and is listed under it.
fn holds(dir: &Dir, name: &[u8]) -> host::Result<bool> {
    match dir.create_new(name, layout::FILE_MODE) {
        Ok(_) => Ok(dir.entries()?.iter().any(|entry| *entry.name == *name)),
        Err(e) => match e.meaning() {
            Meaning::Full | Meaning::ReadOnly | Meaning::Away => Err(e),
            _ => Ok(false),
        },
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Alphabet, Target, of_type, tried};
    use host::Dir;

    #[test]
    fn what_is_tried_leaves_nothing_and_tells_what_this_file_system_holds() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let cloud = model::cloud::CloudId::new("docs").unwrap();
        std::fs::create_dir(temp.path().join("_probe-docs")).unwrap();
        std::fs::write(temp.path().join("_probe-docs/left"), "").unwrap();
        let found = tried(&dir, &cloud, Alphabet::Bytes).unwrap();
        assert_eq!(found, Target::BYTES);
        assert!(dir.entries().unwrap().is_empty());
    }

    #[test]
    fn types_tell_no_more_than_they_can_hold() {
        for (name, alphabet) in [
            ("cifs", Alphabet::Windows),
            ("smb3", Alphabet::Windows),
            ("fuseblk", Alphabet::Windows),
            ("NTFS", Alphabet::Windows),
            ("apfs", Alphabet::Unicode),
            ("fuse.sshfs", Alphabet::Bytes),
        ] {
            assert_eq!(of_type(name), alphabet, "{name}");
        }
    }
}
