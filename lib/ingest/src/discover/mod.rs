//! Discovery: which cloud roots this user has on this machine.
//!
//! Each provider's client tells its folders in its own way; one file here knows one of
//! them and gives `Candidate`s. `settle` looks which of them are there, takes each
//! folder once and gives each account its id. All of it is plain logic over [`Facts`],
//! so the layouts of all three systems are tested on any of them.

mod dropbox;
mod found;
mod ini;
mod linux;
mod macos;
mod nextcloud;
mod settle;
mod view;
mod windows;

use std::path::PathBuf;

use host::mounts::{self, Mount};
use model::config::{HostConfig, Os};

pub use found::{CloudFound, ToldBy};
pub use view::{System, View};
pub use windows::{OneDriveAccount, Registry};

/// What discovery is told about a user's home.
pub struct Facts<'a> {
    /// The operating system whose layout is searched.
    pub os: Os,
    /// The user's home; on Windows with forward slashes.
    pub home: PathBuf,
    /// Where programs keep their settings: `$XDG_CONFIG_HOME`, `%APPDATA%`; macOS has its own places.
    pub settings: PathBuf,
    /// `%LOCALAPPDATA%` on Windows.
    pub local_settings: PathBuf,
    /// The mount table; empty where there is none.
    pub mounts: Vec<Mount>,
    /// The Windows registry's part in this.
    pub registry: Registry,
    /// The files themselves.
    pub view: &'a dyn View,
}

/// A folder that may be a cloud's root.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Candidate {
    /// `onedrive`, `gdrive`, `dropbox`, …: the first word of the id.
    provider: String,
    /// The account as its client names it; empty where there is only one.
    account: String,
    path: PathBuf,
    told_by: ToldBy,
}

impl Candidate {
    fn new(provider: &str, account: &str, path: PathBuf, told_by: ToldBy) -> Candidate {
        Candidate { provider: provider.to_owned(), account: account.to_owned(), path, told_by }
    }
}

/// What a search gives: candidates, and what may not be looked at.
#[derive(Default, Debug)]
struct Search {
    candidates: Vec<Candidate>,
    forbidden: Vec<PathBuf>,
}

impl Search {
    fn add(&mut self, candidate: Candidate) {
        self.candidates.push(candidate);
    }

    /// The names in a folder; none if it is not there, and a refusal is kept.
    fn names(&mut self, facts: &Facts<'_>, folder: &std::path::Path) -> Vec<String> {
        match facts.view.names(folder) {
            Ok(mut names) => {
                names.sort();
                names
            }
            Err(e) => {
                if e.kind() == std::io::ErrorKind::PermissionDenied {
                    self.forbidden.push(folder.to_owned());
                }
                Vec::new()
            }
        }
    }
}

/// Finds the cloud roots that this process's user has, and what the configuration names.
pub fn run(config: &HostConfig, user: &str) -> Vec<CloudFound> {
    let places = host::places::from_environment();
    let env = |key: &str| std::env::var_os(key).filter(|v| !v.is_empty()).map(PathBuf::from);
    let (settings, local_settings) = match Os::HERE {
        Os::Windows => (env("APPDATA"), env("LOCALAPPDATA")),
        _ => (env("XDG_CONFIG_HOME"), None),
    };
    let facts = Facts {
        os: Os::HERE,
        settings: slashed(settings.unwrap_or_else(|| places.home.join(".config"))),
        local_settings: slashed(local_settings.unwrap_or_default()),
        home: slashed(places.home),
        mounts: mounts::table().unwrap_or_default(),
        registry: windows::registry(),
        view: &System,
    };
    discover(&facts, config, user)
}

/// The path with forward slashes on Windows, where both kinds mean the same.
fn slashed(path: PathBuf) -> PathBuf {
    if Os::HERE == Os::Windows { windows::slashed(&path.to_string_lossy()) } else { path }
}

/// Finds the cloud roots that the facts tell of, sorted by id.
pub fn discover(facts: &Facts<'_>, config: &HostConfig, user: &str) -> Vec<CloudFound> {
    let search = match facts.os {
        Os::Linux => linux::search(facts),
        Os::Macos => macos::search(facts),
        Os::Windows => windows::search(facts),
    };
    settle::settle(facts, config, user, search)
}
