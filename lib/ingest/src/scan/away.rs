//! Entries whose content is only in the cloud, met while a folder is compared.

use host::{Facts, Kind};
use model::problem::Problem;
use store::manifest::{Known, Placeholder, PlaceholderRow, Reader};

use super::look::Seen;
use crate::placeholder::{Away, Standing};
use crate::plan::Deferral;
use model::ingest::Totals;

/// What one folder's placeholders are and were.
#[derive(Debug, Default)]
pub(super) struct Deferred {
    /// Those that the manifest has, in the order of their names.
    rows: Vec<PlaceholderRow>,
    /// Those that are there now and not captured, in the order of their names.
    now: Vec<(Box<[u8]>, Placeholder)>,
}

impl Deferred {
    /// What the manifest has of a folder.
    pub fn of_folder(reader: &Reader, row: Option<i64>) -> Result<Deferred, Problem> {
        let rows = match row {
            Some(row) => reader.placeholders(row)?,
            None => Vec::new(),
        };
        Ok(Deferred { rows, now: Vec::new() })
    }

    /// Takes a placeholder in; true if the copy is of this version, so that nothing is missing.
    pub fn meet(
        &mut self,
        name: &[u8],
        facts: &Facts,
        away: &Away,
        standing: Standing,
        totals: &mut Totals,
    ) {
        if facts.kind == Kind::Folder {
            totals.deferred_folders += 1;
        } else {
            totals.files += 1;
            totals.bytes += away.size.unwrap_or(0);
            totals.placeholders += 1;
            if standing == Standing::Kept {
                totals.unchanged += 1;
                return;
            }
            totals.deferred += 1;
            totals.deferred_bytes += away.size.unwrap_or(0);
            totals.deferred_unsized += u64::from(away.size.is_none());
        }
        let what = Placeholder {
            is_folder: facts.kind == Kind::Folder,
            size: away.size,
            mtime_ns: away.mtime_ns.unwrap_or(facts.mtime_ns),
            opens: away.opens,
            stub: away.stub.as_deref().map(<[u8]>::to_vec),
        };
        self.now.push((name.into(), what));
    }

    /// What is to be written of it; what could not be asked stays as it is.
    pub fn changes(self, unasked: impl Fn(&[u8]) -> bool) -> Vec<Deferral> {
        let Deferred { rows, now } = self;
        let row_of = |name: &[u8]| rows.binary_search_by(|row| (*row.name).cmp(name)).ok();
        let is_now = |name: &[u8]| now.binary_search_by(|(n, _)| (**n).cmp(name)).is_ok();
        let left = rows.iter().filter(|row| !is_now(&row.name) && !unasked(&row.name));
        let left = left.map(|row| Deferral { name: row.name.to_vec(), what: None });
        let left: Vec<_> = left.collect();
        let news =
            now.iter().filter(|(name, what)| row_of(name).is_none_or(|at| rows[at].what != *what));
        let news =
            news.map(|(name, what)| Deferral { name: name.to_vec(), what: Some(what.clone()) });
        left.into_iter().chain(news).collect()
    }
}

/// Drops the stubs of files that are there as well, as it is for a moment while a client works.
pub(super) fn without_doubles(seen: &mut Vec<Seen<'_>>) {
    let mut at = 1;
    while at < seen.len() {
        match seen[at - 1].name == seen[at].name {
            true if seen[at].is_stub() => drop(seen.remove(at)),
            true => drop(seen.remove(at - 1)),
            false => at += 1,
        }
    }
}

/// The live row of a name.
pub(super) fn live(known: Option<&Known>) -> Option<&Known> {
    known.filter(|known| known.live)
}
