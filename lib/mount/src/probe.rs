//! Probes: a look at a directory from a child process that may be abandoned (safety law 11).
//!
//! Whatever touches a dead mount can hang for ever, and a thread that hangs keeps its
//! process from ending. So a program runs itself again with a hidden first argument,
//! kills that child at the deadline and never waits for it.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host::child::{self, Program};
use host::mounts;

use crate::judge::Answer;
use crate::look;

/// The hidden first argument that makes a program answer a probe.
pub const PROBE: &str = "__probe";

/// How long a directory may take to answer.
pub const DEADLINE: Duration = Duration::from_millis(2500);

/// How directories are looked at.
#[derive(Clone, Debug)]
pub struct Prober {
    program: Option<PathBuf>,
    deadline: Duration,
}

impl Prober {
    /// Looks from a child of this very program, whose main must call [`answer_if_asked`] first.
    pub fn own() -> Prober {
        Prober { program: own_program(), deadline: DEADLINE }
    }

    /// Looks from a child of another program that answers probes.
    pub fn program(path: &Path) -> Prober {
        Prober { program: Some(path.to_owned()), deadline: DEADLINE }
    }

    /// Looks from this process itself, which hangs when the directory does; for tests of engines.
    pub fn here() -> Prober {
        Prober { program: None, deadline: DEADLINE }
    }

    /// The same, with another deadline.
    pub fn deadline(self, deadline: Duration) -> Prober {
        Prober { deadline, ..self }
    }

    /// Looks at a directory, given by an absolute path.
    pub fn look(&self, path: &Path) -> Answer {
        match &self.program {
            None => Answer::Look(look::at(path)),
            Some(program) => self.ask(program, path),
        }
    }

    fn ask(&self, program: &Path, path: &Path) -> Answer {
        let mount = OsString::from(mount_id(path));
        // One hanging child for each mount is enough: they can't even be killed.
        if child::is_stuck(&[PROBE.as_ref(), path.as_os_str(), &mount]) {
            return Answer::TimedOut;
        }
        let argv = [program.as_os_str(), OsStr::new(PROBE), path.as_os_str(), &mount];
        match Program::new(argv).deadline(self.deadline).run() {
            Ok(ended) if ended.timed_out => Answer::TimedOut,
            Ok(ended) => serde_json::from_slice(&ended.stdout)
                .map_or_else(|_| Answer::Nothing(no_answer(&ended)), Answer::Look),
            Err(e) => Answer::Nothing(e.to_string()),
        }
    }
}

/// The mount that a path seems to lie on; it makes probes of a later mount other probes.
fn mount_id(path: &Path) -> String {
    let table = mounts::table().unwrap_or_default();
    mounts::covering(&table, path).map_or("-".to_owned(), |mount| mount.id.to_string())
}

fn no_answer(ended: &child::Ended) -> String {
    let last = ended.stderr.lines().last().unwrap_or("it said nothing");
    format!("the probe gave no answer: {last}")
}

/// This program's own file; on Linux by a name that lasts when the file is replaced by an update.
fn own_program() -> Option<PathBuf> {
    let lasting = Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") { Some(lasting.to_owned()) } else { std::env::current_exe().ok() }
}

/// Answers a probe and says so, if that is what this process was started for.
///
/// Each program that probes calls it before all else and ends when it is true.
pub fn answer_if_asked() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(first), Some(path), Some(_mount)) if first == PROBE => {
            answer(path);
            true
        }
        _ => false,
    }
}

fn answer(path: OsString) {
    let line = serde_json::to_string(&look::at(Path::new(&path))).unwrap_or_default();
    // Nobody is left to be told when the reader is gone.
    let _ = writeln!(std::io::stdout(), "{line}");
}
