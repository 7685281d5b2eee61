//! The pages of section 1 are those of the programs, and their examples work.

use tests::{Sandbox, schemas};

use crate::current;
use crate::usage::PROGRAMS;

fn page(program: &str) -> String {
    Sandbox::new().run(program).arg("--manual").end().ok().stdout
}

#[test]
fn the_committed_pages_are_those_of_the_programs() {
    let folder = schemas::project().join("man");
    for (program, _) in PROGRAMS {
        current::check(&folder.join(format!("{program}.1")), &page(program));
    }
}

#[test]
fn every_example_is_understood() {
    for (program, _) in PROGRAMS {
        let examples = examples(&page(program));
        assert!(!examples.is_empty(), "{program} has no examples");
        let sandbox = Sandbox::new();
        sandbox.adopt();
        sandbox.write("home/Documents/letter.txt", "Dear reader");
        sandbox.write("home/cloud/note.txt", "From the cloud");
        sandbox.configure("[cloud.icloud]\npath = \"~/cloud\"\nprovider = \"folder\"\n");
        sandbox.write("home/phc.toml", "");
        for example in examples {
            // What goes on until it is stopped is stopped, in order: then timeout(1) says 124.
            let stopped = example.ends_with(" watch");
            let ended = sandbox.shell(&if stopped {
                format!("timeout 2 {example}")
            } else {
                example.clone()
            });
            assert!(!ended.stderr.contains("[usage]"), "{example}: {}", ended.stderr);
            let understood =
                matches!(ended.code, Some(0..=3 | 75)) || stopped && ended.code == Some(124);
            assert!(understood, "{example}: {:?} {}", ended.code, ended.stderr);
        }
    }
}

/// The lines between `.Bd` and `.Ed` of a page's examples.
fn examples(page: &str) -> Vec<String> {
    let lines = page.lines().skip_while(|line| *line != ".Sh EXAMPLES");
    let mut literal = false;
    let mut found = Vec::new();
    for line in lines.skip(1).take_while(|line| !line.starts_with(".Sh")) {
        match line {
            _ if line.starts_with(".Bd") => literal = true,
            ".Ed" => literal = false,
            _ if literal => {
                found.push(line.replace("\\-", "-").replace("\\e", "\\").replace("\\&", ""))
            }
            _ => {}
        }
    }
    found
}

#[test]
fn examples_are_found_and_words_around_them_are_not() {
    let page = ".Sh OPTIONS\n.Bd\nno\n.Ed\n.Sh EXAMPLES\nDo it:\n.Bd -literal\na \\-b \\e\n.Ed\n.Sh SEE ALSO\n";
    assert_eq!(examples(page), ["a -b \\"]);
}
