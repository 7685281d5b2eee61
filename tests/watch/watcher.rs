//! A watch at work beside the test, and what it says as it says it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tests::events::Event;
use tests::programs::Running;
use tests::{Ended, Sandbox, programs, trees};

/// The cloud that the source is ingested as.
pub const CLOUD: &str = "docs";

const PATIENCE: Duration = Duration::from_secs(60);

/// A sandbox with a source and an adopted space.
pub struct Bench {
    pub sandbox: Sandbox,
}

impl Bench {
    pub fn new() -> Bench {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.path("source")).unwrap();
        sandbox.adopt();
        Bench { sandbox }
    }

    pub fn source(&self, path: &str) -> PathBuf {
        self.sandbox.path("source").join(path)
    }

    pub fn copy(&self, path: &str) -> PathBuf {
        self.sandbox.device().join(CLOUD).join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        self.sandbox.write(&format!("source/{path}"), text);
    }

    pub fn fill(&self, folder: &str, files: usize) {
        (0..files).for_each(|n| self.write(&format!("{folder}/{n}"), &format!("{folder} {n}")));
    }

    /// One run of the whole, beside or after a watch.
    pub fn run(&self) -> Ended {
        let run = self.sandbox.run("phc-ingest").args(["run", "--cloud", CLOUD, "--source"]);
        run.arg(self.source("")).arg("--space").arg(self.sandbox.space()).end()
    }

    /// Starts a watch and waits until it has looked at everything.
    pub fn watch(&self) -> Watcher {
        let mut watcher = self.start(&[]);
        watcher.wait_for("phc.ingest.run.finished");
        watcher
    }

    /// Starts a watch.
    pub fn start(&self, environment: &[(&str, &Path)]) -> Watcher {
        self.begin(
            &format!("--cloud {CLOUD} --source '{}'", self.source("").display()),
            environment,
        )
    }

    /// Starts a watch of all that is configured.
    pub fn start_configured(&self) -> Watcher {
        self.begin("", &[])
    }

    fn begin(&self, args: &str, environment: &[(&str, &Path)]) -> Watcher {
        let out = self.sandbox.path(&format!("said-{}", uuid()));
        let script = format!(
            "exec '{}' watch {args} --space '{}' > '{}'",
            programs::path("phc-ingest").display(),
            self.sandbox.space().display(),
            out.display()
        );
        let mut run = self.sandbox.any("/bin/sh".as_ref()).args(["-c", &script]);
        for (key, value) in environment {
            run = run.env(key, value);
        }
        Watcher { running: Some(run.spawn()), out, read: 0 }
    }

    #[track_caller]
    pub fn assert_same(&self) {
        trees::assert_copied(&self.source(""), &self.copy(""));
    }
}

fn uuid() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
}

/// A watch at work.
pub struct Watcher {
    running: Option<Running>,
    out: PathBuf,
    read: usize,
}

impl Watcher {
    /// The next event of this type; those before it are passed over.
    #[track_caller]
    pub fn wait_for(&mut self, kind: &str) -> Event {
        self.wait(kind, |event| event.kind == kind)
    }

    /// The next event of a file at this path.
    #[track_caller]
    pub fn wait_for_file(&mut self, path: &str) -> Event {
        self.wait(path, |event| {
            event.kind.starts_with("phc.ingest.file.") && event.text("path") == path
        })
    }

    /// The next event that is wanted; those before it are passed over.
    #[track_caller]
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        let begun = Instant::now();
        loop {
            while let Some(event) = self.next() {
                if wanted(&event) {
                    return event;
                }
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}: {}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Everything that was said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    #[track_caller]
    fn next(&mut self) -> Option<Event> {
        let said = self.said();
        let rest = &said[self.read..];
        let end = rest.find('\n')?;
        self.read += end + 1;
        Some(Event::valid(&rest[..end]))
    }

    pub fn signal(&self, signal: Signal) {
        self.running.as_ref().unwrap().signal(signal);
    }

    /// Ends it in order.
    #[track_caller]
    pub fn stop(mut self) -> Ended {
        self.signal(Signal::TERM);
        self.running.take().unwrap().end().with(143)
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        self.running.take().unwrap().end()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.signal(Signal::KILL);
            running.end();
        }
    }
}
