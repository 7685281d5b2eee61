//! What the documents show is what happens.

use model::exit::Exit;
use tests::{Sandbox, schemas};

/// A command that a document shows, with what it says comes out.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    command: String,
    output: String,
}

/// The commands of a Markdown document's `console` blocks.
fn shown(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match (line, line.strip_prefix("$ ")) {
            ("```console", _) => inside = true,
            ("```", _) => inside = false,
            (_, Some(command)) if inside => {
                found.push(Shown { command: command.to_owned(), output: String::new() });
            }
            _ if inside => {
                let last = found.last_mut().expect("output follows a command");
                last.output.push_str(line);
                last.output.push('\n');
            }
            _ => {}
        }
    }
    found
}

/// The line as it speaks on a terminal, where a person would type it.
fn as_on_a_terminal(command: &str) -> String {
    let alone = command.starts_with("phc-") && !command.contains('|');
    if alone { format!("{command} --format human") } else { command.to_owned() }
}

/// True if the text is the pattern, in which … stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut rest = rest;
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || last.is_some_and(|last| last.is_empty() || text.ends_with(last))
}

/// True if the lines are the pattern's, blanks at their ends aside.
fn tells(pattern: &str, text: &str) -> bool {
    let trimmed = |text: &str| -> String {
        text.trim_end().lines().map(|line| format!("{}\n", line.trim_end())).collect()
    };
    pattern.is_empty() || matches(&trimmed(pattern), &trimmed(text))
}

#[test]
fn the_tour_of_the_readme_goes_as_it_says() {
    let text = std::fs::read_to_string(schemas::project().join("README.md")).unwrap();
    let sandbox = Sandbox::new();
    sandbox.write("home/Documents/letter.txt", "Dear reader\n");
    sandbox.write("home/Documents/list.txt", "milk\n");
    let tour = shown(&text);
    assert!(tour.len() > 10, "where is the tour?");
    for step in tour {
        let ended = sandbox.shell(&as_on_a_terminal(&step.command)).ok();
        assert!(
            tells(&step.output, &ended.stdout),
            "{}\nsays\n{}\nnot\n{}",
            step.command,
            ended.stdout,
            step.output
        );
    }
}

#[test]
fn exit_codes_are_told_as_they_are() {
    let read = |path: &str| std::fs::read_to_string(schemas::project().join(path)).unwrap();
    let (readme, map) = (read("README.md"), read("man/phc.7"));
    for exit in Exit::ALL {
        let row = format!("| {} | {} |\n", exit.code(), exit.meaning());
        assert!(readme.contains(&row), "README.md does not say: {row}");
        let item = format!(".It {}\n", exit.code());
        let told = map.split_once(&item).map(|(_, rest)| rest.replace('\n', " "));
        assert!(told.is_some_and(|told| told.starts_with(exit.meaning())), "man/phc.7: {item}");
    }
}

/// Crates with what they may import, as the table in lib/README.md says.
fn table(text: &str) -> Vec<(String, Vec<String>)> {
    let names = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = text.lines().map(|line| line.split('|').collect::<Vec<_>>());
    let rows = rows.filter(|cells| cells.len() == 6 && cells[2].trim().parse::<u8>().is_ok());
    rows.map(|cells| (names(cells[1]).concat(), names(cells[3]))).collect()
}

/// The crates of the house that a crate's manifest imports, whether it ships them or only tests with them.
fn imports(manifest: &str, house: &[String]) -> Vec<String> {
    let imports = |name: &&String| {
        let starts = [format!("{name}.workspace"), format!("{name} = ")];
        manifest.lines().any(|line| starts.iter().any(|start| line.starts_with(start)))
    };
    house.iter().filter(imports).cloned().collect()
}

#[test]
fn the_import_table_is_that_of_the_manifests() {
    let read = |path: &str| std::fs::read_to_string(schemas::project().join(path));
    let table = table(&read("lib/README.md").unwrap());
    let house: Vec<String> = table.iter().map(|(name, _)| name.clone()).collect();
    let workspace = read("Cargo.toml").unwrap();
    let members = workspace
        .lines()
        .filter(|line| line.trim().starts_with("\"lib/") || line.trim().starts_with("\"bins/"));
    assert_eq!(house.len(), members.count(), "{house:?}");
    for (name, allowed) in table {
        let folder = if name.starts_with("phc-") { "bins" } else { "lib" };
        let manifest = read(&format!("{folder}/{name}/Cargo.toml")).unwrap();
        for import in imports(&manifest, &house) {
            assert!(
                allowed.contains(&import),
                "{name} imports {import}, which the table does not say"
            );
        }
    }
}

#[test]
fn a_table_is_read_and_an_import_is_found() {
    let text =
        "| crate | floor | may import | what |\n|---|---|---|---|\n| `b` | 1 | `a` `c` | words |\n";
    assert_eq!(table(text), [("b".to_owned(), vec!["a".to_owned(), "c".to_owned()])]);
    let house = ["a".to_owned(), "c".to_owned()];
    let manifest = "[dependencies]\na.workspace = true\naa.workspace = true\n";
    assert_eq!(imports(manifest, &house), ["a"]);
}

#[test]
fn commands_and_their_output_are_found() {
    let text = "```sh\nno\n```\n```console\n$ a b\nc …\n\n$ d\n```\n$ e\n";
    let found: Vec<_> = shown(text).into_iter().map(|s| (s.command, s.output)).collect();
    assert_eq!(found, [("a b".to_owned(), "c …\n\n".to_owned()), ("d".to_owned(), String::new())]);
}

#[test]
fn a_pattern_is_held_against_the_whole_text() {
    for (pattern, text, same) in [
        ("a … c", "a bb c", true),
        ("a … c", "a bb c d", false),
        ("a …", "a bb", true),
        ("…c", "abc", true),
        ("…c", "abcd", false),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("… 2 …", "1 2 3", true),
        ("… 2 …", "1 3", false),
        ("…c", "c c", true),
    ] {
        assert_eq!(matches(pattern, text), same, "{pattern} {text}");
    }
    assert!(tells("one  \ntwo…\n\n", "one\ntwo three\n") && !tells("one\n", "one\ntwo\n"));
}
