//! A place to try `phc-mount` in: a folder, a state, and mounts that are gone afterwards.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

/// The program, as it was built with the tests.
pub fn phc_mount() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| tests::programs::path("phc-mount"))
}

/// What a call came to.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: Output) -> Ended {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The data of the first event.
    pub fn data(&self) -> Value {
        let line = self.stdout.lines().next().unwrap_or_default();
        let event: Value =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("no event: {e}: {self:?}"));
        event["data"].clone()
    }

    /// The types of all events.
    pub fn kinds(&self) -> Vec<String> {
        let event = |line| serde_json::from_str::<Value>(line).unwrap();
        let kind = |event: Value| event["type"].as_str().unwrap().to_owned();
        self.stdout.lines().map(event).map(kind).collect()
    }

    /// The state that a status of one directory found, and its exit code.
    pub fn state(&self) -> (String, i32) {
        (self.data()["state"].as_str().unwrap().to_owned(), self.code)
    }
}

/// A folder for one test.
pub struct Bench {
    root: tempfile::TempDir,
    mounted: Vec<PathBuf>,
}

impl Bench {
    pub fn new() -> Bench {
        Bench { root: tempfile::tempdir().unwrap(), mounted: Vec::new() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    /// A fresh folder.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(phc_mount());
        command.arg("--state").arg(self.state()).args(["--format", "json"]).args(arguments);
        command.env("HOME", self.root.path()).env_remove("PHC_CONFIG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    pub fn adopt(&self, flags: &[&str], dir: &Path) -> Ended {
        self.run(&[&["adopt"], flags, &[dir.to_str().unwrap()]].concat())
    }

    pub fn status(&self, dir: &Path) -> Ended {
        self.run(&["status", "--space", dir.to_str().unwrap()])
    }

    /// Mounts; `mount` needs root.
    pub fn mount(&mut self, arguments: &[&str], point: &Path) {
        sh("mount", &[arguments, &[point.to_str().unwrap()]].concat());
        self.mounted.push(point.to_owned());
    }

    pub fn tmpfs(&mut self, point: &Path) {
        self.mount(&["-t", "tmpfs", "-o", "size=4m", "tmpfs"], point);
    }

    pub fn unmount(&mut self, point: &Path) {
        sh("umount", &["-l", point.to_str().unwrap()]);
        let at = self.mounted.iter().rposition(|mounted| mounted == point).unwrap();
        self.mounted.remove(at);
    }

    /// A file system that something else mounted is unmounted at the end as well.
    pub fn leave(&mut self, point: &Path) {
        self.mounted.push(point.to_owned());
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for point in self.mounted.iter().rev() {
            let _ = Command::new("umount").arg("-l").arg(point).status();
        }
    }
}

/// Runs a program that must succeed.
pub fn sh(program: &str, arguments: &[&str]) {
    let ended = Ended::of(Command::new(program).args(arguments).output().unwrap());
    assert_eq!(ended.code, 0, "{program} {arguments:?}: {ended:?}");
}

/// Everything below a folder that a write would change: names, inodes, change times.
pub fn stamps(folder: &Path) -> Vec<(PathBuf, u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt;
    let mut stamps = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(path) = todo.pop() {
        let Ok(meta) = path.symlink_metadata() else { continue };
        stamps.push((path.clone(), meta.ino(), meta.ctime(), meta.ctime_nsec()));
        if meta.is_dir() {
            todo.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    stamps.sort();
    stamps
}
