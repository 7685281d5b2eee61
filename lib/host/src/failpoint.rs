//! Failpoints: test builds can be told to die or fail at a named place.
//!
//! `PHC_FAILPOINT=NAME[@N]=kill` kills the process with SIGKILL at the Nth time the
//! point is reached (the first by default); `=ERRNO` (a number) makes that call
//! fail with it. Without the feature `failpoints` a point is nothing at all.

/// Every failpoint, in the order a run reaches them.
pub const NAMES: &[&str] = &[
    "ingest.locked",
    "ingest.recovered",
    "ingest.scanned",
    "ingest.planned",
    "apply.noted",
    "copy.created",
    "copy.written",
    "copy.finished",
    "apply.copied",
    "apply.synced",
    "trash.linked",
    "apply.publishing",
    "apply.published",
    "apply.names-synced",
    "manifest.committing",
    "manifest.committed",
    "apply.gone",
    "announce.increment",
    "announce.outbox",
    "announce.marked",
    "inbox.moved",
    "inbox.proven",
    "inbox.removed",
    "catalog.compacting",
    "catalog.compacted",
    "publish.written",
    "publish.renamed",
    "spool.delivering",
    "spool.delivered",
    "ingest.finished",
];

/// True in test builds, where failpoints work.
pub const TEST_BUILD: bool = cfg!(feature = "failpoints");

/// A named point; fails or dies when the environment says so.
///
/// # Errors
/// The error that `PHC_FAILPOINT` names, in test builds only.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_name: &'static str) -> std::io::Result<()> {
    Ok(())
}

/// How many files are worked on at once: so many, or as few as `PHC_BATCH_FILES` says in a test
/// build, where a small tree has to make many batches.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn files_at_once(most: u64) -> u64 {
    most
}

#[cfg(feature = "failpoints")]
pub use armed::{files_at_once, hit};

#[cfg(feature = "failpoints")]
mod armed {
    use std::io;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        name: String,
        nth: u64,
        what: String,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    static HITS: AtomicU64 = AtomicU64::new(0);

    /// A named point; fails or dies when the environment says so.
    ///
    /// # Errors
    /// The error that `PHC_FAILPOINT` names.
    pub fn hit(name: &'static str) -> io::Result<()> {
        debug_assert!(super::NAMES.contains(&name), "{name} is not in the list");
        let Some(armed) = ARMED.get_or_init(from_environment) else { return Ok(()) };
        if armed.name != name || HITS.fetch_add(1, Ordering::SeqCst) + 1 != armed.nth {
            return Ok(());
        }
        match armed.what.parse() {
            Ok(errno) => Err(io::Error::from_raw_os_error(errno)),
            Err(_) => die(),
        }
    }

    /// How many files are worked on at once: so many, or as few as `PHC_BATCH_FILES` says.
    pub fn files_at_once(most: u64) -> u64 {
        static FEW: OnceLock<Option<u64>> = OnceLock::new();
        let few = || std::env::var("PHC_BATCH_FILES").ok().and_then(|few| few.parse().ok());
        FEW.get_or_init(few).unwrap_or(most)
    }

    fn from_environment() -> Option<Armed> {
        let text = std::env::var("PHC_FAILPOINT").ok()?;
        let (point, what) = text.split_once('=')?;
        let (name, nth) = point.split_once('@').unwrap_or((point, "1"));
        Some(Armed { name: name.to_owned(), nth: nth.parse().ok()?, what: what.to_owned() })
    }

    #[cfg(unix)]
    fn die() -> ! {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort()
    }

    #[cfg(not(unix))]
    fn die() -> ! {
        std::process::abort()
    }
}
