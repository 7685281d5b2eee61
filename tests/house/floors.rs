//! Law: dependencies point down the floors only. Engines share a floor, so none
//! can import another.

use std::collections::BTreeMap;

use crate::tree::{Tree, nothing_in, only};

/// Every dependency between members that does not lead to a lower floor.
fn not_downward(tree: &Tree) -> Vec<String> {
    let floors = floors(tree.text("Cargo.toml").unwrap_or_default());
    let mut findings = Vec::new();
    for (folder, floor) in &floors {
        let path = format!("{folder}/Cargo.toml");
        let Some(manifest) = tree.text(&path) else {
            findings.push(format!("{path}: is not there, but the workspace names it"));
            continue;
        };
        for name in dependencies(manifest) {
            let Some(other) = floors.get(&format!("lib/{name}")) else { continue };
            if other >= floor {
                findings.push(format!("{path}: floor {floor} depends on {name}, floor {other}"));
            }
        }
    }
    findings
}

/// Folder and floor of every member, by the `# floor N` comments above them.
/// What stands beside the house is above every floor.
fn floors(manifest: &str) -> BTreeMap<String, u8> {
    let mut floor = None;
    let mut floors = BTreeMap::new();
    let members = manifest.lines().map(str::trim).skip_while(|line| *line != "members = [");
    for line in members.take_while(|line| *line != "]") {
        if let Some(number) = line.strip_prefix("# floor ") {
            floor = number.parse().ok();
        } else if line.starts_with('#') {
            floor = Some(u8::MAX);
        } else if let (Some(name), Some(floor)) = (line.split('"').nth(1), floor) {
            floors.insert(name.to_owned(), floor);
        }
    }
    floors
}

/// Names of everything a crate depends on, for whatever target or purpose.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let mut tables = vec![&manifest];
    while let Some(table) = tables.pop() {
        for (key, value) in table {
            match value.as_table() {
                Some(inner) if key.ends_with("dependencies") => found.extend(inner.keys().cloned()),
                Some(inner) => tables.push(inner),
                None => {}
            }
        }
    }
    found
}

/// Every member that does not take the workspace's lints. Host has a table of
/// its own, which may differ in `unsafe_code` alone.
fn lints_astray(tree: &Tree) -> Vec<String> {
    let workspace = tree.text("Cargo.toml").unwrap_or_default();
    let house = lints(workspace, &["workspace", "lints"]);
    let mut findings = Vec::new();
    for folder in floors(workspace).keys() {
        let path = format!("{folder}/Cargo.toml");
        let own = lints(tree.text(&path).unwrap_or_default(), &["lints"]);
        let inherits = own.get("workspace").and_then(toml::Value::as_bool) == Some(true);
        let same = folder == "lib/host" && without_unsafe(&own) == without_unsafe(&house);
        if !inherits && !same {
            findings.push(format!("{path}: its lints are not the workspace's"));
        }
    }
    findings
}

/// The table of lints that lies under these keys.
fn lints(manifest: &str, keys: &[&str]) -> toml::Table {
    let mut table: toml::Table = manifest.parse().expect("a manifest is TOML");
    for key in keys {
        table = table.get(*key).and_then(toml::Value::as_table).cloned().unwrap_or_default();
    }
    table
}

/// The lints but for the one about unsafe code.
fn without_unsafe(lints: &toml::Table) -> toml::Table {
    let mut lints = lints.clone();
    if let Some(rust) = lints.get_mut("rust").and_then(toml::Value::as_table_mut) {
        rust.remove("unsafe_code");
    }
    lints
}

#[test]
fn dependencies_point_down_the_floors() {
    let project = Tree::project();
    assert!(floors(project.text("Cargo.toml").unwrap_or_default()).len() > 10);
    nothing_in(&not_downward(&project));
}

#[test]
fn every_crate_has_the_lints_of_the_house() {
    nothing_in(&lints_astray(&Tree::project()));
}

const WORKSPACE: &str = r#"
[workspace]
members = [
    # floor 0
    "lib/model",
    # floor 3
    "lib/ingest",
    "lib/mount",
    # beside the house
    "tests",
]
[workspace.lints.rust]
unsafe_code = "deny"
unused_must_use = "deny"
"#;

/// A workspace whose crate of this folder has this manifest.
fn workspace_with(folder: &str, manifest: &str) -> Tree {
    let mut tree = Tree::of(&[("Cargo.toml", WORKSPACE)]);
    for member in ["lib/model", "lib/ingest", "lib/mount", "tests"] {
        let text = if member == folder { manifest } else { "lints.workspace = true" };
        tree.files.extend(Tree::of(&[(&format!("{member}/Cargo.toml"), text)]).files);
    }
    tree
}

#[test]
fn an_engine_that_imports_an_engine_is_found() {
    let sideways =
        "[target.'cfg(unix)'.dependencies]\nmount.workspace = true\nmodel.workspace = true";
    only(&not_downward(&workspace_with("lib/ingest", sideways)), "depends on mount, floor 3");
}

#[test]
fn a_crate_that_imports_upward_is_found() {
    let upward = "[dev-dependencies]\nmount.workspace = true";
    only(&not_downward(&workspace_with("lib/model", upward)), "lib/model/Cargo.toml: floor 0");
}

#[test]
fn tests_may_import_everything() {
    let all = "[dependencies]\nmount.workspace = true\nmodel.workspace = true";
    nothing_in(&not_downward(&workspace_with("tests", all)));
}

#[test]
fn a_crate_without_lints_is_found() {
    only(&lints_astray(&workspace_with("lib/ingest", "")), "lib/ingest/Cargo.toml: its lints");
}
