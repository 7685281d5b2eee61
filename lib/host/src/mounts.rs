//! The mount table.

use std::path::{Path, PathBuf};

/// One line of the mount table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// The kernel's id of the mount.
    pub id: u64,
    /// Device number, `major:minor`.
    pub device: String,
    /// Which folder of the file system is mounted.
    pub root: PathBuf,
    /// Where.
    pub point: PathBuf,
    /// File system type: `ext4`, `cifs`, `fuse.sshfs`.
    pub fs_type: String,
    /// What is mounted: a device, `//server/share`.
    pub source: String,
    /// True if it can't be written.
    pub read_only: bool,
}

/// Reads the mount table; it names no server and never hangs on a dead mount.
///
/// # Errors
/// When /proc is not there.
#[cfg(target_os = "linux")]
pub fn table() -> crate::error::Result<Vec<Mount>> {
    use crate::error::Attempt;
    let path = "/proc/self/mountinfo";
    std::fs::read(path).map(|text| parse(&text)).attempt("read the mount table", path)
}

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::table;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::table;

/// Parses the text of /proc/self/mountinfo (proc_pid_mountinfo(5)); lines of another form are left out.
pub fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|b| *b == b'\n').filter_map(parse_line).collect()
}

fn parse_line(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
    let dash = fields.iter().position(|f| *f == b"-")?;
    let text = |at: usize| fields.get(at).map(|f| String::from_utf8_lossy(f).into_owned());
    let path = |at: usize| fields.get(at).map(|f| PathBuf::from(&*crate::name::os(&unescape(f))));
    let has_ro = |at: usize| text(at).is_some_and(|options| options.split(',').any(|o| o == "ro"));
    Some(Mount {
        id: text(0)?.parse().ok()?,
        device: text(2)?,
        root: path(3)?,
        point: path(4)?,
        fs_type: text(dash + 1)?,
        source: String::from_utf8_lossy(&unescape(fields.get(dash + 2)?)).into_owned(),
        read_only: has_ro(5) || has_ro(dash + 3),
    })
}

/// Undoes the kernel's octal escapes: `\040` is a space.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out
}

/// The mount that a path lies on: the last one mounted at the longest prefix.
///
/// The path is compared as text and must be absolute and without links.
pub fn covering<'a>(table: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let mut found: Option<&Mount> = None;
    for mount in table.iter().filter(|m| path.starts_with(&m.point)) {
        if found.is_none_or(|f| mount.point.starts_with(&f.point)) {
            found = Some(mount);
        }
    }
    found
}

#[cfg(all(test, unix))]
mod tests {
    use super::{covering, parse};
    use std::path::Path;

    const TABLE: &[u8] = b"22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        30 22 0:40 / /mnt/my\\040space rw,nosuid - cifs //akira/space rw,vers=3.1.1\n\
        31 22 254:0 /srv /mnt/x ro shared:4 - ext4 /dev/vda rw\n\
        32 31 0:50 / /mnt/x rw - tmpfs tmpfs rw\n\
        not a line\n";

    #[test]
    fn names_are_unescaped_and_the_last_mount_on_a_point_wins() {
        let table = parse(TABLE);
        assert_eq!(table.len(), 4);
        let space = covering(&table, Path::new("/mnt/my space/devices")).unwrap();
        assert_eq!((space.fs_type.as_str(), space.source.as_str()), ("cifs", "//akira/space"));
        assert_eq!(covering(&table, Path::new("/mnt/x/y")).unwrap().id, 32);
        assert_eq!(covering(&table, Path::new("/mnt/xy")).unwrap().id, 22);
        assert!(table[2].read_only && !table[3].read_only);
    }
}
