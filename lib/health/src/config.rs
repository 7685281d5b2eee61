//! Checking the configuration: every file by itself, then all of them together.

use model::config::{Config, ConfigError, Source};
use model::event::Payload;
use model::text::Text;
use serde::{Deserialize, Serialize};

/// `phc.health.config.checked`: the configuration was read and judged.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Checked {
    /// The files that were read, in order; without any, every option has its default.
    pub files: Vec<Text>,
    /// How many errors were reported.
    pub errors: u64,
}

impl Payload for Checked {
    const NOUN_VERB: &'static str = "config.checked";

    fn subject(&self) -> Option<String> {
        self.files.first().and_then(|file| file.as_str().map(str::to_owned))
    }
}

/// What is wrong: the first error of each file, or of all files together where each is right.
pub fn check(sources: &[Source]) -> Vec<ConfigError> {
    let one = |source: &Source| Config::load(std::slice::from_ref(source)).err();
    let alone: Vec<ConfigError> = sources.iter().filter_map(one).collect();
    // A drop-in may speak of a host that another file names: only together they are judged as a whole.
    match Config::load(sources) {
        Ok(_) => Vec::new(),
        Err(error) if alone.is_empty() => vec![error],
        Err(_) => alone,
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use model::config::Source;

    fn sources(texts: &[&str]) -> Vec<Source> {
        let name = |at: usize| format!("{at}.toml").into();
        texts
            .iter()
            .enumerate()
            .map(|(at, text)| Source { name: name(at), text: (*text).into() })
            .collect()
    }

    #[test]
    fn every_file_tells_what_is_wrong_with_it() {
        assert!(check(&[]).is_empty());
        let errors = check(&sources(&["[ingest]\nexlude = []", "", "[helth]"]));
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("0.toml:2: ") && told[1].starts_with("2.toml:1: "), "{told:?}");
    }

    #[test]
    fn a_drop_in_may_lean_on_the_main_file() {
        let main = "[host.anchor]\n";
        let drop_in = "[cloud.scans]\nhost = \"anchor\"\nuser = \"sam\"\npath = \"/srv/scans\"\nprovider = \"folder\"\n";
        assert!(check(&sources(&[main, drop_in])).is_empty());
        assert_eq!(check(&sources(&["", drop_in])).len(), 1);
    }
}
