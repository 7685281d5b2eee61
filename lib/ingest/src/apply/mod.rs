//! Applying a plan, batch by batch: copy, make durable, rename, make durable, remember.
//!
//! What the manifest says is always on disk already; killed at any instruction, the
//! next run finds its temporaries noted, and adopts what was renamed and not yet
//! remembered (safety laws 3 and 4).

mod arrive;
mod batch;
mod burials;
mod commit;
mod emptied;
mod folders;
mod prepare;
mod read;
mod same;
mod settle;
mod trash;

pub use batch::{Applied, apply};
pub(crate) use folders::{copy_mode, narrow_file};
pub(crate) use settle::SettledPart;
pub(crate) use trash::{CutOff, Trash, again};

use std::sync::atomic::{AtomicU64, Ordering};

use host::barrier::Barrier;
use host::clock::Clock;
use host::stop::Stop;
use host::{Dir, Error, error::Meaning};
use model::config::OnGone;
use model::problem::{Code, Problem};
use model::run::RunId;
use store::manifest::Readers;

use crate::attributes::Attributes;
use crate::inbox::Arrivals;
use crate::patience::Patience;
use crate::scan::Racy;

/// How far the work has come; written by all threads, read by whoever shows it.
#[derive(Debug, Default)]
pub struct Counters {
    files: AtomicU64,
    bytes: AtomicU64,
    unsettled: AtomicU64,
}

impl Counters {
    /// One file more.
    pub fn add_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    /// So many bytes more.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// One file more of an inbox that was left for the next run.
    pub fn add_unsettled(&self) {
        self.unsettled.fetch_add(1, Ordering::Relaxed);
    }

    /// Files of an inbox that were left for the next run.
    pub fn unsettled(&self) -> u64 {
        self.unsettled.load(Ordering::Relaxed)
    }

    /// Files and bytes so far.
    pub fn now(&self) -> (u64, u64) {
        (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// Everything that the threads share while they apply.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The source root.
    pub source: &'a Dir,
    /// The copy's root: the cloud's folder in the space.
    pub copy: &'a Dir,
    /// Where former versions go.
    pub(crate) trash: Trash<'a>,
    /// How the space makes things durable.
    pub barrier: &'a Barrier,
    /// The manifest.
    pub readers: Readers,
    /// Which extended attributes copies carry.
    pub attributes: &'a Attributes<'a>,
    /// When stamps are too young to be trusted.
    pub racy: Racy,
    /// The time, ns since 1970, at which the scan began.
    pub began_ns: i64,
    /// The run.
    pub run: RunId,
    /// How the source is brought in where it is an inbox.
    pub arrivals: Option<Arrivals>,
    /// What happens to copies of what is gone.
    pub on_gone: OnGone,
    /// Asked to stop.
    pub stop: &'a Stop,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// How far the work has come.
    pub counters: &'a Counters,
    /// How long files that can't be read now are waited for.
    pub(crate) patience: &'a Patience,
    /// True if opening brings in what is only in the cloud.
    pub fetches: bool,
    /// Temporaries made so far.
    pub(crate) temporaries: AtomicU64,
    /// Threads.
    pub threads: usize,
}

impl<'a> Ground<'a> {
    /// A name for the next temporary: short enough beside names of 255 bytes, and known by the run's id.
    pub(crate) fn next_temporary(&self) -> Vec<u8> {
        let n = self.temporaries.fetch_add(1, Ordering::Relaxed);
        format!("{}{n}", temporary_prefix(&self.run.to_string())).into_bytes()
    }

    /// True if nothing is copied: an inbox in the space whose files stay where they are.
    pub(crate) fn is_in_place(&self) -> bool {
        self.arrivals.is_some_and(Arrivals::in_place)
    }

    /// Now, ns since 1970.
    pub(crate) fn now_ns(&self) -> i64 {
        i64::try_from(self.clock.now().as_nanosecond()).unwrap_or(i64::MAX)
    }
}

/// What the names of all temporaries of a run begin with.
pub(crate) fn temporary_prefix(run: &str) -> String {
    format!(".phc-{run}-")
}

/// The run whose temporary has this name: `.phc-<runid>-<n>`, a UUIDv7 and a number.
pub(crate) fn run_of_temporary(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?.strip_prefix(".phc-")?;
    let (run, n) = name.rsplit_once('-')?;
    let is_number = !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit());
    let id = uuid::Uuid::try_parse(run).ok().filter(|id| is_number && id.get_version_num() == 7)?;
    (id.to_string() == run).then(|| run.to_owned())
}

/// True for failures of the space that concern more than one entry: going on would only fail again.
pub(crate) fn is_fatal(error: &Error) -> bool {
    use std::io::ErrorKind as K;
    let of_one_entry = matches!(
        error.source.kind(),
        K::InvalidFilename
            | K::InvalidInput
            | K::NotADirectory
            | K::IsADirectory
            | K::DirectoryNotEmpty
    );
    let meaning = error.meaning();
    !of_one_entry
        && matches!(meaning, Meaning::Full | Meaning::ReadOnly | Meaning::Away | Meaning::Other)
}

/// The problem of one entry that could not be stored.
pub(crate) fn entry_problem(error: &Error) -> Problem {
    use std::io::ErrorKind as K;
    let what = format!("can't {}: {}", error.attempt, error.source);
    let code = match error.source.kind() {
        K::InvalidFilename | K::InvalidInput => Code::NameUnrepresentable,
        _ => Code::EntryUnstorable,
    };
    Problem::new(code, what).at(error.path.as_path())
}

#[cfg(test)]
mod tests {
    use super::{run_of_temporary, temporary_prefix};

    #[test]
    fn only_the_names_of_temporaries_tell_of_a_run() {
        let run = host::id::ordered().to_string();
        let name = format!("{}12", temporary_prefix(&run));
        assert_eq!(run_of_temporary(name.as_bytes()), Some(run.clone()));
        let others = [
            temporary_prefix(&run),
            format!("{}1x", temporary_prefix(&run)),
            format!(".phc-{run}"),
            format!(".phc-{}-1", run.to_uppercase()),
            format!(".phc-{}-1", host::id::random()),
            ".phc-space.json".to_owned(),
        ];
        for other in others {
            assert_eq!(run_of_temporary(other.as_bytes()), None, "{other}");
        }
    }
}
