//! Where the toolkit's own files lie on this machine.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folders that the environment names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    /// The user's home.
    pub home: PathBuf,
    /// State: manifests, outbox, pins.
    pub state: PathBuf,
    /// Configuration files to look for, the user's before the system's.
    pub configs: Vec<PathBuf>,
    /// Data of the user's, where quickstart puts its space.
    pub data: PathBuf,
}

/// Reads the folders from this process's environment.
pub fn from_environment() -> Places {
    places(&|key| std::env::var_os(key).filter(|value| !value.is_empty()))
}

/// The folders that an environment names (XDG Base Directory Specification on Linux).
pub fn places(env: &dyn Fn(&str) -> Option<OsString>) -> Places {
    let home =
        PathBuf::from(env("HOME").or_else(|| env("USERPROFILE")).unwrap_or_else(|| "/".into()));
    let path = |key: &str| env(key).map(PathBuf::from);
    let platform = platform_places(&home, &path);
    // systemd's StateDirectory= may name several folders, colon-separated; the first is ours.
    let unit = env("STATE_DIRECTORY").and_then(|dirs| std::env::split_paths(&dirs).next());
    let state = path("PHC_STATE_DIR").or(unit).unwrap_or(platform.state);
    Places { home, state, ..platform }
}

#[cfg(not(any(target_os = "macos", windows)))]
fn platform_places(home: &std::path::Path, path: &dyn Fn(&str) -> Option<PathBuf>) -> Places {
    let or = |key: &str, below: &str| path(key).unwrap_or_else(|| home.join(below)).join("phc");
    let user = or("XDG_CONFIG_HOME", ".config").join("phc.toml");
    Places {
        home: home.to_owned(),
        state: or("XDG_STATE_HOME", ".local/state"),
        configs: vec![user, PathBuf::from("/etc/phc/phc.toml")],
        data: or("XDG_DATA_HOME", ".local/share"),
    }
}

#[cfg(target_os = "macos")]
fn platform_places(home: &std::path::Path, _path: &dyn Fn(&str) -> Option<PathBuf>) -> Places {
    let support = home.join("Library/Application Support/phc");
    let system = PathBuf::from("/Library/Application Support/phc/phc.toml");
    Places {
        home: home.to_owned(),
        state: support.clone(),
        configs: vec![support.join("phc.toml"), system],
        data: support,
    }
}

#[cfg(windows)]
fn platform_places(home: &std::path::Path, path: &dyn Fn(&str) -> Option<PathBuf>) -> Places {
    let local = path("LOCALAPPDATA").unwrap_or_else(|| home.join("AppData/Local")).join("phc");
    let system = path("PROGRAMDATA").map(|dir| dir.join("phc").join("phc.toml"));
    Places {
        home: home.to_owned(),
        state: local.clone(),
        configs: std::iter::once(local.join("phc.toml")).chain(system).collect(),
        data: local,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::places;
    use std::path::Path;

    #[test]
    fn the_environment_decides_before_the_defaults() {
        let env = |key: &str| match key {
            "HOME" => Some("/home/u".into()),
            "STATE_DIRECTORY" => Some("/var/lib/phc:/var/lib/other".into()),
            _ => None,
        };
        assert_eq!(places(&env).state, Path::new("/var/lib/phc"));
        let bare = |key: &str| (key == "HOME").then(|| "/home/u".into());
        assert_eq!(places(&bare).state, Path::new("/home/u/.local/state/phc"));
        assert_eq!(places(&bare).configs[0], Path::new("/home/u/.config/phc/phc.toml"));
    }
}
