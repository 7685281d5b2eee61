//! The state folder: what this machine remembers, outside the space.

use std::path::{Path, PathBuf};

use host::Dir;
use host::error::Attempt;
use host::lock::{self, Lock, Taken};
use model::cloud::CloudId;
use model::device::Device;
use model::problem::{Code, Problem};
use model::run::RunId;

/// Permission bits of folders in the state: nobody else's business.
pub const FOLDER_MODE: u32 = 0o700;
/// Permission bits of files in the state.
pub const FILE_MODE: u32 = 0o600;

/// The state folder of this machine's user, made on first use.
#[derive(Clone, Debug)]
pub struct State {
    root: PathBuf,
}

impl State {
    /// Opens the state folder, making it (mode 0700) when it is missing.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be made.
    pub fn open(root: &Path) -> Result<State, Problem> {
        let state = State { root: std::path::absolute(root).unwrap_or_else(|_| root.to_owned()) };
        make_private(&state.root)?;
        Ok(state)
    }

    /// Its path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `devices/<host>/<user>`, made when missing.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be made.
    pub fn of_device(&self, device: &Device) -> Result<PathBuf, Problem> {
        self.folder(self.root.join("devices").join(device.host()).join(device.user()))
    }

    /// `devices/<host>/<user>/ingest/<cloud>`: manifest, lock, plans of one cloud; made when missing.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be made.
    pub fn of_cloud(&self, device: &Device, cloud: &CloudId) -> Result<PathBuf, Problem> {
        self.folder(self.of_device(device)?.join("ingest").join(cloud.as_str()))
    }

    /// True if anything was ever kept of a cloud; nothing is made.
    pub fn knows_cloud(&self, device: &Device, cloud: &CloudId) -> bool {
        let device = self.root.join("devices").join(device.host()).join(device.user());
        device.join("ingest").join(cloud.as_str()).is_dir()
    }

    /// `devices/<host>/<user>/<job>`: what a job that is no cloud's keeps; made when missing.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be made.
    pub fn of_job(&self, device: &Device, job: &str) -> Result<PathBuf, Problem> {
        self.folder(self.of_device(device)?.join(job))
    }

    /// `devices/<host>/<user>/verify/<host>/<user>/<cloud>`: the book of what `by` reads of a cloud; made when missing.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be made.
    pub fn of_verify(&self, by: &Device, of: &Device, cloud: &CloudId) -> Result<PathBuf, Problem> {
        let verify = self.of_job(by, "verify")?;
        self.folder(verify.join(of.host()).join(of.user()).join(cloud.as_str()))
    }

    /// `devices/<host>/<user>/outbox`, made when missing.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be made.
    pub fn outbox(&self, device: &Device) -> Result<PathBuf, Problem> {
        self.folder(self.of_device(device)?.join("outbox"))
    }

    /// `consumers`: what each consumer of events finished; made when missing.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be made.
    pub fn consumers(&self) -> Result<PathBuf, Problem> {
        self.folder(self.root.join("consumers"))
    }

    fn folder(&self, path: PathBuf) -> Result<PathBuf, Problem> {
        make_private(&path)?;
        Ok(path)
    }
}

fn make_private(path: &Path) -> Result<(), Problem> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER_MODE);
    builder.create(path).attempt("make the state folder", path).map_err(unusable)
}

/// Opens a folder of the state.
///
/// # Errors
/// [`Code::StateUnusable`] when it can't be opened.
pub fn open_folder(path: &Path) -> Result<Dir, Problem> {
    Dir::open(path).map_err(unusable)
}

/// Takes the lock of a job, whose state lies in this folder.
///
/// # Errors
/// [`Code::Locked`] when another run has it, and says which.
pub fn lock(folder: &Path, job: &str, run: RunId) -> Result<Lock, Problem> {
    let who = format!("run {run} (process {})", std::process::id());
    match lock::take(&folder.join("lock"), &who).map_err(unusable)? {
        Taken::Held(lock) => Ok(lock),
        Taken::Busy(holder) => {
            let holder = holder.unwrap_or_else(|| "another run".to_owned());
            Err(Problem::new(Code::Locked, format!("{job} is at work already: {holder}")))
        }
    }
}

/// The problem that a failed call on the state is.
pub fn unusable(error: host::Error) -> Problem {
    let what = format!("can't {}: {}", error.attempt, error.source);
    Problem::new(Code::StateUnusable, what).at(error.path.as_path())
}
