//! Discovery over miniature homes: each case is one file that says what lies there and what is found.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test program: a broken setup is a failure"
)]

mod case;

use std::path::Path;

use ingest::discover::{CloudFound, Facts, discover};

use case::{Case, Found, Rooted};

fn found(case: &Case) -> Vec<Found> {
    let rooted = Rooted::build(case);
    let facts = Facts {
        os: case.os,
        home: case.home.clone(),
        settings: case.settings.clone().unwrap_or_else(|| case.home.join(".config")),
        local_settings: case.local_settings.clone().unwrap_or_default(),
        mounts: host::mounts::parse(case.mounts.as_bytes()),
        registry: case.registry.facts(),
        view: &rooted,
    };
    let config = case.config();
    discover(&facts, &config, &case.user).iter().map(Found::of).collect()
}

#[test]
fn every_case_finds_what_it_says() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("discover/cases");
    let mut paths: Vec<_> =
        std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "where are the cases?");
    for path in paths {
        let case = Case::read(&path);
        assert_eq!(found(&case), case.found, "{}", path.display());
    }
}

#[test]
fn twins_have_the_same_ids_whichever_is_found_first_and_from_whatever_home() {
    let text = |first: &str, second: &str, home: &str| {
        format!(
            "os = 'macos'\nhome = '{home}'\nfolders = ['{home}/Library/CloudStorage/{first}', '{home}/Library/CloudStorage/{second}']\nfound = []\n"
        )
    };
    let ids = |text: String| -> Vec<String> {
        found(&Case::parse(&text)).into_iter().filter_map(|found| found.cloud).collect()
    };
    let (a, b) = ("OneDrive-Contoso Ltd", "OneDrive-Contoso.Ltd");
    let (c, d) = ("OneDrive-Tyrell Inc", "OneDrive-Tyrell  Inc");
    let mut one = ids(text(c, d, "/Users/sam"));
    let other = ids(text(d, c, "/Users/kim"));
    assert_eq!(one, other);
    one.dedup();
    assert_eq!(one.len(), 2, "each has its own: {one:?}");
    assert!(one.iter().all(|id| id.starts_with("onedrive-tyrell-inc-")), "{one:?}");
    assert_eq!(ids(text(a, b, "/Users/sam")), ["onedrive-contoso-ltd", "onedrive-contoso.ltd"]);
}

#[test]
fn what_is_found_is_an_event_with_all_its_fields() {
    let case = Case::parse(
        "os = 'linux'\nhome = '/home/sam'\nfolders = ['/home/sam/Dropbox']\nfound = []\n",
    );
    let rooted = Rooted::build(&case);
    let facts = Facts {
        os: case.os,
        home: case.home.clone(),
        settings: case.home.join(".config"),
        local_settings: Default::default(),
        mounts: Vec::new(),
        registry: Default::default(),
        view: &rooted,
    };
    let found = discover(&facts, &case.config(), "sam");
    let json = serde_json::to_value(&found[0]).unwrap();
    assert_eq!(json["cloud"], "dropbox");
    assert_eq!(json["problem"], serde_json::Value::Null);
    let again: CloudFound = serde_json::from_value(json).unwrap();
    assert_eq!(again, found[0]);
}
