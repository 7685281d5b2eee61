//! Laws about documents: what they name is there, and what must be told is told.

use crate::tree::{Tree, nothing_in, only};

/// Documents without which the project is not whole.
const EXPECTED: [&str; 5] =
    ["README.md", "lib/README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Folders by which a word in a document is known to be a path of the project.
const FOLDERS: [&str; 8] =
    ["lib/", "bins/", "scripts/", "tests/", "units/", "man/", "schemas/", ".ci/"];

/// Expected documents that are missing.
fn missing(tree: &Tree) -> Vec<String> {
    let absent = EXPECTED.iter().filter(|path| !tree.has(path));
    absent.map(|path| format!("{path}: is not there")).collect()
}

/// Paths that a Markdown document names and that are not there.
fn dead_paths(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, file) in tree.files.iter().filter(|(path, _)| path.ends_with(".md")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let quoted = quoted(&file.text).filter(|word| FOLDERS.iter().any(|f| word.starts_with(f)));
        let linked = linked(&file.text).map(|link| below(folder, link));
        for word in quoted.map(str::to_owned).chain(linked) {
            if !tree.has(&word) {
                findings.push(format!("{path}: names {word}, which is not there"));
            }
        }
    }
    findings
}

/// Words between backticks; a pattern such as `bins/phc-*` is cut before it.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let words = spans.filter_map(|span| span.split_whitespace().next());
    words.map(|word| match word.find(['*', '<', '{', '$', '[', '…']) {
        Some(place) => &word[..word[..place].rfind('/').map_or(0, |slash| slash + 1)],
        None => word,
    })
}

/// Targets of `[text](target)` that lie in the project.
fn linked(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

/// A relative link as a path from the top of the project.
fn below(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// References among the project's manual pages that lead nowhere.
fn dead_references(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, file) in tree.files.iter().filter(|(path, _)| path.starts_with("man/")) {
        for line in file.text.lines().filter_map(|line| line.strip_prefix(".Xr ")) {
            let mut words = line.split_whitespace();
            let (Some(name), Some(section)) = (words.next(), words.next()) else { continue };
            if name.starts_with("phc") && !tree.has(&format!("man/{name}.{section}")) {
                findings.push(format!("{path}: refers to {name}({section}), which is not there"));
            }
        }
    }
    findings
}

/// Dependencies of the workspace whose reason lib/README.md does not give.
fn unexplained(tree: &Tree) -> Vec<String> {
    let manifest = tree.text("Cargo.toml").unwrap_or_default();
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let table = manifest["workspace"].get("dependencies").and_then(toml::Value::as_table);
    let foreign = table.into_iter().flatten().filter(|(_, value)| value.get("path").is_none());
    let reasons = tree.text("lib/README.md").unwrap_or_default();
    let silent = foreign.filter(|(name, _)| !reasons.contains(&format!("`{name}`")));
    silent.map(|(name, _)| format!("lib/README.md: does not say why we need `{name}`")).collect()
}

#[test]
fn every_expected_document_is_there() {
    nothing_in(&missing(&Tree::project()));
}

#[test]
fn documents_name_only_what_is_there() {
    nothing_in(&dead_paths(&Tree::project()));
}

#[test]
fn manual_pages_refer_only_to_what_is_there() {
    nothing_in(&dead_references(&Tree::project()));
}

#[test]
fn every_dependency_has_its_reason() {
    nothing_in(&unexplained(&Tree::project()));
}

#[test]
fn a_missing_document_is_found() {
    let but_one: Vec<(&str, &str)> = EXPECTED.iter().skip(1).map(|path| (*path, "")).collect();
    only(&missing(&Tree::of(&but_one)), EXPECTED[0]);
}

#[test]
fn a_dead_path_is_found() {
    let there = ("lib/host/src/lib.rs", "");
    let tree = |text| Tree::of(&[there, ("lib/README.md", text)]);
    only(&dead_paths(&tree("see `lib/host` and `lib/gone/`")), "names lib/gone/");
    only(&dead_paths(&tree("see [it](../scripts/gone)")), "names scripts/gone");
    only(&dead_paths(&tree("run `scripts/gone --help`")), "names scripts/gone");
    only(&dead_paths(&tree("see `man/phc-*.1`")), "names man/,");
    nothing_in(&dead_paths(&tree("[a](host/src/lib.rs#b) [c](https://d.example) `lib/h*` `e/f`")));
}

#[test]
fn a_dead_reference_is_found() {
    let page = ("man/phc.7", ".Xr phc 7 ,\n.Xr phc-gone 1\n.Xr rsync 1\n");
    only(&dead_references(&Tree::of(&[page])), "phc-gone(1)");
}

#[test]
fn an_unexplained_dependency_is_found() {
    let manifest = "[workspace.dependencies]\na = \"1\"\nb = \"1\"\nc = { path = \"lib/c\" }";
    let tree = Tree::of(&[("Cargo.toml", manifest), ("lib/README.md", "`a` is needed")]);
    only(&unexplained(&tree), "`b`");
}
