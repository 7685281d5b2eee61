//! An inbox that is emptied, killed at every failpoint: nothing is lost, and nothing is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tests::{Ended, Sandbox, trees};

const NAME: &str = "scans";

/// What arrives, by path; the first was there before, with another content.
const ARRIVING: &[(&str, &str)] =
    &[("scan.pdf", "the second scan"), ("day/photo", "a photo"), ("day/note", "a note")];

struct World {
    sandbox: Sandbox,
    inbox: PathBuf,
}

impl World {
    fn new(place: &str) -> World {
        let sandbox = Sandbox::new();
        sandbox.adopt();
        let inbox = sandbox.path(place);
        fs::create_dir_all(inbox.join("day")).unwrap();
        sandbox.configure(&format!(
            "[cloud.{NAME}]\nkind = \"inbox\"\nsettle = \"0s\"\nconsume = true\npath = \"{}\"\n",
            inbox.display()
        ));
        let world = World { sandbox, inbox };
        fs::write(world.inbox.join("scan.pdf"), "the first scan").unwrap();
        world.ingest("").ok();
        for (path, text) in ARRIVING {
            fs::write(world.inbox.join(path), text).unwrap();
        }
        world
    }

    fn ingest(&self, failpoint: &str) -> Ended {
        let run = self.sandbox.run("phc-ingest").arg("--space").arg(self.sandbox.space());
        run.args(["--quiet", "run", "--cloud", NAME]).env("PHC_FAILPOINT", failpoint).end()
    }

    /// Every text that lies somewhere, with how often.
    fn kept(&self, root: &Path) -> BTreeMap<String, usize> {
        let mut kept = BTreeMap::new();
        if root.exists() {
            for (path, _) in
                trees::list(root).into_iter().filter(|(_, e)| e.kind == trees::Kind::File)
            {
                let text = fs::read_to_string(root.join(path)).unwrap();
                *kept.entry(text).or_default() += 1;
            }
        }
        kept
    }

    /// Killed or not, each thing is whole in the inbox or in the copy.
    fn nothing_is_lost(&self) {
        let copy = self.kept(&self.sandbox.device().join(NAME));
        let inbox = self.kept(&self.inbox);
        for text in ARRIVING.iter().map(|(_, text)| *text).chain(["the first scan"]) {
            assert!(copy.contains_key(text) || inbox.contains_key(text), "{text:?} is lost");
        }
    }

    /// After a whole run the inbox is empty, and everything is in the copy once, catalogued and announced.
    fn is_whole(&self) {
        assert_eq!(self.kept(&self.inbox), BTreeMap::new(), "left in the inbox");
        let wanted = ARRIVING.iter().map(|(_, text)| ((*text).to_owned(), 1));
        let wanted: BTreeMap<_, _> = wanted.chain([("the first scan".to_owned(), 1)]).collect();
        assert_eq!(self.kept(&self.sandbox.device().join(NAME)), wanted);
        let trash = self.kept(&self.sandbox.device().join("_trash"));
        assert_eq!(trash, BTreeMap::new(), "what arrived was put away");
        let told = crate::told::spool(&self.sandbox.device().join("_spool"));
        let arrived = told.iter().filter(|event| event["type"] == "phc.ingest.inbox.arrived");
        let paths: BTreeSet<String> = arrived
            .flat_map(|event| event["data"]["files"].as_array().unwrap().clone())
            .map(|file| file["path"].as_str().unwrap().to_owned())
            .collect();
        let expected = ["scan.pdf", "scan (2).pdf", "day/photo", "day/note"];
        assert_eq!(paths, expected.map(str::to_owned).into());
        let catalog = crate::told::catalog(&self.sandbox.device().join("_catalog").join(NAME));
        for path in expected {
            let line = catalog.get(Path::new(path)).unwrap_or_else(|| panic!("{path} is untold"));
            assert!(line.is_live("file"), "{path} is told as gone");
        }
    }
}

/// The failpoints that a kill reached.
fn killed_everywhere(place: &str) -> BTreeSet<&'static str> {
    let mut reached = BTreeSet::new();
    for name in host::failpoint::NAMES {
        for nth in 1..=4 {
            let world = World::new(place);
            let at = format!("{name}@{nth}=kill");
            let ended = world.ingest(&at);
            world.nothing_is_lost();
            if ended.signal != Some(9) {
                break;
            }
            reached.insert(*name);
            let again = world.ingest("");
            assert!(matches!(again.code, Some(0)), "{at}: {}", again.stdout);
            let check = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.is_whole()));
            assert!(check.is_ok(), "in {place}, after {at}");
        }
    }
    reached
}

#[test]
fn killed_anywhere_an_inbox_that_is_emptied_loses_nothing_and_keeps_nothing_twice() {
    let reached = killed_everywhere("inbox");
    for name in ["copy.written", "apply.publishing", "inbox.proven", "inbox.removed"] {
        assert!(reached.contains(name), "{name} was never reached");
    }
}

#[test]
fn killed_anywhere_an_inbox_in_the_space_loses_nothing_and_keeps_nothing_twice() {
    let reached = killed_everywhere("space/sam/inbox");
    for name in ["inbox.moved", "manifest.committing", "announce.increment"] {
        assert!(reached.contains(name), "{name} was never reached");
    }
}
