//! The world of one case: a sandbox with a source and an adopted space, in which steps are taken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tests::{Sandbox, trees};

use crate::case::Step;
use crate::{eyes, hands, runs};

/// The cloud that a case's source is ingested as.
pub const CLOUD: &str = "docs";

/// A sandbox with a source and an adopted space.
pub struct World {
    pub sandbox: Sandbox,
    /// The plan that the last run told.
    pub plan: Option<String>,
}

impl World {
    pub fn new(config: Option<&str>) -> World {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.path("source")).unwrap();
        sandbox.adopt();
        if let Some(text) = config {
            sandbox.configure(text);
        }
        World { sandbox, plan: None }
    }

    pub fn source(&self) -> PathBuf {
        self.sandbox.path("source")
    }

    pub fn copy(&self) -> PathBuf {
        self.sandbox.device().join(CLOUD)
    }

    /// The place that a case's path stands for.
    pub fn at(&self, text: &str) -> PathBuf {
        let path = hands::path(text);
        if let Ok(inner) = path.strip_prefix("copy") {
            return self.copy().join(inner);
        }
        match path.strip_prefix("device") {
            Ok(inner) => self.sandbox.device().join(inner),
            Err(_) => self.sandbox.path("").join(path),
        }
    }

    /// Takes a step; panics where something is not as it says.
    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Ingest(expected) => self.plan = runs::ingest(self, expected),
            Step::Plan(expected) => self.plan = runs::plan(self, expected),
            Step::Idle => runs::idle(self),
            Step::Approve => runs::approve(self),
            Step::Expire { exit } => self.plan = runs::expire(self, *exit),
            Step::Deferred { are } => assert_eq!(&runs::deferred(self), are),
            Step::Call { .. } => runs::call(self, step),
            _ if self.look(step) => {}
            _ => self.act(step),
        }
    }

    fn act(&self, step: &Step) {
        let at = |text: &String| self.at(text);
        match step {
            Step::Write { path, text, mode, keep_mtime } => {
                hands::write(&at(path), text, *mode, *keep_mtime);
            }
            Step::Rot { path, text } => hands::rot(&self.sandbox, &at(path), text),
            Step::Fill { path, text, count, from } => hands::numbered(path, *from, *count)
                .for_each(|path| hands::write(&at(&path), &format!("{text} {path}"), None, false)),
            Step::Remove { path } => hands::remove(&at(path)),
            Step::Clear { path, count, from } => {
                hands::numbered(path, *from, *count).for_each(|path| hands::remove(&at(&path)));
            }
            Step::Rename { path, to } => hands::rename(&at(path), &at(to)),
            Step::Swap { path, with } => hands::swap(&at(path), &at(with)),
            Step::Chmod { path, mode } => hands::chmod(&at(path), *mode),
            Step::Touch { path, seconds } => hands::touch(&at(path), *seconds),
            Step::TouchAll { path, count } => {
                hands::numbered(path, 0, *count).for_each(|path| hands::touch(&at(&path), -60));
            }
            Step::Folder { path } => hands::folder(&at(path)),
            Step::Symlink { path, to } => hands::symlink(&at(path), to),
            Step::HardLink { path, to } => hands::hard_link(&at(path), &at(to)),
            Step::Fifo { path } => hands::fifo(&at(path)),
            Step::Socket { path } => hands::socket(&at(path)),
            Step::Mark { path, attributes } => hands::mark(&at(path), attributes),
            Step::Configure { text } => self.sandbox.configure(text),
            Step::Clone { path, to } => hands::clone(&at(path), &at(to)),
            Step::AgeTrash { days } => hands::age_trash(&self.sandbox.device(), *days),
            Step::Wait { seconds } => std::thread::sleep(Duration::from_secs(*seconds)),
            Step::Sparse { path, size } => hands::sparse(&at(path), *size),
            other => panic!("nobody takes {other:?}"),
        }
    }

    /// True if the step was one of looking.
    fn look(&self, step: &Step) -> bool {
        match step {
            Step::Same => trees::assert_copied(&self.source(), &self.copy()),
            Step::Copy { is } => assert_eq!(eyes::texts(&self.copy()), named(is)),
            Step::Versions { are } => {
                assert_eq!(eyes::versions(&self.sandbox.device()), named(are));
            }
            Step::FileCount { path, is } => {
                assert_eq!(eyes::file_count(&self.at(path)), *is, "in {path}");
            }
            Step::Text { path, is } => {
                assert_eq!(&std::fs::read_to_string(self.at(path)).unwrap(), is);
            }
            Step::Absent { path } => assert!(self.at(path).symlink_metadata().is_err(), "{path}"),
            Step::Mode { path, is } => assert_eq!(mode(&self.at(path)), *is, "of {path}"),
            Step::Allocated { path, most } => {
                let on_disk = allocated(&self.at(path));
                assert!(on_disk <= *most, "{path} takes {on_disk} bytes");
            }
            Step::Catalog { path, is } => {
                assert_eq!(eyes::in_catalog(&self.sandbox.device(), CLOUD, path), *is);
            }
            _ => return false,
        }
        true
    }
}

fn named<T: Clone>(of: &BTreeMap<String, T>) -> BTreeMap<PathBuf, T> {
    of.iter().map(|(path, value)| (hands::path(path), value.clone())).collect()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

fn allocated(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    path.metadata().unwrap().blocks() * 512
}
