//! Placeholders: files of a source whose content is only in the cloud. They are never opened to be looked at.
//!
//! The systems' own marks are in [`host::Facts::away`]. On Linux clients mark theirs by
//! names and extended attributes, see `marks`; an older macOS by stubs, `.name.icloud`.
//! What mounts a cloud without any mark, such as rclone, is taken for what it shows.

mod marks;
mod msgpack;

use std::borrow::Cow;

use host::dir::Listing;
use host::error::Attempt;
use host::{Dir, Facts, Kind};
use store::manifest::{Known, RowKind};

/// A file or folder whose content is only in the cloud.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Away {
    /// The content's size; `None` where the client does not tell.
    pub size: Option<u64>,
    /// The content's modification time, ns; `None` where the client does not tell.
    pub mtime_ns: Option<i64>,
    /// True if opening it brings its content in; else only its client does.
    pub opens: bool,
    /// The stub's own name, where it has another than the file it stands for.
    pub stub: Option<Box<[u8]>>,
}

/// How a placeholder stands to what is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The copy is of this version, as far as the client tells: nothing is missing.
    Kept,
    /// It moved on in the cloud; the copy is of a former version.
    Stale,
    /// There is no copy of it.
    Never,
}

/// Refuses a folder whose entries are not there: listing it would bring them in.
///
/// # Errors
/// What listing it would fail with where the system may not bring it in (EDEADLK).
pub fn refuse_to_list(dir: &Dir, own: &Facts) -> host::Result<()> {
    if own.away {
        return Err(std::io::Error::from(std::io::ErrorKind::Deadlock)).attempt("list", dir.path());
    }
    Ok(())
}

/// True for a folder that was not listed because its entries are not there.
pub fn is_refused_to_list(error: &host::Error) -> bool {
    host::placeholder::SYSTEM_MARKS && error.source.kind() == std::io::ErrorKind::Deadlock
}

/// The name under which an entry counts, and what it is if its content is not there.
pub fn look<'n>(dir: &Dir, name: &'n [u8], facts: &Facts) -> (Cow<'n, [u8]>, Option<Box<Away>>) {
    if facts.away {
        return (name.into(), Some(Box::new(Away::marked_by_system(facts))));
    }
    if facts.kind != Kind::File {
        return (name.into(), None);
    }
    if let Some(file) = marks::stands_for(name, facts.size) {
        let away = Away { stub: Some(name.into()), ..marks::stub(name, facts) };
        return (Cow::Owned(file.into()), Some(Box::new(away)));
    }
    let away = marks::may_be_marked(facts)
        .then(|| marks::by_attributes(facts, &host::xattr::of_entry(dir, name, marks::is_wanted)));
    (name.into(), away.flatten().map(Box::new))
}

impl Away {
    fn marked_by_system(facts: &Facts) -> Away {
        let is_file = facts.kind == Kind::File;
        Away {
            size: is_file.then_some(facts.size),
            mtime_ns: Some(facts.mtime_ns),
            opens: is_file,
            stub: None,
        }
    }

    /// Tells how it stands to the live row of its name.
    ///
    /// Bringing content in and letting it go changes the change time, and with some clients
    /// the file id: neither counts. Some clients keep times in whole seconds.
    pub fn standing(&self, live: Option<&Known>) -> Standing {
        let Some(known) = live.filter(|known| known.kind == RowKind::File) else {
            return Standing::Never;
        };
        let same_size = self.size.is_none_or(|size| size == known.size);
        let same_time = self.mtime_ns.is_none_or(|time| same_time(time, known.mtime_ns));
        if same_size && same_time { Standing::Kept } else { Standing::Stale }
    }
}

fn same_time(told: i64, known: i64) -> bool {
    const SECOND: i64 = 1_000_000_000;
    let is_whole = told.rem_euclid(SECOND) == 0;
    told == known || (is_whole && told.div_euclid(SECOND) == known.div_euclid(SECOND))
}

/// True if some name in a sorted listing may be that of a stub, which counts under another name.
pub fn has_stubs(listing: &Listing) -> bool {
    listing.iter().any(|(name, _)| marks::stands_for(name, 0).is_some())
}

/// True for the files that stand for a document of Google's (`.gdoc`, …): its content is nowhere on this machine.
///
/// They are copied as they are, and counted.
pub fn is_pointer(name: &[u8], facts: &Facts) -> bool {
    const MOST: u64 = 64 * 1024;
    const POINTERS: [&[u8]; 12] = [
        b"gdoc", b"gsheet", b"gslides", b"gdraw", b"gform", b"gmap", b"gsite", b"gjam", b"gscript",
        b"gtable", b"glink", b"gnote",
    ];
    // Almost every name is told apart by one letter.
    let Some(dot) = name.iter().rposition(|b| *b == b'.') else { return false };
    let extension = &name[dot + 1..];
    extension.first() == Some(&b'g') && facts.size <= MOST && POINTERS.contains(&extension)
}

#[cfg(test)]
mod tests {
    use super::{Away, Standing};
    use store::manifest::{Known, RowKind};

    const SECOND: i64 = 1_000_000_000;

    fn known() -> Known {
        Known {
            name: b"a".as_slice().into(),
            kind: RowKind::File,
            live: true,
            suspect: false,
            size: 5,
            mtime_ns: 7 * SECOND + 3,
            ctime_ns: Some(8),
            file_id: 9,
            copy_mtime_ns: None,
            copy_name: None,
        }
    }

    #[test]
    fn a_placeholder_of_the_stored_version_is_kept_whatever_its_change_time() {
        let whole = 7 * SECOND;
        for (size, mtime_ns, standing) in [
            (Some(5), Some(whole + 3), Standing::Kept),
            (Some(5), Some(whole), Standing::Kept),
            (Some(5), Some(whole + 4), Standing::Stale),
            (Some(5), Some(whole + SECOND), Standing::Stale),
            (Some(6), Some(whole + 3), Standing::Stale),
            (None, Some(whole), Standing::Kept),
            (None, Some(whole - SECOND), Standing::Stale),
            (None, None, Standing::Kept),
        ] {
            let away = Away { size, mtime_ns, opens: true, stub: None };
            assert_eq!(away.standing(Some(&known())), standing, "{size:?} {mtime_ns:?}");
            assert_eq!(away.standing(None), Standing::Never);
            let link = Known { kind: RowKind::Symlink, ..known() };
            assert_eq!(away.standing(Some(&link)), Standing::Never);
        }
    }
}
