//! Every case does what it says.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::case::Case;
use crate::world::World;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ingest/cases");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Runs a case, and says at which step it failed and how.
fn failure(path: &Path) -> Option<String> {
    let name = path.file_name().unwrap().to_string_lossy();
    let case = match caught(|| Case::read(path)) {
        Ok(case) => case,
        Err(said) => return Some(said),
    };
    let mut world = World::new(case.config.as_deref());
    for (at, step) in case.steps.iter().enumerate() {
        if let Err(said) = caught(|| world.take(step)) {
            return Some(format!("{name}: {}\nstep {}: {step:?}\n{said}\n", case.about, at + 1));
        }
    }
    None
}

/// What the work says, or what it panicked with.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let owned = panic.downcast_ref::<String>().cloned();
        owned.unwrap_or_else(|| {
            panic.downcast_ref::<&str>().map_or_else(String::new, ToString::to_string)
        })
    })
}

/// To run one case alone: `PHC_CASE=part-of-its-name cargo test -p tests --test ingest cases`.
#[test]
fn every_case_does_what_it_says() {
    let only = std::env::var("PHC_CASE").unwrap_or_default();
    let files: Vec<_> =
        files().into_iter().filter(|p| p.to_string_lossy().contains(&only)).collect();
    assert!(!only.is_empty() || files.len() >= 50, "where are the cases?");
    let (todo, failed) = (Mutex::new(files), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(path) = { todo.lock().unwrap().pop() } {
                    failed.lock().unwrap().extend(failure(&path));
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
