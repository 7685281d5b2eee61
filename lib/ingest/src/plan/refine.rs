//! Reading before judging: renames that only content can tell, and candidates of a plan that seems too large.

use std::collections::{HashMap, HashSet};

use host::Dir;
use host::stop::Stop;
use model::problem::Problem;
use model::relpath::RelPath;
use store::manifest::Reader;

use super::rename::Gone;
use super::{FolderPlan, Item, PlanLog, Todo};
use crate::digest;
use crate::parallel;

/// What refining reads from.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The source root.
    pub source: &'a Dir,
    /// The copy's root, for rows that say nothing of its content; `None` where there is no copy yet.
    pub copy: Option<&'a Dir>,
    /// Threads.
    pub threads: usize,
    /// Asked to stop.
    pub stop: &'a Stop,
    /// True if the rewritten candidates are to be read: at stat level they exceed a cap.
    pub read_candidates: bool,
}

/// Finds renames and hard links, and reads what must be read before the guard can judge.
///
/// `buried` has the manifest's tombstones, if there are any: what left with an earlier run
/// may be back elsewhere.
///
/// # Errors
/// When the manifest or the log can't be used; a source file that can't be read stays
/// what the plan says of it.
pub fn refine(
    mut log: PlanLog,
    how: &Reading<'_>,
    buried: Option<&Reader>,
    tick: &mut dyn FnMut(),
) -> Result<PlanLog, Problem> {
    let tally = log.tally();
    let mut gone = Gone::default();
    if tally.gone > 0 && tally.stores > 0 {
        for plan in log.read()? {
            let plan = plan?;
            plan.items.iter().for_each(|item| gone.note(&plan.path, item));
        }
    }
    let refined = log.another();
    let mut pass = Pass { how, gone, buried, dug_up: HashSet::new(), first_names: HashMap::new() };
    for plan in log.read()? {
        refined.put(pass.folder(plan?, tick)?)?;
    }
    if pass.gone.is_empty() {
        return Ok(refined);
    }
    without_renamed(refined, &pass.gone.left())
}

struct Pass<'a> {
    how: &'a Reading<'a>,
    gone: Gone,
    buried: Option<&'a Reader>,
    /// Tombstones that were found to be what another path is now.
    dug_up: HashSet<RelPath>,
    /// Files with several names, by id: the path that is stored first.
    first_names: HashMap<u64, RelPath>,
}

impl Pass<'_> {
    fn folder(
        &mut self,
        mut plan: FolderPlan,
        tick: &mut dyn FnMut(),
    ) -> Result<FolderPlan, Problem> {
        for item in &mut plan.items {
            self.by_facts(&plan.path, item);
            self.by_tombstone(item)?;
        }
        let wanted: Vec<&Item> =
            plan.items.iter().filter(|item| self.wants_reading(item)).collect();
        if wanted.is_empty() {
            return Ok(plan);
        }
        let digests = self.read(&plan, &wanted, tick)?;
        for item in &mut plan.items {
            if let Some(digest) = digests.get(&item.name) {
                self.by_digest(item, digest.source, digest.known);
            }
        }
        Ok(plan)
    }

    fn by_facts(&mut self, folder: &RelPath, item: &mut Item) {
        if matches!(item.todo, Todo::Store)
            && let Some(from) = self.gone.take_by_identity(item)
        {
            item.todo = Todo::Rename { from };
        }
        if item.links > 1 && matches!(item.todo, Todo::Store | Todo::Compare { .. }) {
            let path = folder.join(&item.name);
            match self.first_names.get(&item.file_id) {
                Some(first) if matches!(item.todo, Todo::Store) => {
                    item.todo = Todo::Link { to: first.clone() }
                }
                Some(_) => {}
                None => drop(self.first_names.insert(item.file_id, path)),
            }
        }
    }

    /// A file that left with an earlier run, and whose copy stayed, is renamed all the same:
    /// the two ends of a move need not come together.
    fn by_tombstone(&mut self, item: &mut Item) -> Result<(), Problem> {
        let Some(reader) = self.buried.filter(|_| matches!(item.todo, Todo::Store)) else {
            return Ok(());
        };
        let Some(btime_ns) = item.btime_ns else { return Ok(()) };
        for (folder, name, record) in reader.buried_as(item.file_id)? {
            let is_it = record.btime_ns == Some(btime_ns)
                && (record.size, record.mtime_ns) == (item.size, item.mtime_ns)
                && record.digest.is_some()
                && record.copy_mtime_ns.is_some()
                && !record.suspect;
            let from = reader.folder_path(folder)?.path.join(&name);
            if is_it && self.dug_up.insert(from.clone()) {
                item.todo = Todo::Rename { from };
                break;
            }
        }
        Ok(())
    }

    fn wants_reading(&self, item: &Item) -> bool {
        match item.todo {
            Todo::Store => self.gone.may_be_by_digest(item),
            Todo::Compare { .. } => self.how.read_candidates,
            _ => false,
        }
    }

    fn read(
        &self,
        plan: &FolderPlan,
        items: &[&Item],
        tick: &mut dyn FnMut(),
    ) -> Result<HashMap<Vec<u8>, Digests>, Problem> {
        let how = self.how;
        let Ok(dir) = how.source.beneath(&plan.path) else { return Ok(HashMap::new()) };
        let copy = how.copy.and_then(|root| root.beneath(plan.copy()).ok());
        let read = |(): &mut (), item: &&Item| {
            let found = digest::of_stable(&dir, &item.name, how.stop).ok().flatten();
            let source = found.filter(|(_, facts)| item.still_is(facts)).map(|(digest, _)| digest);
            let Some(source) = source.filter(|_| !how.stop.asked()) else { return Ok(None) };
            let known = match item.todo {
                Todo::Compare { was } => {
                    was.digest.or_else(|| of_copy(copy.as_ref(), item.copy_name(), how.stop))
                }
                _ => None,
            };
            Ok(Some((item.name.clone(), Digests { source, known })))
        };
        let found = parallel::each(items, how.threads, || Ok(()), read, tick)?;
        Ok(found.into_iter().flatten().collect())
    }

    fn by_digest(&mut self, item: &mut Item, source: [u8; 32], known: Option<[u8; 32]>) {
        match item.todo {
            Todo::Store => {
                if let Some(from) = self.gone.take_by_digest(item.size, source) {
                    item.todo = Todo::Rename { from };
                }
            }
            Todo::Compare { was } if known.is_some() => {
                let same = known == Some(source) && was.size == item.size;
                item.todo =
                    if same { Todo::Touch { digest: source } } else { Todo::Replace { was } };
            }
            _ => {}
        }
    }
}

/// The digest of a copy that was found there and never read.
fn of_copy(copy: Option<&Dir>, name: &[u8], stop: &Stop) -> Option<[u8; 32]> {
    digest::of_stable(copy?, name, stop).ok()?.map(|(digest, _)| digest)
}

struct Digests {
    source: [u8; 32],
    known: Option<[u8; 32]>,
}

/// The same plan without the gone entries that turned out to be renamed.
fn without_renamed(mut log: PlanLog, still_gone: &HashSet<RelPath>) -> Result<PlanLog, Problem> {
    let rest = log.another();
    for plan in log.read()? {
        let mut plan = plan?;
        let path = plan.path.clone();
        plan.items.retain(|item| match item.todo {
            Todo::Gone { is_file: true, gives_way: false, .. } => {
                still_gone.contains(&path.join(&item.name))
            }
            _ => true,
        });
        if plan.has_anything() {
            rest.put(plan)?;
        }
    }
    Ok(rest)
}
