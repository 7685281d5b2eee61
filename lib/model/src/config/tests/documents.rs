//! The example fleet and the manual know every option, and no other, with its true default.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{layers, load};
use crate::config::{Config, Os};

const EXAMPLE: &str = include_str!("../../../../../units/phc.toml");
const MANUAL: &str = include_str!("../../../../../man/phc.toml.5");

/// Every option by section, as the loader itself tells them: `cloud.NAME` and `path`.
fn options() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut sections = vec![String::new()];
    while let Some(section) = sections.pop() {
        let Some(keys) = keys_of(&section) else {
            // A section that knows no keys takes any name: one table each.
            sections.push(format!("{section}.name"));
            continue;
        };
        for key in keys {
            if holds_table(&section, &key) {
                sections.push(format!("{section}.{key}").trim_start_matches('.').to_owned());
            } else {
                found.insert((shown(&section), key));
            }
        }
    }
    found
}

/// The keys that a section knows, asked by one that it does not.
fn keys_of(section: &str) -> Option<Vec<String>> {
    let error = layers(&[&format!("{}'?' = 1", header(section))]).unwrap_err();
    error.what.starts_with("unknown key \"?\"").then_some(error.known)
}

fn holds_table(section: &str, key: &str) -> bool {
    let error = layers(&[&format!("{}{key} = '?'", header(section))]).err();
    error.is_some_and(|error| error.what.ends_with("expected a table"))
}

fn header(section: &str) -> String {
    if section.is_empty() { String::new() } else { format!("[{section}]\n") }
}

/// The section as the manual heads it: `pillar.space.on.anchor` is `pillar.NAME.on.HOST`.
fn shown(section: &str) -> String {
    let named = ["host.", "pillar.", "cloud."].iter().any(|kind| section.starts_with(kind));
    let words = section.split('.').enumerate().map(|(i, word)| match i {
        1 if named => "NAME",
        3 => "HOST",
        _ => word,
    });
    words.collect::<Vec<_>>().join(".")
}

/// The line without its `#`, where that is all that switches an option off.
fn switched_off(line: &str) -> Option<&str> {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// The example with every option switched on.
fn switched_on() -> String {
    let lines = EXAMPLE.lines().map(|line| switched_off(line).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The example's options that are switched off (or those that are on): section, key and value.
fn example(off: bool) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in EXAMPLE.lines() {
        if let Some(header) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = shown(header);
            continue;
        }
        let option =
            if off { switched_off(line) } else { Some(line).filter(|l| !l.starts_with('#')) };
        if let Some((key, value)) = option.and_then(|line| line.split_once(" = ")) {
            let value = value.trim_matches(['[', ']']).replace('"', "");
            found.push((section.clone(), key.to_owned(), value));
        }
    }
    found
}

#[test]
fn the_loader_tells_its_options() {
    let options = options();
    let has = |section: &str, key: &str| options.contains(&(section.to_owned(), key.to_owned()));
    assert!(has("host.NAME", "mounts") && has("pillar.NAME.on.HOST", "local"));
    assert!(has("cloud.NAME.guard", "share") && has("health", "free_warn"));
    assert!(!has("cloud.NAME", "guard") && options.len() > 40, "{}", options.len());
}

#[test]
fn the_example_fleet_loads_as_it_stands_and_with_every_option_on() {
    let config = load(EXAMPLE);
    load(&switched_on());
    assert_eq!(config.hosts().collect::<Vec<_>>(), ["anchor", "meadow", "studio"]);
    let studio = config.for_host("studio", Os::Linux);
    assert_eq!(studio.pillars().count(), 3);
    assert_eq!(studio.clouds_of("sam").count(), 2);
    assert!(config.for_host("anchor", Os::Linux).pillars().all(|pillar| pillar.local));
}

#[test]
fn the_example_explains_every_option() {
    let shown = example(true).into_iter().chain(example(false));
    assert_eq!(shown.map(|(section, key, _)| (section, key)).collect::<BTreeSet<_>>(), options());
    let commented =
        EXAMPLE.lines().scan("", |before, line| Some((std::mem::replace(before, line), line)));
    for (before, line) in commented.filter(|(_, line)| line.starts_with('[')) {
        assert!(!before.starts_with('['), "{line} stands without a word before it");
    }
}

#[test]
fn what_the_example_leaves_out_is_the_default() {
    let on = load(&switched_on()).for_host("any", Os::Linux);
    let usual = Config::default().for_host("any", Os::Linux);
    let (mut ingest, mut trash) = (on.ingest, on.trash);
    (ingest.guard.bytes, ingest.hydrate) = (None, None);
    (trash.keep_versions, trash.max_bytes) = (None, None);
    assert_eq!((ingest, trash), (usual.ingest, usual.trash));
    assert_eq!((on.spool, on.health), (usual.spool, usual.health));
    assert_eq!(on.space.path, usual.space.path);
}

/// The manual's entries: section, key and text.
fn entries() -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut found: Vec<(String, String, String)> = Vec::new();
    for line in MANUAL.lines() {
        if let Some(head) = line.strip_prefix(".Ss ") {
            section = head.trim_matches(['"', '[', ']', '\\', '&']).to_owned();
        } else if let Some(key) = line.strip_prefix(".It Cm ") {
            let key = key.split(' ').next().unwrap_or_default();
            found.push((section.clone(), key.to_owned(), String::new()));
        } else if let Some((_, _, text)) = found.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    found
}

#[test]
fn the_manual_explains_every_option() {
    let explained: BTreeSet<_> = entries().into_iter().map(|(s, key, _)| (s, key)).collect();
    assert_eq!(explained, options());
}

#[test]
fn the_manual_tells_the_true_defaults() {
    let entries = entries();
    for (section, key, value) in example(true) {
        let entry = entries.iter().find(|(s, k, _)| (s, k) == (&section, &key));
        let (_, _, text) = entry.unwrap();
        // What has no default of its own shows a mere example.
        let open = ["Default: none", "Default: as"].iter().any(|words| text.contains(words));
        let told = text.contains(&format!("Default: {value}.\n"));
        assert!(told || open || section == "cloud.NAME.guard", "{section} {key} {value}: {text}");
    }
}

#[test]
fn the_manuals_example_and_diagnoses_are_true() {
    let block =
        MANUAL.split(".Bd -literal -offset indent\n").nth(1).and_then(|b| b.split(".Ed").next());
    let example = block.unwrap();
    load(example);
    let mistakes = [
        ("on_gone", "exlude"),
        ("server = \"anchor\"", "server = \"0x7f.1\""),
        ("path = \"/srv/scans\"", "path = \"/srv\""),
    ];
    for (right, wrong) in mistakes {
        let error =
            layers(&[&example.replace(right, wrong)]).unwrap_err().what.replace('"', "\\(dq");
        let told = MANUAL.lines().filter_map(|line| line.strip_prefix(".It \"phc.toml:"));
        let mut told =
            told.filter_map(|line| Some(line.split_once(": ")?.1.split(';').next()?.to_owned()));
        assert!(told.any(|words| error.starts_with(&words)), "{error}");
    }
}

#[test]
fn an_option_that_lacks_a_letter_is_answered_by_its_name() {
    let long = options().into_iter().filter(|(_, key)| key.len() > 4);
    for (section, key) in long {
        let section = section.replace("pillar.NAME", "pillar.space").replace("NAME", "x");
        for i in 1..key.len() {
            let slip = format!("{}{}", &key[..i], &key[i + 1..]);
            let error = layers(&[&format!("{}{slip} = 1", header(&section))]).unwrap_err();
            assert_eq!(error.nearest.as_ref(), Some(&key), "{error}");
        }
    }
}

proptest! {
    #[test]
    fn a_damaged_example_is_refused_at_a_place_within_it(cut in 0..EXAMPLE.len(), text: String) {
        let on = switched_on();
        let cut = (0..=cut).rev().find(|at| on.is_char_boundary(*at)).unwrap_or(0);
        for damaged in [on[..cut].to_owned(), format!("{}{text}{}", &on[..cut], &on[cut..])] {
            if let Err(error) = layers(&[&damaged]) {
                prop_assert!((1..=damaged.lines().count() + 1).contains(&error.line), "{}", error);
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
            }
        }
    }
}
