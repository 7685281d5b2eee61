//! Pure, but for two questions: what an event of the system's says, in our words.

use std::path::Path;

use model::relpath::RelPath;
use notify::event::{
    AccessKind, AccessMode, CreateKind, Event, EventKind, ModifyKind, RemoveKind, RenameMode,
};

use super::pending::Heard;

/// What must be asked to understand an event.
pub(super) trait Ask {
    /// True if this path is a folder that is listened to.
    fn was_folder(&self, path: &RelPath) -> bool;

    /// What lies there now: `Some(true)` for a folder, `None` for nothing.
    fn is_folder(&self, path: &RelPath) -> Option<bool>;

    /// True if this path, or a folder on the way to it, is left out.
    fn leave_out(&self, path: &RelPath) -> bool;
}

/// What an event below `root` says; nothing for what is left out or means nothing to us.
pub(super) fn heard(event: &Event, root: &Path, ask: &dyn Ask) -> Vec<Heard> {
    if event.need_rescan() {
        return vec![Heard::Lost];
    }
    // The same rename was told as its two ends.
    if event.kind == EventKind::Modify(ModifyKind::Name(RenameMode::Both)) {
        return Vec::new();
    }
    let paths = event.paths.iter().filter_map(|path| relative(root, path));
    paths.filter(|path| !ask.leave_out(path)).filter_map(|path| of(event.kind, path, ask)).collect()
}

fn of(kind: EventKind, path: RelPath, ask: &dyn Ask) -> Option<Heard> {
    if path.is_root() {
        return of_root(kind);
    }
    let came = |path: RelPath| match ask.is_folder(&path) {
        Some(true) => Heard::Folder(path),
        Some(false) => Heard::Ended(path),
        // Whatever it was: what is around it tells.
        None => Heard::Left(path),
    };
    Some(match kind {
        EventKind::Create(CreateKind::Folder) => Heard::Folder(path),
        EventKind::Create(CreateKind::File) => Heard::Written(path),
        EventKind::Create(_) if ask.is_folder(&path) == Some(true) => Heard::Folder(path),
        EventKind::Create(_) => Heard::Written(path),
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Heard::Ended(path),
        EventKind::Access(_) => return None,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) => {
            if ask.was_folder(&path) { Heard::Folder(path) } else { Heard::Left(path) }
        }
        EventKind::Modify(ModifyKind::Name(_)) => came(path),
        EventKind::Modify(ModifyKind::Metadata(_)) => facts(path, ask),
        EventKind::Modify(_) if ask.was_folder(&path) => return None,
        EventKind::Modify(_) => Heard::Written(path),
        EventKind::Any | EventKind::Other => came(path),
    })
}

/// A folder's own facts are looked at in the folder, a file's in the one above.
fn facts(path: RelPath, ask: &dyn Ask) -> Heard {
    if ask.was_folder(&path) { Heard::FolderFacts(path) } else { Heard::Facts(path) }
}

/// Of the root itself: that it left, or is not what it was, puts everything in doubt.
fn of_root(kind: EventKind) -> Option<Heard> {
    match kind {
        EventKind::Remove(RemoveKind::File) => None,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => Some(Heard::Lost),
        _ => None,
    }
}

/// The path below the root; nothing for what lies elsewhere.
fn relative(root: &Path, path: &Path) -> Option<RelPath> {
    let rest = path.strip_prefix(root).ok()?;
    let names = rest.components().map(|c| host::name::bytes(c.as_os_str()));
    Some(names.fold(RelPath::root(), |path, name| path.join(name)))
}

#[cfg(test)]
mod tests {
    use super::{Ask, Heard, heard};
    use model::relpath::RelPath;
    use notify::event::{
        AccessKind, AccessMode, CreateKind, DataChange, Event, EventKind, Flag, MetadataKind,
        ModifyKind, RemoveKind, RenameMode,
    };
    use std::path::Path;

    struct Asked;

    impl Ask for Asked {
        fn was_folder(&self, path: &RelPath) -> bool {
            path.as_bytes().ends_with(b"dir")
        }

        fn is_folder(&self, path: &RelPath) -> Option<bool> {
            (!path.as_bytes().ends_with(b"gone")).then(|| self.was_folder(path))
        }

        fn leave_out(&self, path: &RelPath) -> bool {
            path.names().any(|name| name == b"cache")
        }
    }

    fn said(kind: EventKind, path: &str) -> Vec<Heard> {
        heard(&Event::new(kind).add_path(Path::new("/r").join(path)), Path::new("/r"), &Asked)
    }

    fn at(path: &str) -> RelPath {
        RelPath::new(path).unwrap()
    }

    #[test]
    fn each_kind_has_its_word() {
        let name = |mode| EventKind::Modify(ModifyKind::Name(mode));
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let meta = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        for (kind, path, heard) in [
            (EventKind::Create(CreateKind::File), "a/f", Heard::Written(at("a/f"))),
            (EventKind::Create(CreateKind::Any), "a/dir", Heard::Folder(at("a/dir"))),
            (data, "f", Heard::Written(at("f"))),
            (closed, "f", Heard::Ended(at("f"))),
            (meta, "f", Heard::Facts(at("f"))),
            (meta, "dir", Heard::FolderFacts(at("dir"))),
            (name(RenameMode::From), "f", Heard::Left(at("f"))),
            (name(RenameMode::From), "dir", Heard::Folder(at("dir"))),
            (name(RenameMode::To), "f", Heard::Ended(at("f"))),
            (name(RenameMode::To), "dir", Heard::Folder(at("dir"))),
            (name(RenameMode::Any), "gone", Heard::Left(at("gone"))),
            (EventKind::Remove(RemoveKind::Folder), "dir", Heard::Folder(at("dir"))),
            (EventKind::Remove(RemoveKind::Folder), "", Heard::Lost),
            (name(RenameMode::From), "", Heard::Lost),
        ] {
            assert_eq!(said(kind, path), [heard], "{kind:?} {path}");
        }
    }

    #[test]
    fn what_is_left_out_or_lies_elsewhere_says_nothing_and_lost_events_say_so() {
        let kind = EventKind::Create(CreateKind::File);
        assert!(said(kind, "a/cache/f").is_empty());
        let elsewhere = Event::new(kind).add_path("/elsewhere/f".into());
        assert!(heard(&elsewhere, Path::new("/r"), &Asked).is_empty());
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(heard(&lost, Path::new("/r"), &Asked), [Heard::Lost]);
    }
}
