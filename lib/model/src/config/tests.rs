//! The configuration as a whole: what is taken, what is refused, and in which words.

mod refusals;

use super::{Config, Os, Source};

fn load(text: &str) -> Config {
    layers(&[text]).unwrap()
}

fn layers(texts: &[&str]) -> Result<Config, super::ConfigError> {
    let sources: Vec<Source> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| Source { name: format!("{i}.toml").into(), text: (*text).to_owned() })
        .collect();
    Config::load(&sources)
}

#[test]
fn without_a_file_everything_has_its_default() {
    let config = Config::load(&[]).unwrap();
    assert_eq!(config, Config::default());
    let here = config.for_host("anything", Os::Linux);
    assert_eq!(here.space.path.as_str(), "/space");
    assert!(here.flux.is_none() && here.time.is_none() && here.host.mounts);
    assert_eq!(here.ingest.exclude.len(), 5);
    assert_eq!(here.spool.attempts.get(), 5);
}
