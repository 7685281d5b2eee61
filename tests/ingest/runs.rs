//! The programs' runs: what has to come of each, and what may come of none.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tests::trees::{self, Kind};
use tests::{Ended, Event, Run, programs};

use crate::case::{Expected, Step};
use crate::eyes;
use crate::world::{CLOUD, World};

/// Totals that tell what was found; the others tell what was done or is remarkable.
const FOUND: [&str; 6] = ["files", "bytes", "folders", "unchanged", "bytes_stored", "partial"];

/// Problems that are told and make no run a partial one: what was lost could be made again.
const GOOD_NEWS: [&str; 2] = ["manifest-rebuilt", "space-rolled-back"];

/// Younger stamps than this are not trusted by a run; most cases are not about that.
const RACY: Duration = Duration::from_millis(25);

/// `phc-ingest run` or `plan` of the case's source.
pub fn about(world: &World, command: &str, expected: &Expected) -> Run {
    if !expected.at_once {
        std::thread::sleep(RACY);
    }
    let program = programs::path("phc-ingest");
    let is_root = rustix::process::geteuid().is_root();
    let run = match expected.unprivileged && is_root {
        // A root without capabilities is refused what the owner is refused.
        true => world
            .sandbox
            .any(Path::new("/usr/bin/setpriv"))
            .args(["--bounding-set=-all", "--inh-caps=-all"])
            .arg(program),
        false => world.sandbox.any(&program),
    };
    run.args([command, "--cloud", CLOUD, "--format", "json", "--source"])
        .arg(world.source())
        .arg("--space")
        .arg(world.sandbox.space())
        .args(&expected.args)
}

/// Runs and checks what is expected, and the laws of every run; says the plan's id.
pub fn ingest(world: &World, expected: &Expected) -> Option<String> {
    let source = trees::snapshot(&world.source());
    let ended = about(world, "run", expected).end().with(expected.exit);
    assert_eq!(source, trees::snapshot(&world.source()), "the source was written");
    let finished = checked(&ended, expected);
    if !expected.files.is_empty() {
        assert_eq!(told(&ended, "change"), expected.files, "changes");
    }
    let space = world.sandbox.space();
    let own = eyes::litter(&world.source()).len();
    assert_eq!(eyes::litter(&space).len(), own, "litter: {:?}", eyes::litter(&space));
    if expected.exit == 0 {
        assert_modes(world);
    }
    finished.at("plan").as_str().map(str::to_owned)
}

/// Plans, checks what is expected, and that nothing is touched in source, space and state.
pub fn plan(world: &World, expected: &Expected) -> Option<String> {
    let touched = || {
        let trees = [world.source(), world.sandbox.space()].map(|root| trees::snapshot(&root));
        (trees, eyes::state(&world.sandbox.state()))
    };
    let before = touched();
    let ended = about(world, "plan", expected).end().with(expected.exit);
    assert!(before == touched(), "a plan touched something");
    let finished = checked(&ended, expected);
    assert_eq!(finished.at("dry_run"), &Value::Bool(true));
    if !expected.files.is_empty() {
        assert_eq!(told(&ended, "action"), expected.files, "actions");
    }
    finished.at("plan").as_str().map(str::to_owned)
}

/// Runs twice: the second writes nothing but its own events.
pub fn idle(world: &World) {
    about(world, "run", &Expected::default()).end().ok();
    let stored = || {
        let catalog = world.sandbox.device().join("_catalog");
        [world.copy(), catalog].map(|root| trees::snapshot(&root))
    };
    let before = stored();
    ingest(world, &Expected { totals: found_links(world), ..Expected::default() });
    assert_eq!(before, stored(), "a run of nothing new wrote something");
}

/// What every run counts anew, whatever was known before.
fn found_links(world: &World) -> BTreeMap<String, u64> {
    let finished = finished(&about(world, "plan", &Expected::default()).end().ok());
    let counts = ["symlinks", "specials", "excluded", "mount_points"];
    counts.map(|name| (name.to_owned(), finished.count(&format!("totals/{name}")))).into()
}

/// Approves the last plan.
pub fn approve(world: &World) {
    let plan = world.plan.as_deref().unwrap_or_else(|| panic!("no plan was told"));
    let ended = world.sandbox.run("phc-ingest").args(["approve", plan]).end().ok();
    assert_eq!(ended.event("phc.ingest.plan.approved").text("plan"), plan);
}

/// What `phc-ingest deferred` lists.
pub fn deferred(world: &World) -> Vec<(String, String)> {
    let ended = world.sandbox.run("phc-ingest").args(["deferred", "--cloud", CLOUD]).end().ok();
    let size = |event: &Event| event.at("size").as_u64().map_or("?".into(), |n| n.to_string());
    let told = ended.events_of("phc.ingest.file.deferred");
    told.iter().map(|event| (event.text("path").to_owned(), size(event))).collect()
}

/// Runs an expiry; says the plan's id.
pub fn expire(world: &World, exit: i32) -> Option<String> {
    let run = world.sandbox.run("phc-ingest").arg("expire").arg("--space");
    let ended = run.arg(world.sandbox.space()).end().with(exit);
    let told = ended.event("phc.ingest.trash.expired");
    assert_eq!(told.at("refused"), &Value::Bool(exit == 3));
    told.at("plan").as_str().map(str::to_owned)
}

/// The last event of a run, after checking its frame.
pub fn finished(ended: &Ended) -> Event {
    let events = ended.events();
    let finished = events.last().unwrap_or_else(|| panic!("no event: {}", ended.stderr));
    assert_eq!(finished.kind, "phc.ingest.run.finished", "{}", ended.stdout);
    assert!(events.iter().all(|event| event.runid == finished.runid), "more than one run");
    let frames = events.iter().filter(|event| event.kind == "phc.ingest.run.finished").count();
    assert_eq!(frames, 1);
    finished.clone()
}

/// Checks what the run tells of itself; says its last event.
fn checked(ended: &Ended, expected: &Expected) -> Event {
    let finished = finished(ended);
    let outcome = match expected.exit {
        0 => "done",
        1 => "partial",
        3 => "refused",
        75 => "deferred",
        _ => "failed",
    };
    assert_eq!(finished.text("outcome"), outcome, "{}", finished.data);
    let problem = finished.at("problem");
    assert_eq!(problem["code"].as_str(), expected.problem.as_deref(), "{problem}");
    let problems = problems(ended);
    assert_eq!(problems, expected.problems);
    let counted = problems.iter().filter(|code| !GOOD_NEWS.contains(&code.as_str())).count();
    assert_eq!(finished.count("problems"), counted as u64);
    if !expected.any_totals {
        totals(finished.at("totals"), expected);
    }
    finished
}

/// The codes of the problems that a program reported on its way, sorted.
fn problems(ended: &Ended) -> Vec<String> {
    let events = ended.events().into_iter();
    let reported = events.filter(|event| event.kind.ends_with(".problem.reported"));
    let mut codes: Vec<String> = reported.map(|event| event.text("code").to_owned()).collect();
    codes.sort();
    codes
}

fn totals(totals: &Value, expected: &Expected) {
    let Some(totals) = totals.as_object() else {
        assert!(expected.totals.is_empty(), "no totals");
        return;
    };
    let wanted = |name: &String| match expected.totals.get(name) {
        None if FOUND.contains(&name.as_str()) => None,
        named => Some(named.copied().unwrap_or(0)),
    };
    assert!(expected.totals.keys().all(|name| totals.contains_key(name)), "no such total");
    let figures = totals.iter().filter(|(_, n)| n.is_number());
    let other = figures.filter(|(name, n)| wanted(name).is_some_and(|w| **n != w));
    let other: Vec<_> = other.map(|(name, n)| format!("{name} = {n}")).collect();
    assert!(other.is_empty(), "{other:?} in {totals:?}");
}

/// Path and action or change of each file that is told.
fn told(ended: &Ended, what: &str) -> BTreeMap<String, String> {
    let files = ended.events().into_iter().filter(|event| event.kind.contains(".file."));
    let path = |event: &Event| match event.at("path") {
        Value::String(path) => path.clone(),
        other => other.to_string(),
    };
    files.map(|event| (path(&event), event.text(what).to_owned())).collect()
}

/// Runs a program with what the case gives it.
pub fn call(world: &World, step: &Step) {
    let Step::Call { program, args, exit, says, events, problems } = step else { return };
    let fill = |arg: &String| {
        let path = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
        arg.replace("{plan}", world.plan.as_deref().unwrap_or("{plan}"))
            .replace("{source}", &path(world.source()))
            .replace("{space}", &path(world.sandbox.space()))
            .replace("{sandbox}", &path(world.sandbox.path("")))
    };
    let ended = world.sandbox.run(program).args(args.iter().map(fill)).end().with(*exit);
    for word in says {
        assert!(ended.stderr.contains(word.as_str()), "{word:?} not in {:?}", ended.stderr);
    }
    assert!(says.is_empty() || ended.stderr.lines().count() == 1, "{}", ended.stderr);
    for (kind, count) in events {
        assert_eq!(ended.events_of(kind).len(), *count, "{kind} in {}", ended.stdout);
    }
    assert_eq!(&self::problems(&ended), problems);
}

/// No copy of a file that is there is more readable than its source, nor than 0640 and 0750 (safety law 9).
pub fn assert_modes(world: &World) {
    let (source, copy) = (world.source(), world.copy());
    if !copy.exists() {
        return;
    }
    for (path, from) in trees::list(&source) {
        let most = match from.kind {
            Kind::Folder => 0o750,
            Kind::File => 0o640,
            // Nothing is made for these; what lies there is a former file's tombstone.
            Kind::Symlink | Kind::Special => continue,
        };
        // The owner can always enter the folders of a copy, else the next run could not.
        let always = if from.kind == Kind::Folder { 0o700 } else { 0 };
        let Ok(meta) = copy.join(&path).symlink_metadata() else { continue };
        let (mode, allowed) = (meta.mode() & 0o7777, (from.mode & most) | always);
        assert_eq!(mode & !allowed, 0, "{} has {mode:o}, not {allowed:o}", path.display());
    }
}
