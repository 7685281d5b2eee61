//! Law: what runs on every device links neither an asynchronous runtime nor TLS.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Tree, nothing_in, only};

/// The programs that the law binds.
const PLAIN: [&str; 2] = ["phc-ingest", "phc-mount"];

/// Crates that are, or that exist only to serve, such a runtime or TLS.
const HEAVY: [&str; 16] = [
    "async-executor",
    "async-std",
    "aws-lc-sys",
    "boring-sys",
    "curl-sys",
    "futures-executor",
    "hyper",
    "native-tls",
    "openssl-sys",
    "reqwest",
    "ring",
    "rustls",
    "schannel",
    "security-framework",
    "smol",
    "tokio",
];

/// Every heavy crate that the lock file lets a plain program reach. The lock
/// file knows all targets and all features, so this errs towards finding.
fn heavy_links(tree: &Tree) -> Vec<String> {
    let graph = graph(tree.text("Cargo.lock").unwrap_or_default());
    let mut findings = Vec::new();
    for program in PLAIN {
        if !graph.contains_key(program) {
            findings.push(format!("Cargo.lock: {program} is not in it"));
        }
        let reached = reached(&graph, program);
        let heavy = HEAVY.iter().filter(|name| reached.contains(**name));
        findings.extend(heavy.map(|name| format!("Cargo.lock: {program} reaches {name}")));
    }
    findings
}

/// Package names with the names of what each depends on.
fn graph(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lock: toml::Table = lock.parse().expect("the lock file is TOML");
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let list =
            package.get("dependencies").and_then(toml::Value::as_array).into_iter().flatten();
        let names = list.filter_map(|entry| entry.as_str()?.split(' ').next()).map(str::to_owned);
        graph.entry(name.to_owned()).or_default().extend(names);
    }
    graph
}

/// Everything that can be reached from a package.
fn reached(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(name) = next.pop() {
        if seen.insert(name.to_owned()) {
            next.extend(graph.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    seen
}

#[test]
fn plain_programs_link_no_runtime_and_no_tls() {
    nothing_in(&heavy_links(&Tree::project()));
}

/// A lock file in which phc-ingest depends on store, and store on `name`.
fn lock_with(name: &str) -> Tree {
    let lock = format!(
        r#"
        package = [
            {{ name = "phc-mount" }},
            {{ name = "phc-ingest", dependencies = ["store"] }},
            {{ name = "store", dependencies = ["{name} 1.0.0"] }},
        ]"#
    );
    Tree::of(&[("Cargo.lock", &lock)])
}

#[test]
fn a_runtime_behind_two_corners_is_found() {
    only(&heavy_links(&lock_with("tokio")), "phc-ingest reaches tokio");
    nothing_in(&heavy_links(&lock_with("zstd")));
}

#[test]
fn a_program_that_is_not_there_proves_nothing() {
    only(
        &heavy_links(&Tree::of(&[("Cargo.lock", "package = [{ name = \"phc-mount\" }]")])),
        "is not in it",
    );
}
