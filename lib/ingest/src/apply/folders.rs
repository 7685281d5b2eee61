//! Folders of the copy: made with permissions no wider than the source's.

use host::error::{Attempt, Meaning};
use host::{Dir, Kind};
use store::names::Mapped;

use super::Ground;

/// Copied folders never have more permission bits than these (safety law 9).
const FOLDER_MODE: u32 = 0o750;
/// The owner's own bits, without which the toolkit could not write in them itself.
const OWN: u32 = 0o700;

/// The permission bits of a copied folder.
pub fn copy_mode(source: u32) -> u32 {
    (source & FOLDER_MODE) | OWN
}

/// Opens a folder of the copy, making it and those above it when missing.
///
/// True if it was made just now, so that nothing can lie in it yet. What is no folder and
/// has its name, a stranger's file for instance, is put away.
pub fn make(ground: &Ground<'_>, at: &Mapped) -> host::Result<(Dir, bool)> {
    match ground.copy.beneath(at.copy()) {
        Err(e) if e.meaning() == Meaning::Missing => {}
        Err(e) if e.source.kind() == std::io::ErrorKind::NotADirectory => {}
        found => return found.map(|dir| (dir, false)),
    }
    let (Some((above, _)), Some((copy_above, name))) = (at.path.split(), at.copy().split()) else {
        return ground.copy.again().map(|dir| (dir, false));
    };
    let copy = at.copy.is_some().then(|| copy_above.clone());
    let (parent, _) = make(ground, &Mapped { path: above, copy })?;
    let source = ground.source.beneath(&at.path).and_then(|dir| dir.own_facts());
    let mode = copy_mode(source.map_or(OWN, |facts| facts.mode));
    match parent.make_folder(name, mode) {
        Err(e) if e.meaning() == Meaning::Exists => {
            ground.trash.of(&copy_above).put_away(&parent, name)?;
            parent.make_folder(name, mode)?;
        }
        other => other?,
    }
    if ground.barrier.is_each() {
        parent.sync()?;
    }
    Ok((parent.sub(name)?, true))
}

/// Takes away permission bits of a copied folder that its source does not have.
pub fn narrow(dir: &Dir, source_mode: u32) -> host::Result<()> {
    let mode = dir.own_facts()?.mode;
    let narrowed = mode & copy_mode(source_mode);
    if narrowed == mode { Ok(()) } else { dir.set_own_mode(narrowed) }
}

/// Takes away permission bits of a copied file that its source does not have.
pub fn narrow_file(dir: &Dir, name: &[u8], source_mode: u32) -> host::Result<()> {
    let facts = dir.facts(name)?;
    let narrowed = facts.mode & source_mode & crate::copy::FILE_MODE;
    if facts.kind != Kind::File || narrowed == facts.mode {
        return Ok(());
    }
    let file = dir.read(name)?;
    host::facts::set_mode(&file, narrowed)
        .attempt("set the permissions of", dir.path().join(&*host::name::os(name)))
}

#[cfg(test)]
mod tests {
    use super::copy_mode;

    #[test]
    fn folders_are_never_wider_than_their_source_for_others() {
        for (source, copy) in
            [(0o777, 0o750), (0o755, 0o750), (0o700, 0o700), (0o555, 0o750), (0o711, 0o710)]
        {
            assert_eq!(copy_mode(source), copy, "{source:o}");
        }
    }
}
