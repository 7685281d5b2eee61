//! What the copies of one folder's entries are called: rows tell, and new entries get names.

use host::Kind;
use model::problem::Problem;
use store::manifest::{Known, Reader, RowKind};
use store::names::{Chosen, Row, Target, choose, escape};

/// The names that copies have which are not their sources'.
#[derive(Debug)]
pub(crate) struct CopyNames {
    target: Target,
    chosen: Chosen,
}

impl CopyNames {
    /// Tells the names of a folder's entries. Where the target holds all, and no copy has
    /// another name than its source, nothing is read and nothing is kept.
    pub fn of<'n>(
        target: Target,
        any_renamed: bool,
        reader: &Reader,
        row: Option<i64>,
        entries: impl Iterator<Item = (&'n [u8], Option<Kind>)>,
    ) -> Result<CopyNames, Problem> {
        if target.holds_all() && !any_renamed {
            return Ok(CopyNames { target, chosen: Chosen::new() });
        }
        let (known, folders) = match row {
            Some(row) => (reader.entries(row)?, reader.folders(row)?),
            None => (Vec::new(), Vec::new()),
        };
        let files = known.iter().filter(|row| has_copy(row));
        let rows: Vec<Row<'_>> = files
            .map(|row| (&*row.name, row.copy_name.as_deref()))
            .chain(folders.iter().map(|row| (&*row.name, row.copy_name.as_deref())))
            .collect();
        let find = |name: &[u8]| known.binary_search_by(|row| (*row.name).cmp(name)).ok();
        let is_folder = |name: &[u8]| folders.binary_search_by(|r| (*r.name).cmp(name)).is_ok();
        let new = entries.filter_map(|(name, kind)| {
            let row = find(name).map(|at| &known[at]);
            let keeps_its_name = match kind {
                Some(Kind::Symlink | Kind::Special) => true,
                Some(Kind::Folder) => is_folder(name),
                Some(Kind::File) => row.is_some_and(has_copy),
                // What it is shows only later; a name too many is none too few.
                None => false,
            };
            (!keeps_its_name).then(|| (name, row.and_then(|row| row.copy_name.as_deref())))
        });
        let chosen = choose(&target, rows.iter().copied(), new);
        Ok(CopyNames { target, chosen })
    }

    /// Names for a folder that has no new entries.
    pub fn none() -> CopyNames {
        CopyNames { target: Target::BYTES, chosen: Chosen::new() }
    }

    /// The name of a new entry's copy, if it is another one.
    pub fn of_new(&self, name: &[u8]) -> Option<Vec<u8>> {
        match self.chosen.get(name) {
            Some(copy) => Some(copy.to_vec()),
            None if self.target.holds_all() => escape(&self.target, name),
            None => None,
        }
    }

    /// The name of a file's copy, if it is another one: its row's, or that of a new entry.
    pub fn of_file(&self, name: &[u8], known: Option<&Known>) -> Option<Vec<u8>> {
        match known.filter(|row| has_copy(row)) {
            Some(row) => row.copy_name.as_deref().map(<[u8]>::to_vec),
            None => self.of_new(name),
        }
    }
}

/// True if a row's copy is there under the row's name.
fn has_copy(row: &Known) -> bool {
    row.kind == RowKind::File && row.copy_mtime_ns.is_some()
}
