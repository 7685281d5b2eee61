//! `prune`: what is old and finished by all, and nothing else.

use std::time::Duration;

use crate::bench::{Bench, Pruned, data};

fn prune(bench: &Bench, arguments: &[&str]) -> Pruned {
    data(&bench.spool(&["prune"]).args(arguments).end(), "phc.spool.spools.pruned")
}

#[test]
fn a_young_segment_stays_and_a_dry_run_touches_nothing() {
    let bench = Bench::new();
    let id = bench.put(&["1"]);
    let size = bench.segment(&id).metadata().unwrap().len();
    let kept = prune(&bench, &[]);
    assert_eq!((kept.segments, kept.removed, kept.dry_run), (1, 0, false));
    bench.sandbox.configure("[spool]\nretention = \"1s\"\n");
    std::thread::sleep(Duration::from_millis(1200));
    let would = prune(&bench, &["--dry-run"]);
    assert_eq!((would.removed, would.bytes, would.held, would.dry_run), (1, size, 0, true));
    assert_eq!(bench.segments().len(), 1);
    assert_eq!(prune(&bench, &[]).removed, 1);
    assert!(!bench.folder().join("new").read_dir().unwrap().any(|_| true), "an empty day stays");
}

#[test]
fn what_a_consumer_has_not_finished_stays_until_it_was_not_seen_for_long() {
    let bench = Bench::new();
    bench.sandbox.configure("[spool]\nretention = \"1s\"\n");
    bench.put(&["1"]);
    bench.exec("a", "exit 4").end().with(1);
    std::thread::sleep(Duration::from_millis(1200));
    let held = prune(&bench, &[]);
    assert_eq!((held.removed, held.held), (0, 1));
    bench.sandbox.configure("[spool]\nretention = \"1s\"\nconsumer_idle = \"1s\"\n");
    let ended = bench.spool(&["prune"]).end().with(1);
    assert!(ended.stderr.contains("the consumer a was not seen"), "{}", ended.stderr);
    assert_eq!(data::<Pruned>(&ended, "phc.spool.spools.pruned").removed, 1);
    // What is gone is forgotten, not missed.
    bench.take("a").end().ok();
    assert_eq!(bench.record("a").unfinished, 0);
}

#[test]
fn a_record_that_can_not_be_read_holds_everything_and_is_told() {
    let bench = Bench::new();
    bench.sandbox.configure("[spool]\nretention = \"1s\"\n");
    bench.put(&["1"]);
    bench.take("a").end().ok();
    let record = bench.sandbox.space().join("devices/_consumers/a.json");
    std::fs::write(&record, "{").unwrap();
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(prune(&bench, &[]).held, 1);
    let ended = bench.spool(&["consumers"]).end().with(1);
    assert!(ended.stderr.contains("consumer a"), "{}", ended.stderr);
    // Its consumer makes it anew; a stranger of the same name does not.
    bench.take("a").end().ok();
    assert_eq!(bench.record("a").unfinished, 0);
    std::fs::write(&record, "{").unwrap();
    std::fs::remove_dir_all(bench.sandbox.state().join("consumers")).unwrap();
    bench.take("a").end().refused(2, &["consumer a"]);
}
