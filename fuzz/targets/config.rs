//! The configuration: whatever a file holds, it is understood or refused in words, and the
//! same text always means the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::config::{Config, Os, Source};

fuzz_target!(|text: &str| {
    // Two files, so that merging is reached as well.
    let (one, two) = text.split_once("\n# ---\n").unwrap_or((text, ""));
    let sources = [source("phc.toml", one), source("phc.d/two.toml", two)];
    match Config::load(&sources) {
        Ok(config) => {
            let again = Config::load(&sources).expect("what was understood once");
            for host in config.hosts().chain(["other"]) {
                for os in [Os::Linux, Os::Macos, Os::Windows] {
                    let (once, twice) = (config.for_host(host, os), again.for_host(host, os));
                    assert_eq!(format!("{once:?}"), format!("{twice:?}"));
                }
            }
        }
        Err(e) => assert!(!e.to_string().is_empty()),
    }
});

fn source(name: &str, text: &str) -> Source {
    Source { name: name.into(), text: text.to_owned() }
}
