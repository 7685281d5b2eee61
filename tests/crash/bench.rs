//! A place to hurt `phc-ingest` in: a source, an adopted space, and the memory of both.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use tests::{Ended, Event, Run, Running, Sandbox};

use crate::law;
use crate::versions::{History, Tree};

/// The cloud that all of it is about.
pub const CLOUD: &str = "cloud";

/// Longer than the stamps of a local file system are racy (a kernel tick is at most 10 ms).
const SETTLED: Duration = Duration::from_millis(25);

/// A source, a space, and what the source ever held.
pub struct Bench {
    pub sandbox: Sandbox,
    pub history: History,
    /// True where the policy is to move copies of what left the source to the trash.
    pub on_gone_trash: bool,
}

impl Bench {
    /// A bench with an empty source and an adopted space.
    pub fn new() -> Bench {
        let bench = Bench::bare(Sandbox::new());
        bench.sandbox.adopt();
        bench
    }

    /// A bench whose space is not adopted yet.
    pub fn bare(sandbox: Sandbox) -> Bench {
        std::fs::create_dir_all(sandbox.path("source")).unwrap();
        Bench { sandbox, history: History::default(), on_gone_trash: false }
    }

    /// The same, with the policy to move copies of what left the source to the trash.
    pub fn that_trashes(mut self) -> Bench {
        self.sandbox.configure(&format!("[cloud.{CLOUD}]\non_gone = \"trash\"\n"));
        self.on_gone_trash = true;
        self
    }

    pub fn source(&self) -> PathBuf {
        self.sandbox.path("source")
    }

    pub fn copy(&self) -> PathBuf {
        self.sandbox.device().join(CLOUD)
    }

    /// The cloud's folder in the state.
    pub fn kept(&self) -> PathBuf {
        let device = Path::new("devices").join(tests::sandbox::HOST).join(tests::sandbox::USER);
        self.sandbox.state().join(device).join("ingest").join(CLOUD)
    }

    /// Removes the manifest with its log.
    pub fn lose_manifest(&self) {
        for name in ["manifest.sqlite", "manifest.sqlite-wal", "manifest.sqlite-shm"] {
            let _ = std::fs::remove_file(self.kept().join(name));
        }
    }

    /// A run, about to begin.
    pub fn ingest(&self) -> Run {
        self.command("run").args(["--cloud", CLOUD, "--source"]).arg(self.source())
    }

    /// A run, about to begin, that works in batches of a few files: while one is completed the
    /// next is prepared, and a kill may meet both.
    pub fn ingest_in_batches(&self) -> Run {
        self.ingest().env("PHC_BATCH_FILES", "4")
    }

    /// Files that take a run long enough to be met in the midst of it.
    pub fn write_much(&self) {
        for n in 0_u8..6 {
            self.write(format!("much-{n}"), vec![n + 1; 24 << 20]);
        }
        (0..100).for_each(|n| self.write(format!("little/{n}"), format!("{n}")));
    }

    /// Starts a run and stops it (SIGSTOP) while it copies.
    pub fn caught(&self, run: Run) -> Running {
        let mut running = run.spawn();
        let is_copying = || {
            let entries = std::fs::read_dir(self.copy()).into_iter().flatten().flatten();
            entries.into_iter().any(|entry| law::is_temporary(Path::new(&entry.file_name())))
        };
        while !is_copying() {
            assert!(!running.has_ended(), "it ended before it could be met: {:?}", running.end());
            std::thread::yield_now();
        }
        running.signal(Signal::STOP);
        running
    }

    /// A command of phc-ingest, about to begin.
    pub fn command(&self, command: &str) -> Run {
        let space = self.sandbox.space();
        self.sandbox.run("phc-ingest").arg("--space").arg(space).args(["--quiet", command])
    }

    /// Writes a file of the source.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.source().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Gives a file of the source a modification time in the past, with nanoseconds.
    pub fn age(&self, path: impl AsRef<Path>, seconds: u64) {
        let file = std::fs::File::open(self.source().join(path)).unwrap();
        let time = SystemTime::now() - Duration::from_secs(seconds) + Duration::from_nanos(123);
        file.set_modified(time).unwrap();
    }

    /// Looks at the source once its stamps can be trusted, and remembers what it holds.
    pub fn look(&mut self) -> Tree {
        std::thread::sleep(SETTLED);
        let source = Tree::of(&self.source());
        self.history.saw(&source);
        source
    }

    /// A run that ends whole, of a source that nobody changes meanwhile.
    #[track_caller]
    pub fn finish(&mut self) -> Ended {
        let source = self.look();
        let ended = self.ingest().end().ok();
        let outcome = finished(&ended);
        assert_eq!(outcome.text("outcome"), "done", "{}", ended.stdout);
        self.history.stored(&source);
        ended
    }
}

/// The event that a run ended with.
#[track_caller]
pub fn finished(ended: &Ended) -> Event {
    let event = ended.event("phc.ingest.run.finished");
    assert!(ended.stdout.trim_end().lines().last().unwrap().contains(&event.id));
    event
}

/// The code of the problem that ended a run, or an empty text.
pub fn why(ended: &Ended) -> String {
    let finished = finished(ended);
    finished.data.pointer("/problem/code").and_then(|c| c.as_str()).unwrap_or_default().to_owned()
}
