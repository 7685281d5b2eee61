//! A machine of its own for each test: home, state, space and a cleared environment.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::programs::{self, Ended, Run};

/// The host's name in a sandbox.
pub const HOST: &str = "bench";
/// The user's name in a sandbox.
pub const USER: &str = "sam";

/// Folders that are nobody else's and are gone with it.
#[derive(Debug)]
pub struct Sandbox {
    root: TempDir,
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox::new()
    }
}

impl Sandbox {
    /// A sandbox below `$TMPDIR`, else in memory where that is possible, with an empty home
    /// and an empty folder for a space.
    pub fn new() -> Sandbox {
        let memory = Path::new("/dev/shm");
        let fast = std::env::var_os("TMPDIR").is_none() && memory.is_dir();
        let parent = if fast { memory.to_owned() } else { std::env::temp_dir() };
        Sandbox::on(&parent)
    }

    /// A sandbox below this folder; for tests that care for the file system.
    pub fn on(parent: &Path) -> Sandbox {
        let root = tempfile::Builder::new().prefix("phc-test-").tempdir_in(parent);
        let sandbox = Sandbox { root: root.expect("a folder for the test") };
        for folder in [sandbox.home(), sandbox.space()] {
            std::fs::create_dir_all(folder).expect("a folder for the test");
        }
        sandbox
    }

    /// A path in the sandbox.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The state folder.
    pub fn state(&self) -> PathBuf {
        self.path("home/.local/state/phc")
    }

    /// The user's configuration, whether it is there or not.
    pub fn config(&self) -> PathBuf {
        self.path("home/.config/phc/phc.toml")
    }

    /// The folder that becomes the space once it is adopted.
    pub fn space(&self) -> PathBuf {
        self.path("space")
    }

    /// The device's folder in the space.
    pub fn device(&self) -> PathBuf {
        self.space().join("devices").join(HOST).join(USER)
    }

    /// Writes a file below the sandbox, with the folders above it, and says where it is.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the sandbox")).expect("a folder");
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// Writes the user's configuration.
    pub fn configure(&self, text: &str) {
        self.write("home/.config/phc/phc.toml", text);
    }

    /// A program of the toolkit, about to run here.
    pub fn run(&self, program: &str) -> Run {
        self.any(&programs::path(program))
    }

    /// Any program, about to run here.
    pub fn any(&self, program: &Path) -> Run {
        Run::new(program)
            .env("HOME", self.home())
            .env("TMPDIR", self.root.path())
            .env("PHC_HOST", HOST)
            .env("PHC_USER", USER)
            .folder(self.root.path())
    }

    /// A line of shell with the toolkit's programs at hand, run to its end.
    ///
    /// What was typed by a person is run as a script types it: in the sandbox's home, without a terminal.
    pub fn shell(&self, line: &str) -> Ended {
        let own = programs::folder();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(own).chain(std::env::split_paths(&path));
        let path = std::env::join_paths(path).expect("folders without colons");
        let run = self.any(Path::new("/bin/sh")).args(["-c", line]).env("PATH", path);
        run.folder(&self.home()).end()
    }

    /// Makes the space a space of this sandbox's user.
    #[track_caller]
    pub fn adopt(&self) -> Ended {
        self.run("phc-mount").args(["adopt", "--local"]).arg(self.space()).end().ok()
    }

    /// The device's status as it stands in the space.
    ///
    /// # Panics
    /// When there is none, or it is no JSON.
    #[track_caller]
    pub fn status(&self) -> Value {
        let path = self.device().join("_status.json");
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_slice(&text).expect("a status is JSON")
    }
}
