//! What the paths within one held at a time: from what they hold now, every change since is undone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use model::ingest::{Change, FileNews, RecordKind};
use model::problem::Problem;
use model::relpath::RelPath;

use super::trash::{Taken, Trashed};
use super::{Held, Lies, Past, Rows, copy_of};

/// What each path within one held at a time; `None` is now.
pub(super) fn held_at(
    past: &Past<'_>,
    within: &RelPath,
    at: Option<Timestamp>,
) -> Result<BTreeMap<RelPath, Held>, Problem> {
    let rows = past.rows()?;
    let trashed = past.trashed()?;
    let mut undo = Undo { rows: &rows, trashed: &trashed, then: HashMap::new(), failed: None };
    if let Some(at) = at {
        let wanted = followed(past, within, at)?;
        past.newest_first(&mut |time, news| {
            if time > at && touches(&news, &wanted, within) {
                undo.take(time, &news);
            }
        })?;
    }
    if let Some(problem) = undo.failed {
        return Err(problem);
    }
    let then = undo.then;
    let mut paths: BTreeSet<RelPath> = BTreeSet::new();
    paths.insert(within.clone());
    rows.below(within, &mut |path| {
        paths.insert(path);
    })?;
    paths.extend(then.keys().filter(|path| path.is_within(within)).cloned());
    let mut copies = HashSet::new();
    for path in &paths {
        copies.insert(rows.copy_of(path)?);
    }
    let former = trashed.within(&rows.copy_of(within)?);
    paths.extend(former.into_iter().filter(|copy| !copies.contains(copy)));
    let mut all = BTreeMap::new();
    for path in paths {
        let copy = rows.copy_of(&path)?;
        let held = match then.get(&path) {
            Some(held) => held.clone(),
            None => rows.held(&path, &trashed)?,
        };
        let held = unexplained(&trashed, &copy, at).or(held);
        all.extend(held.map(|held| (path, held)));
    }
    Ok(all)
}

/// A version that was put away after the time, and of which no line tells: it was there at the time, as far as anybody knows.
fn unexplained(trashed: &Trashed, path: &RelPath, at: Option<Timestamp>) -> Option<Held> {
    let at = at?;
    let former = trashed.unexplained(path).into_iter().find(|former| former.put_away > at)?;
    Some(Held { lies: Lies::Trash(former.path), record: None, live: true })
}

/// The paths that what lay within one was renamed to since a time.
fn followed(past: &Past<'_>, within: &RelPath, at: Timestamp) -> Result<HashSet<RelPath>, Problem> {
    let mut renames = Vec::new();
    past.newest_first(&mut |time, news| {
        if let Some(from) = news.from.filter(|_| time > at) {
            renames.push((from, news.file.path));
        }
    })?;
    let mut followed: HashSet<RelPath> = HashSet::new();
    for (from, to) in renames.into_iter().rev() {
        if from.is_within(within) || followed.contains(&from) {
            followed.insert(to);
        }
    }
    Ok(followed)
}

fn touches(news: &FileNews, followed: &HashSet<RelPath>, within: &RelPath) -> bool {
    let wanted = |path: &RelPath| path.is_within(within) || followed.contains(path);
    news.file.kind != RecordKind::Folder
        && (wanted(&news.file.path) || news.from.as_ref().is_some_and(wanted))
}

struct Undo<'a> {
    rows: &'a Rows,
    trashed: &'a Trashed,
    /// What paths held before the changes that were undone; the others hold what their rows say.
    then: HashMap<RelPath, Option<Held>>,
    failed: Option<Problem>,
}

impl Undo<'_> {
    fn get(&mut self, path: &RelPath) -> Option<Held> {
        if let Some(held) = self.then.get(path) {
            return held.clone();
        }
        match self.rows.held(path, self.trashed) {
            Ok(held) => held,
            Err(problem) => {
                self.failed.get_or_insert(problem);
                None
            }
        }
    }

    fn take(&mut self, time: Timestamp, news: &FileNews) {
        let path = &news.file.path;
        let was = news.was.as_deref();
        let copy = copy_of(was.unwrap_or(&news.file));
        let put_away = |taken| self.trashed.put_away(copy, time, was, taken);
        let before = match news.change {
            Change::Touched => return,
            Change::Repaired => {
                put_away(Taken::Rot);
                return;
            }
            Change::Replaced => {
                let (lies, record) = (put_away(Taken::Version), news.was.as_deref().cloned());
                Some(Held { lies, record, live: true })
            }
            Change::Stored => news.was.as_deref().cloned().map(|was| {
                let (lies, live) = (put_away(Taken::Version), was.live);
                Held { lies, record: Some(was), live }
            }),
            Change::Linked => None,
            Change::Adopted => self.get(path).map(|held| Held { live: false, ..held }),
            Change::Gone => {
                let lies = news.file.trashed.then(|| put_away(Taken::Version));
                let held = self.get(path);
                held.map(|held| Held { lies: lies.unwrap_or(held.lies), live: true, ..held })
            }
            Change::Renamed => {
                if let Some(from) = &news.from {
                    let held = self.get(path);
                    self.then.insert(from.clone(), held);
                }
                None
            }
        };
        self.then.insert(path.clone(), before);
    }
}
