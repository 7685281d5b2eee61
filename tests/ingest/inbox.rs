//! Inboxes: what arrives is kept under a name of its own, and only what is proven is removed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tests::{Ended, Sandbox, trees};

/// The cloud's name that every inbox here has.
const NAME: &str = "scans";

struct Inbox {
    sandbox: Sandbox,
    path: PathBuf,
}

impl Inbox {
    /// An inbox at a path of the sandbox, with more lines for its table.
    fn at(path: &str, more: &str) -> Inbox {
        let sandbox = Sandbox::new();
        sandbox.adopt();
        let path = sandbox.path(path);
        fs::create_dir_all(&path).unwrap();
        let inbox = Inbox { sandbox, path };
        inbox.configure(more);
        inbox
    }

    fn configure(&self, more: &str) {
        let path = self.path.display();
        let text = format!(
            "[cloud.{NAME}]\nkind = \"inbox\"\nsettle = \"0s\"\npath = \"{path}\"\n{more}\n"
        );
        self.sandbox.configure(&text);
    }

    fn drop_in(&self, name: &str, text: &str) {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn ingest(&self) -> Ended {
        self.command(&["run", "--cloud", NAME])
    }

    fn command(&self, args: &[&str]) -> Ended {
        let space = self.sandbox.space();
        let run = self.sandbox.run("phc-ingest").arg("--space").arg(space);
        run.args(["--format", "json", "--quiet"]).args(args).end()
    }

    fn copies(&self) -> BTreeMap<PathBuf, String> {
        texts(&self.sandbox.device().join(NAME))
    }

    fn left(&self) -> BTreeMap<PathBuf, String> {
        texts(&self.path)
    }

    fn is_verified(&self, files: u64) {
        let ended = self.command(&["verify", "--cloud", NAME]).ok();
        assert_eq!(ended.event("phc.ingest.copies.verified").count("checked"), files);
    }
}

fn texts(root: &Path) -> BTreeMap<PathBuf, String> {
    let files = trees::list(root).into_iter().filter(|(_, e)| e.kind == trees::Kind::File);
    files.map(|(path, _)| (path.clone(), fs::read_to_string(root.join(path)).unwrap())).collect()
}

fn named(of: &[(&str, &str)]) -> BTreeMap<PathBuf, String> {
    of.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect()
}

/// Stamps have to be older than the racy window, else the file is read once again.
fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(50));
}

fn total(ended: &Ended, figure: &str) -> u64 {
    ended.event("phc.ingest.run.finished").count(&format!("totals/{figure}"))
}

const CONSUME: &str = "consume = true";

#[test]
fn an_inbox_that_is_not_consumed_is_left_alone_and_what_left_it_stays_known() {
    let inbox = Inbox::at("inbox", "");
    inbox.drop_in("a.pdf", "a");
    inbox.drop_in("deep/b.pdf", "b");
    let before = trees::snapshot(&inbox.path);
    let ended = inbox.ingest().ok();
    let arrived = ended.event("phc.ingest.inbox.arrived");
    assert_eq!((arrived.count("count"), arrived.count("bytes")), (2, 2));
    assert_eq!(arrived.text("root"), format!("devices/bench/sam/{NAME}"));
    assert_eq!(before, trees::snapshot(&inbox.path));
    assert_eq!(inbox.copies(), named(&[("a.pdf", "a"), ("deep/b.pdf", "b")]));
    fs::remove_dir_all(inbox.path.join("deep")).unwrap();
    fs::remove_file(inbox.path.join("a.pdf")).unwrap();
    let ended = inbox.ingest().ok();
    assert_eq!((total(&ended, "gone"), total(&ended, "trashed")), (0, 0));
    assert!(ended.events_of("phc.ingest.inbox.arrived").is_empty());
    assert_eq!(inbox.copies().len(), 2);
    inbox.is_verified(2);
}

#[test]
fn a_consumed_inbox_ends_empty_and_things_of_one_name_are_all_kept() {
    let inbox = Inbox::at("inbox", CONSUME);
    for (text, removed) in [("one", 1), ("two", 1), ("two", 1), ("three", 1)] {
        inbox.drop_in("scan.pdf", text);
        let ended = inbox.ingest().ok();
        assert_eq!(total(&ended, "consumed"), removed, "{}", ended.stdout);
        assert_eq!(inbox.left(), named(&[]));
    }
    let kept = [("scan.pdf", "one"), ("scan (2).pdf", "two"), ("scan (3).pdf", "three")];
    assert_eq!(inbox.copies(), named(&kept));
    inbox.is_verified(3);
    // A further run finds nothing, and takes nothing that it knows for gone.
    let ended = inbox.ingest().ok();
    assert_eq!((total(&ended, "gone"), total(&ended, "consumed")), (0, 0));
}

#[test]
fn hundreds_leave_without_a_guard_but_a_missing_inbox_is_refused() {
    let inbox = Inbox::at("inbox", "consume = true\nremove_folders = true");
    for n in 0..300 {
        inbox.drop_in(&format!("day/{}/{n}", n % 7), &format!("{n}"));
    }
    fs::create_dir_all(inbox.path.join("empty")).unwrap();
    let ended = inbox.ingest().ok();
    assert_eq!((total(&ended, "stored"), total(&ended, "consumed")), (300, 300));
    assert!(!inbox.path.join("day").exists(), "a folder that was emptied is there");
    assert!(inbox.path.join("empty").exists(), "a folder that nobody emptied is gone");
    inbox.ingest().ok();
    fs::remove_dir_all(&inbox.path).unwrap();
    inbox.ingest().with(3);
    assert_eq!(inbox.copies().len(), 300);
}

#[test]
fn what_may_still_be_written_is_left_and_links_and_excluded_names_are_never_removed() {
    let inbox = Inbox::at("inbox", "consume = true\nexclude = [\"*.part\"]");
    inbox.drop_in("done", "done");
    inbox.drop_in("open", "begun");
    inbox.drop_in("upload.part", "half");
    std::os::unix::fs::symlink("done", inbox.path.join("link")).unwrap();
    let writer = fs::File::options().append(true).open(inbox.path.join("open")).unwrap();
    let ended = inbox.ingest().ok();
    assert_eq!((total(&ended, "consumed"), total(&ended, "unsettled")), (1, 1));
    assert_eq!(inbox.left(), named(&[("open", "begun"), ("upload.part", "half")]));
    assert!(inbox.path.join("link").is_symlink());
    drop(writer);
    assert_eq!(total(&inbox.ingest().ok(), "consumed"), 1);
    let text = fs::read_to_string(inbox.sandbox.config()).unwrap().replace("\"0s\"", "\"1h\"");
    inbox.sandbox.configure(&text);
    inbox.drop_in("young", "young");
    assert_eq!(total(&inbox.ingest().ok(), "unsettled"), 1);
    assert_eq!(inbox.left().len(), 2);
}

#[test]
fn a_copy_that_is_not_what_was_stored_keeps_its_file_in_the_inbox() {
    let inbox = Inbox::at("inbox", "");
    inbox.drop_in("a", "alpha");
    settle();
    inbox.ingest().ok();
    inbox.configure(CONSUME);
    fs::write(inbox.sandbox.device().join(NAME).join("a"), "omega").unwrap();
    let ended = inbox.ingest().with(1);
    assert_eq!(ended.event("phc.ingest.problem.reported").text("code"), "copy-damaged");
    assert_eq!(inbox.left(), named(&[("a", "alpha")]));
}

#[test]
fn an_inbox_in_the_space_is_catalogued_in_place_and_consumed_by_a_rename() {
    let inbox = Inbox::at("space/sam/inbox", "");
    inbox.drop_in("a", "alpha");
    settle();
    let before = trees::snapshot(&inbox.path);
    let ended = inbox.ingest().ok();
    assert_eq!(ended.event("phc.ingest.inbox.arrived").text("root"), "sam/inbox");
    assert_eq!((before, inbox.copies()), (trees::snapshot(&inbox.path), named(&[])));
    assert_eq!(total(&inbox.ingest().ok(), "unchanged"), 1);
    inbox.configure(CONSUME);
    inbox.drop_in("sub/b", "beta");
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
    let was = inode(&inbox.path.join("sub/b"));
    inbox.ingest().ok();
    assert_eq!(inode(&inbox.sandbox.device().join(NAME).join("sub/b")), was);
    assert_eq!(inbox.copies(), named(&[("a", "alpha"), ("sub/b", "beta")]));
    assert_eq!(inbox.left(), named(&[]));
    inbox.is_verified(2);
}

#[test]
fn only_an_inbox_may_lie_in_the_space_and_only_beside_the_devices() {
    for path in ["space", "space/devices", "space/devices/bench/sam/other", "."] {
        let inbox = Inbox::at(path, CONSUME);
        inbox.ingest().refused(2, &["contain each other"]);
    }
    let inbox = Inbox::at("space/sam/inbox", "");
    inbox.drop_in("a", "alpha");
    let text = fs::read_to_string(inbox.sandbox.config()).unwrap();
    let cloud = text.replace("kind = \"inbox\"\nsettle = \"0s\"\n", "");
    inbox.sandbox.configure(&cloud);
    inbox.ingest().refused(2, &["contain each other"]);
    // By another name it is a loop, too: only its own path below the space is one.
    let link = inbox.sandbox.path("elsewhere");
    fs::create_dir_all(inbox.sandbox.path("space/devices")).unwrap();
    std::os::unix::fs::symlink(inbox.sandbox.path("space/devices"), &link).unwrap();
    inbox.sandbox.configure(&text.replace("space/sam/inbox", "elsewhere"));
    inbox.ingest().refused(2, &["contain each other"]);
}

#[test]
fn consume_is_an_error_elsewhere_and_never_meets_a_root_named_by_hand() {
    let inbox = Inbox::at("inbox", CONSUME);
    inbox.drop_in("a", "alpha");
    let other = inbox.sandbox.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("mine"), "mine").unwrap();
    let source = other.to_str().unwrap().to_owned();
    let ended = inbox.command(&["run", "--cloud", NAME, "--source", &source]);
    ended.refused(2, &["an inbox that is emptied"]);
    assert!(other.join("mine").exists());
    let text = fs::read_to_string(inbox.sandbox.config()).unwrap();
    for (without, word) in [
        (text.replace("kind = \"inbox\"\nsettle = \"0s\"\n", ""), "consume is for an inbox"),
        (text.clone() + "on_gone = \"trash\"\n", "is for a cloud"),
        (text.replace("consume = true", "remove_folders = true"), "consume = true"),
    ] {
        inbox.sandbox.configure(&without);
        inbox.ingest().refused(2, &[word]);
    }
    assert_eq!(inbox.left(), named(&[("a", "alpha")]));
}
