//! The guard stands between every batch and the copies.

use crate::watcher::Bench;

#[test]
fn a_disaster_is_refused_what_else_changes_goes_on_and_an_approval_is_noticed() {
    let bench = Bench::new();
    bench.fill("many", 150);
    bench.fill("few", 10);
    let mut watcher = bench.watch();
    std::fs::remove_dir_all(bench.source("many")).unwrap();
    let refused = watcher.wait("a refusal", |e| {
        e.kind == "phc.ingest.run.finished" && e.text("outcome") == "refused"
    });
    bench.write("few/1", "goes on");
    watcher.wait_for_file("few/1");
    assert!(bench.copy("many/1").exists());
    let mut plan = refused.text("plan").to_owned();
    // The two were judged together once more, which may have made another plan of it.
    for event in watcher.said().lines().map(tests::events::Event::valid) {
        if event.kind == "phc.ingest.run.finished" && event.text("outcome") == "refused" {
            plan = event.text("plan").to_owned();
        }
    }
    bench.sandbox.run("phc-ingest").args(["approve", &plan]).end().ok();
    assert_eq!(watcher.wait_for_file("many/149").kind, "phc.ingest.file.gone");
    watcher.stop();
    assert_eq!(bench.run().ok().event("phc.ingest.run.finished").count("totals/gone"), 0);
}

#[test]
fn small_batches_add_up() {
    let bench = Bench::new();
    for n in 0..8 {
        bench.fill(&format!("f{n}"), 50);
    }
    let mut watcher = bench.watch();
    for n in 0..2 {
        std::fs::remove_dir_all(bench.source(&format!("f{n}"))).unwrap();
        watcher.wait("its run", |e| {
            e.kind == "phc.ingest.run.finished" && e.count("totals/gone") == 50
        });
    }
    std::fs::remove_dir_all(bench.source("f2")).unwrap();
    let ended = watcher.wait_for("phc.ingest.run.finished");
    assert_eq!(ended.text("outcome"), "refused", "{}", ended.data);
}
