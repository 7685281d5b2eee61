//! What was typed, as it is meant on this host.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use host::places::{self, Places};
use model::config::{Config, HostConfig, Os, Source};
use model::device::Device;
use model::problem::{Code, Problem};
use store::state::State;

use crate::args::{Common, Format};
use crate::configs;

/// What a program takes from its surroundings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Environment {
    /// The folders.
    pub places: Places,
    /// `$PHC_CONFIG`.
    pub config: Option<PathBuf>,
    /// `$PHC_HOST`, else the system's name for this host.
    pub host: Option<String>,
    /// `$PHC_USER`, else the system's name for this user.
    pub user: Option<String>,
    /// True if stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// True if stderr is a terminal.
    pub stderr_is_terminal: bool,
    /// True if output may have colours on a terminal (no-color.org).
    pub colour: bool,
}

impl Environment {
    /// This process's own.
    pub fn of_process() -> Environment {
        let variable = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty());
        let text = |key: &str| variable(key).and_then(|value| OsString::into_string(value).ok());
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        Environment {
            places: places::from_environment(),
            config: variable("PHC_CONFIG").map(PathBuf::from),
            host: text("PHC_HOST").or_else(host::identity::host),
            user: text("PHC_USER").or_else(host::identity::user),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            colour: variable("NO_COLOR").is_none() && !dumb,
        }
    }
}

/// How stdout speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speech {
    /// Words and tables.
    Words,
    /// Events, one JSON object a line.
    Json,
}

/// What was typed, as it is meant on this host.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// The device: flags before environment before system.
    pub device: Device,
    /// This host's part of the configuration.
    pub config: HostConfig,
    /// The configuration's files that were read, in order.
    pub config_files: Vec<PathBuf>,
    /// The directory that `--space` named; it wins over configuration and pin.
    pub space: Option<PathBuf>,
    /// The state folder's path; [`Settings::state`] opens it.
    pub state: PathBuf,
    /// The user's folders.
    pub places: Places,
    /// How stdout speaks.
    pub speech: Speech,
    /// How often `-v` was given.
    pub verbose: u8,
    /// True after `-q`.
    pub quiet: bool,
    /// True if progress may be drawn on stderr.
    pub progress: bool,
    /// True if words on stdout may have colours.
    pub colour: bool,
}

impl Settings {
    /// Looks at this process's environment and at the configuration.
    ///
    /// # Errors
    /// [`Code::Config`] for a configuration that can't be read or is wrong,
    /// [`Code::Usage`] when host or user can't name a folder; both exit 2.
    pub fn resolve(common: &Common) -> Result<Settings, Problem> {
        Settings::resolve_in(common, &Environment::of_process())
    }

    /// The same in surroundings that are given.
    ///
    /// # Errors
    /// As [`Settings::resolve`].
    pub fn resolve_in(common: &Common, around: &Environment) -> Result<Settings, Problem> {
        Settings::with(common, around, &Settings::sources(common, around)?)
    }

    /// The configuration's files, read and not yet judged: `--config`, `$PHC_CONFIG`, the user's or the system's.
    ///
    /// # Errors
    /// [`Code::Config`] for one that can't be read.
    pub fn sources(common: &Common, around: &Environment) -> Result<Vec<Source>, Problem> {
        let named = common.config.as_deref().or(around.config.as_deref());
        configs::read(named, &around.places.configs)
    }

    /// The settings under a configuration that was read.
    ///
    /// # Errors
    /// As [`Settings::resolve`].
    pub fn with(
        common: &Common,
        around: &Environment,
        sources: &[Source],
    ) -> Result<Settings, Problem> {
        let device = device(common, around)?;
        let config = Config::load(sources)?.for_host(device.host(), Os::HERE);
        let speech = speech(common.format, around.stdout_is_terminal);
        Ok(Settings {
            device,
            config,
            config_files: sources.iter().map(|source| source.name.clone()).collect(),
            space: common.space.clone(),
            state: common.state.clone().unwrap_or_else(|| around.places.state.clone()),
            places: around.places.clone(),
            speech,
            verbose: common.verbose,
            quiet: common.quiet,
            progress: around.stderr_is_terminal && !common.quiet,
            colour: around.colour && around.stdout_is_terminal,
        })
    }

    /// Opens the state folder, making it on first use.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] when it can't be made.
    pub fn state(&self) -> Result<State, Problem> {
        State::open(&self.state)
    }
}

fn device(common: &Common, around: &Environment) -> Result<Device, Problem> {
    let host = common.host.as_ref().or(around.host.as_ref()).ok_or_else(|| nameless("host"))?;
    let user = common.user.as_ref().or(around.user.as_ref()).ok_or_else(|| nameless("user"))?;
    Device::new(host, user).map_err(|e| {
        Problem::new(Code::Usage, e.to_string()).hint("give another with --host or --user")
    })
}

fn nameless(what: &str) -> Problem {
    let problem = Problem::new(Code::Usage, format!("the system does not tell this {what}'s name"));
    problem.hint(format!("give it with --{what}"))
}

fn speech(format: Format, terminal: bool) -> Speech {
    match format {
        Format::Human => Speech::Words,
        Format::Json => Speech::Json,
        Format::Auto if terminal => Speech::Words,
        Format::Auto => Speech::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::{Common, Environment, Settings, Speech};
    use host::places::Places;
    use model::problem::Code;
    use std::path::Path;

    fn around(home: &Path) -> Environment {
        Environment {
            places: Places {
                home: home.to_owned(),
                state: home.join("state"),
                configs: vec![home.join("phc.toml")],
                data: home.join("data"),
            },
            config: None,
            host: Some("Armitage".into()),
            user: Some("Miket".into()),
            stdout_is_terminal: false,
            stderr_is_terminal: true,
            colour: true,
        }
    }

    #[test]
    fn flags_go_before_the_environment_and_names_are_lower_case() {
        let home = tempfile::tempdir().unwrap();
        let around = around(home.path());
        let settings = Settings::resolve_in(&Common::default(), &around).unwrap();
        assert_eq!(settings.device.to_string(), "armitage/miket");
        assert_eq!((settings.speech, settings.colour), (Speech::Json, false));
        assert_eq!(settings.state, home.path().join("state"));
        assert!(!settings.state.exists(), "only looking made the state folder");

        let common = Common {
            host: Some("COUNT-ZERO".into()),
            state: Some("/elsewhere".into()),
            quiet: true,
            ..Common::default()
        };
        let settings = Settings::resolve_in(&common, &around).unwrap();
        assert_eq!(settings.device.to_string(), "count-zero/miket");
        assert_eq!(settings.state, Path::new("/elsewhere"));
        assert!(!settings.progress);
    }

    #[test]
    fn the_configuration_is_found_and_what_is_wrong_in_it_is_a_usage_error() {
        let home = tempfile::tempdir().unwrap();
        let around = around(home.path());
        let file = home.path().join("phc.toml");
        std::fs::write(&file, "[ingest]\nexclude = [\"only-this\"]\n").unwrap();
        let settings = Settings::resolve_in(&Common::default(), &around).unwrap();
        assert_eq!(settings.config.ingest.exclude.len(), 1);
        assert_eq!(settings.config_files, std::slice::from_ref(&file));

        std::fs::write(&file, "[ingest]\nexlude = []\n").unwrap();
        let problem = Settings::resolve_in(&Common::default(), &around).unwrap_err();
        assert_eq!((problem.code, problem.exit().code()), (Code::Config, 2));
        assert!(problem.to_string().contains("phc.toml:2"), "{problem}");
    }

    #[test]
    fn a_name_that_can_not_be_a_folder_is_refused() {
        let home = tempfile::tempdir().unwrap();
        for (host, user) in [("a/b", "u"), ("h", "_spool"), ("", "u")] {
            let common =
                Common { host: Some(host.into()), user: Some(user.into()), ..Common::default() };
            let problem = Settings::resolve_in(&common, &around(home.path())).unwrap_err();
            assert_eq!(problem.code, Code::Usage, "{host}/{user}");
        }
    }
}
