//! A case: a miniature home, and what discovery finds in it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ingest::discover::{CloudFound, OneDriveAccount, Registry, System, ToldBy, View};
use model::config::{Config, HostConfig, Os, Source};
use serde::Deserialize;

/// One file of `cases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub os: Os,
    pub home: PathBuf,
    #[serde(default = "sam")]
    pub user: String,
    pub settings: Option<PathBuf>,
    pub local_settings: Option<PathBuf>,
    /// Folders that are there.
    #[serde(default)]
    folders: Vec<PathBuf>,
    /// Files with their text.
    #[serde(default)]
    files: BTreeMap<PathBuf, String>,
    /// Links with their targets.
    #[serde(default)]
    links: BTreeMap<PathBuf, PathBuf>,
    /// What may not be listed or read, as under macOS's privacy rules.
    #[serde(default)]
    forbidden: Vec<PathBuf>,
    /// The text of /proc/self/mountinfo.
    #[serde(default)]
    pub mounts: String,
    #[serde(default)]
    pub registry: Keys,
    /// The text of phc.toml.
    #[serde(default)]
    config: String,
    pub found: Vec<Found>,
}

fn sam() -> String {
    "sam".to_owned()
}

/// The registry's part.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    onedrive: Vec<OneDrive>,
    google_drive: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneDrive {
    key: String,
    folder: String,
    name: Option<String>,
}

impl Keys {
    pub fn facts(&self) -> Registry {
        let account = |one: &OneDrive| OneDriveAccount {
            key: one.key.clone(),
            folder: one.folder.clone(),
            name: one.name.clone(),
        };
        let onedrive = self.onedrive.iter().map(account).collect();
        Registry { onedrive, google_drive: self.google_drive.clone() }
    }
}

/// What is found, as far as cases compare it.
#[derive(PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    pub cloud: Option<String>,
    path: Option<String>,
    by: String,
    #[serde(default = "yes")]
    taken: bool,
    problem: Option<String>,
    #[serde(default)]
    note: String,
}

fn yes() -> bool {
    true
}

impl Found {
    pub fn of(found: &CloudFound) -> Found {
        let by = match found.told_by {
            ToldBy::Configuration => "configuration",
            ToldBy::Client => "client",
            ToldBy::Folder => "folder",
            ToldBy::Mount => "mount",
        };
        Found {
            cloud: found.cloud.as_ref().map(ToString::to_string),
            path: found.path.as_ref().map(ToString::to_string),
            by: by.to_owned(),
            taken: found.taken,
            problem: found.problem.as_ref().map(|problem| problem.code.name().to_owned()),
            note: found.note.clone(),
        }
    }
}

impl Case {
    pub fn read(path: &Path) -> Case {
        let text = std::fs::read_to_string(path).unwrap();
        toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub fn parse(text: &str) -> Case {
        toml::from_str(text).unwrap()
    }

    pub fn config(&self) -> HostConfig {
        let source = Source { name: "phc.toml".into(), text: self.config.clone() };
        Config::load(&[source]).unwrap().for_host("wintermute", self.os)
    }
}

/// The miniature root, made of real folders, files and links.
pub struct Rooted {
    root: tempfile::TempDir,
    forbidden: Vec<PathBuf>,
}

impl Rooted {
    pub fn build(case: &Case) -> Rooted {
        let rooted =
            Rooted { root: tempfile::tempdir().unwrap(), forbidden: case.forbidden.clone() };
        for folder in case.folders.iter().chain([&case.home]) {
            std::fs::create_dir_all(rooted.real(folder)).unwrap();
        }
        for (file, text) in &case.files {
            std::fs::create_dir_all(rooted.real(file).parent().unwrap()).unwrap();
            std::fs::write(rooted.real(file), text).unwrap();
        }
        for (link, target) in &case.links {
            std::fs::create_dir_all(rooted.real(link).parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(target, rooted.real(link)).unwrap();
        }
        rooted
    }

    /// `/home/sam` and `C:/Users/sam` below the miniature root.
    fn real(&self, path: &Path) -> PathBuf {
        let inner = path.to_str().unwrap().replace(':', "");
        self.root.path().join(inner.trim_start_matches('/'))
    }

    fn allowed(&self, path: &Path) -> io::Result<PathBuf> {
        if self.forbidden.iter().any(|forbidden| path.starts_with(forbidden)) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(self.real(path))
    }
}

impl View for Rooted {
    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        System.names(&self.allowed(folder)?)
    }

    fn text(&self, file: &Path) -> io::Result<String> {
        System.text(&self.allowed(file)?)
    }

    fn target(&self, path: &Path) -> Option<PathBuf> {
        System.target(&self.real(path))
    }
}
