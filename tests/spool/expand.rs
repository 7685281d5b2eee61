//! `read --expand`: a batch becomes the events of its files.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::bench::Bench;

const INCREMENT: &str = "018f3a1e-0000-7000-8000-000000000001";

/// An event as a batch is expanded to, with what `read` adds.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct PerFile {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: Option<String>,
    time: Option<String>,
    datacontenttype: Option<String>,
    runid: Option<String>,
    data: Value,
    segment: String,
}

fn news() -> String {
    let file = |path: Value, change: &str| {
        json!({"cloud": "docs", "path": path, "kind": "file", "live": change != "gone", "size": 1,
            "mtime_ns": 1, "digest": null, "mode": null, "uid": null, "gid": null, "target": null,
            "change": change, "from": null})
    };
    let mut odd = file(json!({"bytes": "/w=="}), "stored");
    odd["novel"] = json!({"deep": true});
    let lines = [file(json!("a/b"), "stored"), file(json!("old"), "gone"), odd];
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Puts an increment into the catalog and its event into the spool.
fn batch(bench: &Bench, text: &str, digest: &str) {
    batch_after(bench, "", text, digest);
}

/// The same, with other events before it in its segment.
fn batch_after(bench: &Bench, before: &str, text: &str, digest: &str) {
    let catalog = bench.sandbox.device().join("_catalog/docs");
    std::fs::create_dir_all(&catalog).unwrap();
    std::fs::write(catalog.join(format!("{INCREMENT}.jsonl")), text).unwrap();
    let event = json!({"specversion": "1.0", "id": "batch", "source": "/phc/bench/sam/ingest",
        "type": "phc.ingest.batch.stored", "time": "2026-01-01T00:00:00Z",
        "data": {"cloud": "docs", "increment": INCREMENT, "count": 3, "bytes": 2, "digest": digest}});
    bench.spool(&["put"]).stdin(format!("{before}{event}")).end().ok();
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn events(stdout: &str, kind: &str) -> Vec<PerFile> {
    let values = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_kind = values.filter(|value| value["type"].as_str().unwrap().starts_with(kind));
    of_kind
        .map(|value| {
            tests::schemas::cloud_event(&value);
            serde_json::from_value(value).unwrap()
        })
        .collect()
}

#[test]
fn each_line_of_the_increment_is_an_event_whose_id_is_the_same_each_time() {
    let bench = Bench::new();
    let text = news();
    batch(&bench, &text, &digest(&text));
    let read = |consumer| {
        let ended = bench.spool(&["read", "--expand", "--consumer", consumer]).end().ok();
        events(&ended.stdout, "phc.ingest")
    };
    let told = read("a");
    let kinds: Vec<_> = told.iter().map(|e| (e.kind.as_str(), e.subject.as_deref())).collect();
    let stored = "phc.ingest.file.stored";
    assert_eq!(
        kinds,
        [(stored, Some("a/b")), ("phc.ingest.file.gone", Some("old")), (stored, None)]
    );
    let ids: Vec<&str> = told.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids, [1, 2, 3].map(|n| format!("{INCREMENT}.{n}")));
    for (event, line) in told.iter().zip(text.lines()) {
        assert_eq!(event.data, serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(event.source, "/phc/bench/sam/ingest");
        assert_eq!(event.time.as_deref(), Some("2026-01-01T00:00:00Z"));
    }
    assert_eq!(read("b"), told);
    bench
        .spool(&["read", "--expand", "--consumer", "c", "--exec", "sh", "-c"])
        .arg("test $(wc -l) -ge 3")
        .end()
        .ok();
    let plain = bench.spool(&["read", "--consumer", "d"]).end().ok();
    assert_eq!(events(&plain.stdout, "phc.ingest")[0].kind, "phc.ingest.batch.stored");
}

#[test]
fn what_the_catalog_has_no_more_is_told_and_the_batch_itself_passed_on() {
    let text = news();
    let catalog = format!("_catalog/docs/{INCREMENT}.jsonl");
    for (wrong, words) in [("gone", "compaction"), ("other", "digest")] {
        let bench = Bench::new();
        match wrong {
            "gone" => {
                batch(&bench, &text, &digest(&text));
                std::fs::remove_file(bench.sandbox.device().join(&catalog)).unwrap();
            }
            _ => batch(&bench, &text, &digest("else")),
        }
        let ended = bench.spool(&["read", "--expand", "--consumer", "a"]).end().with(1);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
        let told = events(&ended.stdout, "phc.ingest");
        assert_eq!((told.len(), told[0].id.as_str()), (1, "batch"));
    }
}

#[test]
fn a_command_that_got_only_a_part_has_not_finished_the_segment() {
    let bench = Bench::new();
    let text = news();
    // More than a pipe holds comes first, so that the command runs before the increment is read.
    let many: String =
        (0..4000).map(|n| crate::bench::line(&format!("{n}-{:0>90}", 0)) + "\n").collect();
    batch_after(&bench, &many, &text, &digest(&text));
    let increment = bench.sandbox.device().join(format!("_catalog/docs/{INCREMENT}.jsonl"));
    let script = format!("rm -f {}; cat > /dev/null; exit 0", increment.display());
    let exec = ["read", "--expand", "--consumer", "a", "--backoff", "0s", "--exec", "sh", "-c"];
    let ended = bench.spool(&exec).arg(&script).end().with(75);
    assert!(ended.stderr.contains("to their end"), "{}", ended.stderr);
    // With the increment gone for good, the batch itself is passed on.
    bench.spool(&exec).arg("cat > /dev/null").end().with(1);
    assert_eq!(bench.record("a").unfinished, 0);
}

#[test]
fn a_real_run_expands_to_its_files() {
    let bench = Bench::new();
    for name in ["one", "two", "deep/three"] {
        bench.sandbox.write(&format!("home/docs/{name}"), name);
    }
    let run = bench.sandbox.run("phc-ingest").args(["run", "--cloud", "docs", "--source"]);
    run.arg(bench.sandbox.home().join("docs")).end().ok();
    let ended = bench.spool(&["read", "--expand", "--consumer", "a"]).end().ok();
    let told = events(&ended.stdout, "phc.ingest.file.stored");
    let mut paths: Vec<&str> = told.iter().filter_map(|e| e.subject.as_deref()).collect();
    paths.retain(|path| !path.ends_with("deep"));
    paths.sort_unstable();
    assert_eq!(paths, ["deep/three", "one", "two"]);
    for event in &told {
        tests::schemas::data(&event.kind, &event.data);
    }
}
