//! Laws about the code: where side effects are spelled, and how long things are.

use crate::rust::{self, functions, line_of, shipped};
use crate::tree::{Tree, nothing_in, only};

/// Longest file, in lines, tests included.
const FILE: usize = 500;
/// Longest function that is not a test's, in lines.
const FUNCTION: usize = 70;
/// A program's `main.rs` stays under this many lines.
const MAIN: usize = 60;

/// Spellings that belong into one folder, with the word to use elsewhere.
const SPELLINGS: [(&str, &str, &str); 10] = [
    ("unsafe", "lib/host/", "a safe function of lib/host"),
    ("process::Command", "lib/host/", "host::child"),
    ("Command::new", "lib/host/", "host::child"),
    ("SystemTime::now", "lib/host/", "a clock value"),
    ("Timestamp::now", "lib/host/", "a clock value"),
    ("Zoned::now", "lib/host/", "a clock value"),
    ("Uuid::now_v7", "lib/host/", "an id of lib/host"),
    ("fs::write", "lib/host/", "host::publish"),
    ("File::create", "lib/host/", "host::publish"),
    ("OpenOptions", "lib/host/", "host::publish"),
];

/// Rust files of the house itself: not the tests package.
fn house(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.rust().filter(|(path, _)| path.starts_with("lib/") || path.starts_with("bins/"))
}

/// Files that are only compiled for tests, by the names that they go by.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Side effects that are spelled outside the one folder where they belong.
fn misplaced(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in house(tree).filter(|(path, _)| !is_test(path)) {
        let code = shipped(text);
        for (word, home, instead) in SPELLINGS {
            if path.starts_with(home) {
                continue;
            }
            let lines = rust::places(&code, word).map(|place| line_of(&code, place));
            findings.extend(
                lines.map(|line| format!("{path}:{line}: {word} is {home}'s own; use {instead}")),
            );
        }
    }
    findings
}

/// Files, main files and functions that are too long.
fn too_long(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let main = path.starts_with("bins/") && path.ends_with("/main.rs");
        let limit = if main { MAIN - 1 } else { FILE };
        let lines = text.lines().count();
        if lines > limit {
            findings.push(format!("{path}: {lines} lines, more than {limit}"));
        }
    }
    for (path, text) in house(tree).filter(|(path, _)| !is_test(path)) {
        for function in functions(&shipped(text)).iter().filter(|f| f.lines > FUNCTION) {
            let (name, line, lines) = (&function.name, function.line, function.lines);
            findings.push(format!("{path}:{line}: {name} has {lines} lines, more than {FUNCTION}"));
        }
    }
    findings
}

/// Words that promise work instead of being it.
const PROMISES: [&str; 6] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("XX", "X:"),
    concat!("In the ", "making"),
];

/// Unfinished work that was left in any file, and tests that are switched off.
fn unfinished(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, file) in &tree.files {
        for (number, line) in file.text.lines().enumerate() {
            let promise = PROMISES.iter().find(|word| line.contains(**word));
            let off = path.ends_with(".rs") && line.trim_start().starts_with("#[ignore");
            if promise.is_some() || off {
                findings.push(format!("{path}:{}: left unfinished: {}", number + 1, line.trim()));
            }
        }
    }
    findings
}

/// Module names that say nothing.
fn nameless(tree: &Tree) -> Vec<String> {
    const EMPTY: [&str; 5] = ["utils", "util", "common", "helpers", "misc"];
    let stem = |path: &str| path.trim_end_matches(".rs").to_owned();
    let empty = |path: &&str| stem(path).split('/').any(|part| EMPTY.contains(&part));
    tree.rust()
        .map(|(path, _)| path)
        .filter(empty)
        .map(|path| format!("{path}: says nothing"))
        .collect()
}

#[test]
fn side_effects_have_one_spelling() {
    nothing_in(&misplaced(&Tree::project()));
}

#[test]
fn files_and_functions_are_short() {
    nothing_in(&too_long(&Tree::project()));
}

#[test]
fn nothing_is_left_unfinished() {
    nothing_in(&unfinished(&Tree::project()));
}

#[test]
fn modules_have_names_that_say_something() {
    nothing_in(&nameless(&Tree::project()));
}

#[test]
fn every_misplaced_spelling_is_found() {
    for (word, home, _) in SPELLINGS {
        let text = format!("// {word}\nfn a() {{ {word}(\"{word}\") }}\n");
        let tests = format!("#[cfg(test)]\nmod tests {{ {text} }}\n");
        let inside = format!("{home}src/a.rs");
        let files =
            [("lib/ingest/src/a.rs", &*text), ("lib/ingest/src/b.rs", &*tests), (&inside, &*text)];
        let findings = misplaced(&Tree::of(&files));
        assert!(findings.iter().all(|finding| finding.starts_with("lib/ingest/src/a.rs:2")));
        assert!(findings.iter().any(|finding| finding.contains(word)), "{word} was not found");
    }
}

#[test]
fn what_is_too_long_is_found() {
    let file = "\n".repeat(FILE + 1);
    only(&too_long(&Tree::of(&[("tests/a.rs", &file)])), "tests/a.rs: 501 lines");
    let main = "\n".repeat(MAIN);
    only(&too_long(&Tree::of(&[("bins/a/src/main.rs", &main)])), "main.rs: 60 lines");
    let function = format!("\nfn a() {{{}}}\n", "\n".repeat(FUNCTION));
    only(&too_long(&Tree::of(&[("lib/a/src/a.rs", &function)])), "a.rs:2: a has 71 lines");
    nothing_in(&too_long(&Tree::of(&[("lib/a/src/tests.rs", &function)])));
}

#[test]
fn every_promise_is_found() {
    for promise in PROMISES.into_iter().chain(["#[ignore]"]) {
        only(&unfinished(&Tree::of(&[("lib/a/src/a.rs", promise)])), "a.rs:1: left unfinished");
    }
}

#[test]
fn an_empty_name_is_found() {
    only(
        &nameless(&Tree::of(&[("lib/a/src/utils.rs", ""), ("lib/a/src/plan.rs", "")])),
        "utils.rs",
    );
    only(&nameless(&Tree::of(&[("tests/common/mod.rs", "")])), "common");
}
