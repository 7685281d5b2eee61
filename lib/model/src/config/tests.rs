//! The configuration as a whole: what is taken, what is refused, and in which words.

mod documents;
mod oneway;
mod refusals;

use super::{Config, ConfigError, Os, Period, Share, Size, Source};
use crate::cloud::CloudId;

#[track_caller]
fn load(text: &str) -> Config {
    layers(&[text]).unwrap()
}

/// Loads texts as the files `0.toml`, `1.toml`, … in this order.
fn layers(texts: &[&str]) -> Result<Config, ConfigError> {
    let source = |(i, text): (usize, &&str)| Source {
        name: format!("{i}.toml").into(),
        text: (*text).to_owned(),
    };
    Config::load(&texts.iter().enumerate().map(source).collect::<Vec<_>>())
}

#[test]
fn without_a_file_everything_has_its_default() {
    let config = Config::load(&[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config, load(""));
    let here = config.for_host("anything", Os::Linux);
    assert_eq!(here.space.path.as_str(), "/space");
    assert!(here.flux.is_none() && here.time.is_none() && here.host.mounts);
    assert_eq!(here.ingest.exclude.len(), 5);
    let cloud = here.cloud(&CloudId::new("dropbox").unwrap(), "sam");
    assert!(cloud.enabled && cloud.path.is_none() && cloud.exclude == here.ingest.exclude);
    assert_eq!((cloud.guard, cloud.max_age), (here.ingest.guard, here.health.ingest_max_age));
}

#[test]
fn a_byte_order_mark_is_tolerated() {
    assert_eq!(load("\u{feff}[spool]\nattempts = 5\n"), Config::default());
    let error = layers(&["\u{feff}[spool]\nattempt = 5\n"]).unwrap_err();
    assert_eq!((error.line, error.column), (2, 1));
}

#[test]
fn later_scalars_and_lists_replace_and_tables_merge() {
    let config = layers(&[
        "[ingest]\nexclude = ['a', 'b']\nmin_free = '2%'\n[cloud.x]\npath = '~/x'\nexclude = ['c']",
        "[ingest]\nexclude = ['d']\n[cloud.x]\nenabled = false\n[cloud.y]",
        "ingest.guard.files = 7",
    ]);
    let here = config.unwrap().for_host("any", Os::Linux);
    assert_eq!(here.ingest.min_free.to_string(), "2%");
    assert_eq!((here.ingest.guard.files, here.ingest.guard.share), (7, Share::percent(25)));
    let x = &here.clouds[0];
    assert_eq!(x.path.as_ref().map(|path| path.as_str()), Some("~/x"));
    assert!(!x.enabled && here.clouds.len() == 2);
    let excludes: Vec<_> = x.exclude.iter().map(|e| e.as_str()).collect();
    assert_eq!(excludes, ["d", "c"]);
}

#[test]
fn a_host_is_found_whatever_the_case() {
    let config = load(
        "[host.Meadow]\nmounts = false\nusers = ['Sam']\n[cloud.icloud]\nhost = 'MEADOW'\nuser = 'SAM'",
    );
    let here = config.for_host("mEADOW", Os::Macos);
    assert!(!here.host.mounts);
    assert_eq!(here.clouds_of("sam").count(), 1);
    assert_eq!(here.clouds_of("kim").count(), 0);
    assert_eq!(config.for_host("anchor", Os::Macos).clouds.len(), 0);
    assert_eq!(config.hosts().collect::<Vec<_>>(), ["meadow"]);
}

#[test]
fn a_pillar_looks_different_from_every_host() {
    let text = "
[host.anchor]
[host.studio]
[pillar.space]
server = 'anchor.example'
share = 'space'
id = '018f4a52-7c1e-7d3a-9b1c-2f6e5d4c3b2a'
path.linux = '/mnt/space'
[pillar.space.on.anchor]
local = true
path = '/tank/space'
fs_type = ['ext4']
[pillar.flux.on.studio]
local = true
id = '018f4a52-7c1e-7d3a-9b1c-000000000000'
";
    let config = load(text);
    let anchor = config.for_host("anchor", Os::Linux).space;
    assert_eq!((anchor.path.as_str(), anchor.local), ("/tank/space", true));
    assert_eq!(
        (anchor.server, anchor.share, anchor.fs_type),
        (None, None, vec!["ext4".to_owned()])
    );
    let studio = config.for_host("studio", Os::Linux);
    assert_eq!(studio.space.path.as_str(), "/mnt/space");
    assert_eq!(studio.space.server.as_deref(), Some("anchor.example"));
    assert_eq!(studio.space.fs_type, ["cifs", "smb3", "smbfs"]);
    assert_eq!(studio.space.id, anchor.id);
    let flux = studio.flux.unwrap();
    assert_eq!((flux.path.as_str(), flux.local), ("/flux", true));
    assert!(flux.id.is_some() && flux.fs_type.is_empty());
    let elsewhere = |os| config.for_host("meadow", os).space.path;
    assert_eq!(elsewhere(Os::Macos).as_str(), "~/.mkt/space");
    assert_eq!(elsewhere(Os::Windows).as_str(), "S:");
}

#[test]
fn a_cloud_takes_from_the_fleet_what_it_leaves_open() {
    let config = load(
        "[ingest.guard]\nbytes = '10GB'\nfiles = 50\n[health]\ningest_max_age = '2d'\n[cloud.x.guard]\nshare = '50%'\nwindow = '1h'",
    );
    let here = config.for_host("any", Os::Linux);
    let cloud = here.cloud(&CloudId::new("x").unwrap(), "sam");
    assert_eq!(cloud.max_age, Period::days(2));
    assert_eq!((cloud.guard.files, cloud.guard.share), (50, Share::percent(50)));
    assert_eq!(cloud.guard.bytes, Some(Size::new(10_000_000_000)));
    assert_eq!(cloud.guard.window, Period::hours(1));
}
