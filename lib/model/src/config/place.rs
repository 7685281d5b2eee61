//! Folders as the configuration names them: absolute, or below a user's home.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::os::Os;
use super::scalar::{BadValue, Scalar, scalars};

/// A folder on a machine: `/srv/space`, `~/.mkt/space`, `S:` or `C:\Users\sam\OneDrive`.
///
/// `~` is the home of the user for whom a program runs. Relative paths, `..` and
/// network paths (`\\server\share`) are refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(String);

/// What a place starts from.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
enum Root {
    Slash,
    Home,
    Drive(u8),
}

impl Place {
    /// A place that is known to be one.
    pub(super) fn fixed(text: String) -> Place {
        Place(text)
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path on this machine for a user with this home.
    pub fn resolve(&self, home: &Path) -> PathBuf {
        match split(&self.0) {
            Some((Root::Home, _)) => home.join(self.0[1..].trim_start_matches(SEPARATORS)),
            // "S:" alone would be the drive's current folder, not its root.
            Some((Root::Drive(_), "")) => PathBuf::from(format!("{}\\", self.0)),
            _ => PathBuf::from(&self.0),
        }
    }

    /// True if one of both is the other or lies below it, as far as their text tells.
    ///
    /// Links, bind mounts and a home written out are not seen here; the engine
    /// compares the folders themselves.
    pub fn overlaps(&self, other: &Place, fold_case: bool) -> bool {
        let (Some((root, rest)), Some((other_root, other_rest))) =
            (split(&self.0), split(&other.0))
        else {
            return false;
        };
        let drives = matches!(root, Root::Drive(_));
        let same = |(a, b): (&str, &str)| {
            a == b || ((fold_case || drives) && a.to_lowercase() == b.to_lowercase())
        };
        root == other_root && names(rest).zip(names(other_rest)).all(same)
    }

    /// True if it lies below that space, and apart from the folder `devices` that copies go to.
    pub fn is_inbox_of(&self, space: &Place, fold_case: bool) -> bool {
        let depth = |place: &Place| split(&place.0).map_or(0, |(_, rest)| names(rest).count());
        let devices = Place(format!("{}/devices", space.0));
        self.overlaps(space, fold_case)
            && depth(self) > depth(space)
            && !self.overlaps(&devices, true)
    }

    /// True if a path of this form can exist on that operating system.
    pub fn fits(&self, os: Os) -> bool {
        match split(&self.0) {
            Some((Root::Home, _)) => true,
            Some((Root::Slash, _)) => os != Os::Windows,
            Some((Root::Drive(_), _)) => os == Os::Windows,
            None => false,
        }
    }
}

const SEPARATORS: [char; 2] = ['/', '\\'];

/// The root and what lies below it; `None` for a path that is not absolute.
fn split(text: &str) -> Option<(Root, &str)> {
    let separated = |rest: &str| rest.is_empty() || rest.starts_with(SEPARATORS);
    match text.as_bytes() {
        [b'/', b'/', ..] => None,
        [b'/', ..] => Some((Root::Slash, &text[1..])),
        [b'~', ..] if separated(&text[1..]) => Some((Root::Home, &text[1..])),
        [drive, b':', ..] if drive.is_ascii_alphabetic() && separated(&text[2..]) => {
            Some((Root::Drive(drive.to_ascii_uppercase()), &text[2..]))
        }
        _ => None,
    }
}

fn names(rest: &str) -> impl Iterator<Item = &str> {
    rest.split(SEPARATORS).filter(|name| !name.is_empty() && *name != ".")
}

impl FromStr for Place {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Place, BadValue> {
        let plain = |rest: &str| names(rest).all(|name| name != "..") && !rest.contains('\0');
        match split(text) {
            Some((_, rest)) if plain(rest) => Ok(Place(text.to_owned())),
            _ => Err(BadValue::new::<Place>(text)),
        }
    }
}

impl Scalar for Place {
    const EXPECTED: &'static str =
        "an absolute folder or one below the home, such as \"/space\", \"~/Dropbox\" or \"S:\"";
}

scalars!(Place);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Os, Place};
    use proptest::prelude::*;
    use std::path::Path;

    fn place(text: &str) -> Place {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_absolute_or_below_the_home() {
        for bad in [
            "",
            "space",
            "./space",
            "~sam/x",
            "/a/../b",
            "~/..",
            "//nas/space",
            r"\\nas\s",
            "S",
            "SS:",
            "/a\0",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad:?}");
        }
        assert!(place("~/x").fits(Os::Windows) && place("S:").fits(Os::Windows));
        assert!(!place("/x").fits(Os::Windows) && !place("S:").fits(Os::Linux));
    }

    #[test]
    fn a_home_is_filled_in_and_a_drive_is_its_root() {
        let home = Path::new("/home/sam");
        assert_eq!(place("~/Dropbox").resolve(home), Path::new("/home/sam/Dropbox"));
        assert_eq!(place("~").resolve(home), Path::new("/home/sam"));
        assert_eq!(place("/space").resolve(home), Path::new("/space"));
        assert_eq!(place("S:").resolve(home), Path::new("S:\\"));
    }

    #[test]
    fn overlap_goes_by_whole_names_from_the_same_root() {
        for (a, b, overlap) in [
            ("/space", "/space/devices", true),
            ("/space/", "/space", true),
            ("/space", "/space-old", false),
            ("~/.mkt", "~/.mkt/space", true),
            ("~/x", "/x", false),
            ("~", "~/.mkt/space", true),
            ("/", "/anything", true),
            ("s:", r"S:\a", true),
            (r"S:\A\b", "S:/a", true),
            ("S:", "T:", false),
            ("/Space", "/space", false),
        ] {
            assert_eq!(place(a).overlaps(&place(b), false), overlap, "{a} {b}");
            assert_eq!(place(b).overlaps(&place(a), false), overlap, "{b} {a}");
        }
        assert!(place("/Space").overlaps(&place("/space"), true));
    }

    #[test]
    fn an_inbox_lies_below_the_space_and_beside_the_devices() {
        for (path, is) in [
            ("/space/sam/inbox", true),
            ("/space/devices-of-old", true),
            ("/space", false),
            ("/", false),
            ("/space/devices", false),
            ("/space/Devices/x", false),
            ("/spaces/x", false),
        ] {
            assert_eq!(place(path).is_inbox_of(&place("/space"), false), is, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_taken_is_kept(text: String) {
            if let Ok(place) = text.parse::<Place>() {
                prop_assert_eq!(place.to_string(), text);
                prop_assert!(place.overlaps(&place, false));
            }
        }
    }
}
