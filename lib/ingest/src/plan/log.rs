//! The plan's log: written once from several threads, read as often as needed.

use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::problem::{Code, Problem};
use tempfile::SpooledTempFile;

use super::{FolderPlan, Item, Tally};

/// A plan stays in memory up to this many bytes; a larger one goes to an unnamed file in the state.
const IN_MEMORY: usize = 8 * 1024 * 1024;
/// A folder's plan is cut into parts of this many entries, so that threads can share it.
const PART: usize = 256;
/// A part is cut, too, after this many bytes.
const PART_BYTES: u64 = 64 * 1024 * 1024;

/// A plan while it is being made.
#[derive(Debug)]
pub struct PlanLog {
    inner: Mutex<(SpooledTempFile, Tally)>,
    folder: PathBuf,
}

impl PlanLog {
    /// An empty plan whose overflow goes to a file in this folder.
    pub fn new(folder: &Path) -> PlanLog {
        let file = tempfile::spooled_tempfile_in(IN_MEMORY, folder);
        PlanLog { inner: Mutex::new((file, Tally::default())), folder: folder.to_owned() }
    }

    /// Adds a folder's plan.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be written.
    pub fn put(&self, plan: FolderPlan) -> Result<(), Problem> {
        let mut bytes = Vec::new();
        let mut tally = Tally::default();
        for part in parts(plan) {
            tally.add(&part);
            let record = postcard::to_stdvec(&part).map_err(|e| self.unusable(&e))?;
            bytes.extend_from_slice(&(record.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&record);
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.1.merge(&tally);
        inner.0.write_all(&bytes).map_err(|e| self.unusable(&e))
    }

    /// What the plan amounts to so far.
    pub fn tally(&self) -> Tally {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// An empty plan kept where this one is.
    pub fn another(&self) -> PlanLog {
        PlanLog::new(&self.folder)
    }

    /// Reads the plan from its beginning.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be read.
    pub fn read(&mut self) -> Result<Plans<'_>, Problem> {
        let folder = self.folder.clone();
        let file = &mut self.inner.get_mut().unwrap_or_else(PoisonError::into_inner).0;
        file.seek(SeekFrom::Start(0)).map_err(|e| unusable(&folder, &e))?;
        Ok(Plans { file: BufReader::with_capacity(128 * 1024, file), folder })
    }

    fn unusable(&self, error: &dyn std::fmt::Display) -> Problem {
        unusable(&self.folder, error)
    }
}

fn unusable(folder: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::StateUnusable, format!("can't keep the plan: {error}")).at(folder)
}

fn parts(mut plan: FolderPlan) -> Vec<FolderPlan> {
    let mut parts = Vec::new();
    loop {
        let length = part_length(&plan.items);
        if length == plan.items.len() {
            parts.push(plan);
            return parts;
        }
        let items = plan.items.split_off(length);
        let tail = FolderPlan { items, ..FolderPlan::of(&plan.mapped()) };
        parts.push(std::mem::replace(&mut plan, tail));
    }
}

/// How many of the first entries make a part.
fn part_length(items: &[Item]) -> usize {
    let mut bytes = 0u64;
    let fits = |item: &Item| {
        let fits = bytes < PART_BYTES;
        bytes = bytes.saturating_add(item.allocated);
        fits
    };
    items.iter().map(fits).take(PART).take_while(|fits| *fits).count()
}

/// The parts of a plan, in the order they were put.
#[derive(Debug)]
pub struct Plans<'a> {
    file: BufReader<&'a mut SpooledTempFile>,
    folder: PathBuf,
}

impl Plans<'_> {
    fn record(&mut self) -> Result<Option<FolderPlan>, Problem> {
        let mut length = [0; 8];
        match self.file.read_exact(&mut length) {
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other.map_err(|e| unusable(&self.folder, &e))?,
        }
        let length = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
        let mut record = vec![0; length];
        self.file.read_exact(&mut record).map_err(|e| unusable(&self.folder, &e))?;
        postcard::from_bytes(&record).map(Some).map_err(|e| unusable(&self.folder, &e))
    }
}

impl Iterator for Plans<'_> {
    type Item = Result<FolderPlan, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        self.record().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::{PART, PlanLog};
    use crate::plan::{FolderPlan, Item, Todo};
    use model::relpath::RelPath;

    fn item(n: usize) -> Item {
        Item {
            name: n.to_string().into_bytes(),
            copy_name: None,
            size: 1,
            allocated: 1,
            mtime_ns: -1,
            ctime_ns: None,
            file_id: u64::MAX,
            btime_ns: None,
            links: 1,
            todo: Todo::Store,
        }
    }

    #[test]
    fn a_plan_comes_back_in_parts_and_can_be_read_again() {
        let temp = tempfile::tempdir().unwrap();
        let mut log = PlanLog::new(temp.path());
        let items: Vec<Item> = (0..PART * 2 + 1).map(item).collect();
        let path = RelPath::new(b"a\xff".as_slice()).unwrap();
        let plan = FolderPlan {
            path: path.clone(),
            copy: None,
            facts: None,
            is_new: true,
            is_gone: false,
            items: items.clone(),
            deferrals: Vec::new(),
        };
        log.put(plan).unwrap();
        for _ in 0..2 {
            let parts: Vec<FolderPlan> = log.read().unwrap().map(Result::unwrap).collect();
            assert_eq!(parts.len(), 3);
            assert!(parts[0].is_new && !parts[1].is_new && parts.iter().all(|p| p.path == path));
            assert_eq!(parts.into_iter().flat_map(|p| p.items).collect::<Vec<_>>(), items);
        }
        assert_eq!(log.tally().stores, (PART * 2 + 1) as u64);
    }

    #[test]
    fn large_files_are_shared_between_threads() {
        let temp = tempfile::tempdir().unwrap();
        let mut log = PlanLog::new(temp.path());
        let items =
            (0..8).map(|_| Item { size: 256 << 20, allocated: 256 << 20, ..item(0) }).collect();
        let plan = FolderPlan {
            path: RelPath::root(),
            copy: None,
            facts: None,
            is_new: false,
            is_gone: false,
            items,
            deferrals: Vec::new(),
        };
        log.put(plan).unwrap();
        assert_eq!(log.read().unwrap().count(), 8);
    }
}
