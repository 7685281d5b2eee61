//! Laws about scripts, and about the foreign programs that tests run.

use crate::tree::{Tree, nothing_in, only};

/// Scripts that people run: executable, with an interpreter and a header that
/// begins with their own name. Files to be sourced have the header alone.
fn ill_dressed(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, file) in &tree.files {
        // A lab may need a little program in C, which is none of these.
        let is_script = path.starts_with("scripts/") && !path.ends_with(".c");
        if !is_script && path != ".ci/run" {
            continue;
        }
        let mut lines = file.text.lines();
        if !path.starts_with("scripts/lib/") {
            if !file.executable {
                findings.push(format!("{path}: is not executable"));
            }
            if !lines.next().unwrap_or_default().starts_with("#!/") {
                findings.push(format!("{path}: names no interpreter"));
            }
        }
        let name = path.trim_start_matches("scripts/lib/");
        if !lines.next().unwrap_or_default().starts_with(&format!("# {name}: ")) {
            findings.push(format!("{path}: its header does not begin with \"# {name}: \""));
        }
    }
    findings
}

/// The foreign programs that `scripts/test` knows how to get or to do without.
fn known_programs(tree: &Tree) -> Vec<String> {
    let script = tree.text("scripts/test").unwrap_or_default();
    let list = script.lines().skip_while(|line| *line != "TEST_PROGRAMS=(").skip(1);
    let entries =
        list.take_while(|line| *line != ")").filter_map(|line| line.trim().split_once(':'));
    entries.map(|(program, _)| program.to_owned()).collect()
}

/// Test files that run such a program where no test of the suite says so by
/// `needs_PROGRAM`, the word by which `scripts/test` leaves tests out.
fn unannounced(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| !path.starts_with("tests/house/")) {
        let suite = path.rsplit_once('/').map_or("", |(suite, _)| suite);
        for program in known_programs(tree) {
            let runs = text.contains(&format!("(\"{program}\""));
            let word = format!("needs_{program}");
            let mut files = tree.rust().filter(|(other, _)| other.starts_with(suite));
            if runs && !files.any(|(_, text)| text.contains(&word)) {
                findings.push(format!("{path}: runs {program}, but no test says {word}"));
            }
        }
    }
    findings
}

#[test]
fn scripts_are_ready_to_run_and_say_what_they_are() {
    let project = Tree::project();
    assert!(project.has("scripts/test") && project.has(".ci/run"));
    nothing_in(&ill_dressed(&project));
}

#[test]
fn tests_announce_the_programs_they_need() {
    let project = Tree::project();
    assert!(known_programs(&project).contains(&"strace".to_owned()));
    nothing_in(&unannounced(&project));
}

#[test]
fn an_ill_dressed_script_is_found() {
    let header = "#!/bin/sh\n# scripts/a: does it.\n";
    only(&ill_dressed(&Tree::of(&[("scripts/a", header)])), "scripts/a: is not executable");
    let mut tree = Tree::of(&[("scripts/a", "#!/bin/sh\n# does it.\n")]);
    for file in tree.files.values_mut() {
        file.executable = true;
    }
    only(&ill_dressed(&tree), "its header does not begin");
    only(&ill_dressed(&Tree::of(&[("scripts/lib/a.sh", "a() { :; }\n")])), "\"# a.sh: \"");
}

#[test]
fn an_unannounced_program_is_found() {
    let script = ("scripts/test", "TEST_PROGRAMS=(\n    strace:strace:strace\n)\n");
    let silent = ("tests/a/a.rs", "sh(\"strace\", &[])");
    let telling = ("tests/b/b.rs", "fn needs_strace_c() { Command::new(\"strace\") }");
    let helped = ("tests/b/d.rs", "sh(\"strace\", &[])");
    let tree = Tree::of(&[script, silent, telling, helped]);
    only(&unannounced(&tree), "tests/a/a.rs: runs strace");
}
