//! A file system that behaves as a cloud client's does: what it brings in when asked, and what it refuses.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::Expected;
use crate::runs;
use crate::world::World;

const EIO: i32 = 5;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const ETXTBSY: i32 = 26;
const EDEADLK: i32 = 35;
const ETIMEDOUT: i32 = 110;

/// The mounted file system; unmounted and ended with it.
struct Provider {
    server: Child,
    point: PathBuf,
    log: PathBuf,
}

impl Provider {
    /// Mounts these files as the world's source.
    fn of(world: &World, files: &[Value]) -> Provider {
        let (point, log) = (world.source(), world.sandbox.path("opened"));
        let described = world.sandbox.path("described");
        let lines: Vec<String> = files.iter().map(Value::to_string).collect();
        std::fs::write(&described, lines.join("\n")).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ingest/provider.py");
        let mut server = Command::new("python3");
        server.arg(script).args([&point, &described, &log]).stdout(Stdio::piped());
        let mut server = server.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n");
        Provider { server, point, log }
    }

    /// How often a file was opened.
    fn opened(&self, name: &str) -> usize {
        let wanted = format!("open {name}");
        std::fs::read_to_string(&self.log).unwrap().lines().filter(|l| *l == wanted).count()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.point).status();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Runs once, and says the codes of the problems by the files' names, and the totals.
fn run(world: &World, args: &[&str], exit: i32) -> (Vec<(String, String)>, Value) {
    let expected =
        Expected { args: args.iter().map(ToString::to_string).collect(), ..Expected::default() };
    let ended = runs::about(world, "run", &expected).end().with(exit);
    let name = |event: &tests::Event| {
        let place = PathBuf::from(event.text("where"));
        place.file_name().unwrap().to_string_lossy().into_owned()
    };
    let told = ended.events_of("phc.ingest.problem.reported");
    let mut problems: Vec<_> =
        told.iter().map(|event| (name(event), event.text("code").to_owned())).collect();
    problems.sort();
    assert!(crate::eyes::litter(&world.sandbox.space()).is_empty(), "litter");
    (problems, runs::finished(&ended).at("totals").clone())
}

fn told(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect()
}

fn copy(world: &World, name: &str) -> Option<String> {
    std::fs::read_to_string(world.copy().join(name)).ok()
}

fn count(totals: &Value, name: &str) -> u64 {
    totals[name].as_u64().unwrap_or_else(|| panic!("no {name} in {totals}"))
}

#[test]
fn needs_root_needs_python3_what_passes_is_waited_for_and_what_does_not_is_told_by_its_kind() {
    let world = World::new(None);
    let provider = Provider::of(
        &world,
        &[
            json!({"name": "plain", "text": "plain"}),
            json!({"name": "deadlock", "text": "one", "open": [EDEADLK, EDEADLK]}),
            json!({"name": "timeout", "text": "two", "read": [ETIMEDOUT]}),
            json!({"name": "eio", "text": "three", "read": [EIO, EIO]}),
            json!({"name": "busy", "text": "four", "open": [EBUSY, ETXTBSY]}),
            json!({"name": "never", "text": "five", "open": [EDEADLK], "always": true}),
            json!({"name": "broken", "text": "six", "read": [EIO], "always": true}),
            json!({"name": "held", "text": "seven", "open": [EBUSY], "always": true}),
            json!({"name": "refused", "text": "eight", "open": [EACCES], "always": true}),
        ],
    );
    let began = Instant::now();
    let (problems, totals) = run(&world, &[], 1);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let expected = [
        ("broken", "entry-failing"),
        ("held", "entry-busy"),
        ("never", "entry-not-delivered"),
        ("refused", "entry-unreadable"),
    ];
    assert_eq!(problems, told(&expected));
    assert_eq!((count(&totals, "stored"), count(&totals, "failed")), (5, 4));
    for (name, text) in [
        ("plain", "plain"),
        ("deadlock", "one"),
        ("timeout", "two"),
        ("eio", "three"),
        ("busy", "four"),
    ] {
        assert_eq!(copy(&world, name).as_deref(), Some(text), "{name}");
    }
    for (name, _) in expected {
        assert_eq!(copy(&world, name), None, "half a copy of {name}");
    }
    // A refusal does not pass: it is asked once. What may pass is asked six times, and no more.
    assert_eq!(provider.opened("refused"), 1);
    assert_eq!((provider.opened("never"), provider.opened("held")), (6, 6));
    assert_eq!((provider.opened("deadlock"), provider.opened("plain")), (3, 1));
}

#[test]
fn needs_root_needs_python3_what_is_away_is_opened_only_to_bring_it_in_and_within_the_budget() {
    let world = World::new(None);
    let text = |length: usize| "x".repeat(length);
    let provider = Provider::of(
        &world,
        &[
            json!({"name": "here", "text": "here"}),
            json!({"name": "a", "text": text(1000), "away": true}),
            json!({"name": "b", "text": text(1001), "away": true}),
            json!({"name": "c", "text": text(1002), "away": true}),
            json!({"name": "large", "text": text(5000), "away": true}),
        ],
    );
    for _ in 0..2 {
        let (_, totals) = run(&world, &[], 0);
        assert_eq!((count(&totals, "deferred"), count(&totals, "deferred_bytes")), (4, 8003));
    }
    for name in ["a", "b", "c", "large"] {
        assert_eq!(provider.opened(name), 0, "{name} was opened");
        assert_eq!(copy(&world, name), None);
    }
    assert_eq!(provider.opened("here"), 1);

    // 2,100 bytes are room for the first two, not for a third or the large one.
    let (_, totals) = run(&world, &["--hydrate", "2100"], 0);
    assert_eq!((count(&totals, "hydrated"), count(&totals, "hydrated_bytes")), (2, 2001));
    assert_eq!((count(&totals, "deferred"), count(&totals, "deferred_bytes")), (2, 6002));
    assert_eq!(copy(&world, "a"), Some(text(1000)));
    assert_eq!(copy(&world, "b"), Some(text(1001)));
    assert_eq!((provider.opened("c"), provider.opened("large")), (0, 0));
    let left = [("c", "1002"), ("large", "5000")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(runs::deferred(&world), left);

    // What does not fit does not keep the others waiting; at last everything is there.
    run(&world, &["--hydrate", "1500"], 0);
    assert_eq!((provider.opened("c"), provider.opened("large")), (1, 0));
    let (_, totals) = run(&world, &["--hydrate", "1GB"], 0);
    assert_eq!(count(&totals, "deferred"), 0);
    assert_eq!(copy(&world, "large"), Some(text(5000)));
    assert!(runs::deferred(&world).is_empty());
    let (_, totals) = run(&world, &["--hydrate", "1GB"], 0);
    assert_eq!((count(&totals, "hydrated"), count(&totals, "stored")), (0, 0));
}

#[test]
fn needs_root_needs_python3_what_can_not_be_brought_in_is_told_and_stays_deferred() {
    let config = "[ingest]\nhydrate = \"1MB\"\n";
    let world = World::new(Some(config));
    let refused = |n: usize| json!({"name": format!("refused{n}"), "text": "refused", "away": true, "open": [EACCES], "always": true});
    let mut files = vec![
        json!({"name": "later", "text": "later", "away": true, "open": [EDEADLK, ETIMEDOUT]}),
        json!({"name": "never", "text": "never", "away": true, "open": [ETIMEDOUT], "always": true}),
        json!({"name": "again", "text": "again", "away": true, "stuck": true}),
    ];
    files.extend((0..40).map(refused));
    let provider = Provider::of(&world, &files);
    let (problems, totals) = run(&world, &[], 1);
    let of = |code: &str| problems.iter().filter(|(_, c)| c == code).count();
    assert_eq!(copy(&world, "later").as_deref(), Some("later"));
    assert_eq!((copy(&world, "never"), copy(&world, "again")), (None, None));
    assert_eq!(of("entry-not-delivered"), 2, "{problems:?}");
    // Whoever refuses a few refuses all: that is no reason to ask for each.
    let asked: usize = (0..40).map(|n| provider.opened(&format!("refused{n}"))).sum();
    assert!((3..10).contains(&asked), "{asked} were asked for");
    assert_eq!(of("entry-unreadable"), asked);
    assert_eq!((count(&totals, "hydrated"), count(&totals, "deferred")), (1, 42));
    assert_eq!(runs::deferred(&world).len(), 42);
    // Without a budget nothing is asked at all.
    run(&world, &["--hydrate", "0"], 0);
    let again: usize = (0..40).map(|n| provider.opened(&format!("refused{n}"))).sum();
    assert_eq!(again, asked);
}

#[test]
fn needs_strace_no_stub_is_opened_whatever_it_is_marked_by() {
    let world = World::new(None);
    let source = world.source();
    type Attributes<'a> = &'a [(&'a str, &'a [u8])];
    let marks: [(&str, &str, Attributes<'_>); 5] = [
        (".report.pdf.icloud", "bplist00", &[]),
        ("photo.jpg.nextcloud", " ", &[]),
        ("nextcloud", " ", &[("user.nextcloud.hydrate_exec", b"nextcloud")]),
        ("opencloud", "", &[("user.openvfs.state", b"virtual"), ("user.openvfs.fsize", b"7")]),
        ("openvfs", "", &[("user.openvfs.data", b"\x82\xa4size\x07\xa5state\x01")]),
    ];
    for (name, text, attributes) in marks {
        std::fs::write(source.join(name), text).unwrap();
        for (attribute, value) in attributes {
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::setxattr(source.join(name), *attribute, value, flags).unwrap();
        }
    }
    std::fs::write(source.join("here"), "here").unwrap();
    let trace = world.sandbox.path("trace");
    // A budget changes nothing: none of these would be brought in by being opened.
    let args = vec!["--hydrate".to_owned(), "1GB".to_owned()];
    let run = runs::about(&world, "run", &Expected { args, ..Expected::default() });
    let how = ["--follow-forks", "--trace=?open,?openat,?openat2", "--output"].map(Path::new);
    let ended = run.behind("strace", how.into_iter().chain([&*trace])).end().ok();
    assert_eq!(runs::finished(&ended).count("totals/deferred"), 5);
    let trace = std::fs::read_to_string(&trace).unwrap();
    assert!(trace.contains("\"here\""), "strace saw nothing");
    for (name, ..) in marks {
        assert!(!trace.contains(name), "{name} was opened:\n{trace}");
    }
}
