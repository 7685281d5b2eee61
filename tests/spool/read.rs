//! `read`, `ack`, `dead`, `consumers`: consumers, each for itself.

use crate::bench::{Bench, Died, Finished, all, data, ids};

#[test]
fn two_consumers_know_nothing_of_each_other() {
    let bench = Bench::new();
    let (one, two) = (bench.put(&["1"]), bench.put(&["2"]));
    let ended = bench.take("a").end().ok();
    let told: Vec<Finished> = all(&ended, "phc.spool.segment.finished");
    let segments: Vec<&str> = told.iter().map(|f| f.segment.as_str()).collect();
    assert_eq!(segments, [&one, &two]);
    assert!(told.iter().all(|f| (&*f.consumer, &*f.device, f.exit) == ("a", "bench/sam", Some(0))));
    bench.exec("b", "exit 4").end().with(1);
    bench.take("a").end().ok();
    assert_eq!(bench.taken(), ["1", "2"]);
    bench.take("b").end().ok();
    assert_eq!(bench.taken(), ["1", "2", "1", "2"]);

    let (a, b) = (bench.record("a"), bench.record("b"));
    assert_eq!((a.schema, a.consumer.as_str(), a.device.as_str()), (1, "a", "bench/sam"));
    assert_eq!((a.unfinished, a.oldest_unfinished, a.newest), (0, None, Some(two)));
    assert!(a.id != b.id && a.only.is_none() && a.dead.is_empty() && a.looked <= Some(a.time));
    let listed = bench.spool(&["consumers"]).end().ok();
    assert_eq!(listed.events_of("phc.spool.consumer.listed").len(), 2);
}

#[test]
fn the_exit_code_of_the_command_decides() {
    for (script, code, again) in [
        ("exit 0", 0, false),
        ("exit 1", 0, false),
        ("exit 3", 1, true),
        ("exit 75", 75, true),
        ("exit 4", 1, true),
        ("kill -9 $$", 1, true),
    ] {
        let bench = Bench::new();
        bench.put(&["1"]);
        bench.exec("a", script).end().with(code);
        bench.take("a").end().ok();
        assert_eq!(bench.taken().len(), usize::from(again), "{script}");
    }
}

#[test]
fn waiting_never_counts_and_a_poison_segment_dies_after_its_attempts() {
    let bench = Bench::new();
    bench.sandbox.configure("[spool]\nattempts = 2\n");
    let poison = bench.put(&["poison"]);
    bench.put(&["good"]);
    for code in ["75", "3", "75"] {
        bench.exec("a", &format!("exit {code}")).end();
    }
    let script = "grep -q poison && { echo bitter >&2; exit 9; } || exit 0";
    let first = bench.exec("a", script).end().with(1);
    assert!(first.stderr.contains("attempt 1 of 2"), "{}", first.stderr);
    let second = bench.exec("a", script).end().with(1);
    assert!(second.stderr.contains("[segment-dead]"), "{}", second.stderr);
    bench.exec("a", script).end().ok();

    let ended = bench.spool(&["dead"]).end().ok();
    let died: Died = data(&ended, "phc.spool.segment.died");
    assert_eq!((&*died.consumer, &*died.device, died.attempts), ("a", "bench/sam", 2));
    assert_eq!((died.segment.as_str(), died.retried), (poison.as_str(), false));
    assert!(died.reason.contains('9') && died.reason.contains("bitter"), "{}", died.reason);
    assert_eq!(bench.record("a").dead, [format!("bench/sam/{poison}")]);

    let retried = bench.spool(&["dead", "--consumer", "a", "--retry"]).end().ok();
    assert!(data::<Died>(&retried, "phc.spool.segment.died").retried);
    bench.take("a").end().ok();
    assert_eq!(bench.taken(), ["poison"]);
    assert!(bench.spool(&["dead"]).end().ok().stdout.is_empty());
    bench.spool(&["dead", "--consumer", "nobody"]).end().refused(2, &["nobody"]);
}

#[test]
fn what_is_no_segment_is_dead_with_its_reason_and_the_rest_goes_on() {
    let bench = Bench::new();
    let large = format!("\"{}\"\n", "x".repeat(1024 * 1024));
    for (content, reason) in [("", "empty"), ("{]\n", "line 1"), (large.as_str(), "65536")] {
        let id = bench.put(&["bad"]);
        std::fs::write(bench.segment(&id), content).unwrap();
        bench.put(&["good"]);
        bench.take("a").end().with(1);
        let ended = bench.spool(&["dead"]).end().ok();
        let died = all::<Died>(&ended, "phc.spool.segment.died").pop().unwrap();
        assert!(died.segment == id && died.reason.contains(reason), "{died:?}");
    }
    assert_eq!(bench.taken(), ["good", "good", "good"]);
}

#[test]
fn what_went_to_stdout_is_finished_by_ack_and_not_before() {
    let bench = Bench::new();
    let (one, two) = (bench.put(&["1"]), bench.put(&["2"]));
    let read = |lease: &str| {
        let ended = bench.spool(&["read", "--consumer", "a", "--lease", lease]).end().ok();
        let segment = |line: &str| -> String {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["segment"]
                .as_str()
                .unwrap()
                .into()
        };
        assert!(ended.stdout.lines().all(|line| [&one, &two].contains(&&segment(line))));
        ids(&ended.stdout)
    };
    assert_eq!(read("1s"), ["1", "2"]);
    assert_eq!(read("1s"), [""; 0]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(read("15m"), ["1", "2"]);

    let acked = bench.spool(&["ack", "--consumer", "a", &one]).end().ok();
    let told: Finished = data(&acked, "phc.spool.segment.finished");
    assert_eq!((told.segment.as_str(), told.exit), (one.as_str(), None));
    assert_eq!(bench.record("a").oldest_unfinished.as_deref(), Some(two.as_str()));
    let stranger = "018f3a1e-0000-7000-8000-000000000000";
    bench.spool(&["ack", "--consumer", "a", &two, stranger]).end().refused(2, &[stranger]);
    assert_eq!(bench.record("a").unfinished, 1);
    bench.spool(&["ack", "--consumer", "a"]).end().ok();
    assert_eq!(bench.record("a").unfinished, 0);
    bench.spool(&["ack", "--consumer", "nobody"]).end().refused(2, &["nobody"]);
    bench.spool(&["ack", "--consumer", "a", "no-id"]).end().refused(2, &["no-id"]);
}

#[test]
fn a_reader_that_leaves_the_pipe_gets_the_rest_again() {
    let bench = Bench::new();
    let many: Vec<String> = (0..4000).map(|n| format!("{n}-{}", "x".repeat(100))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    bench.put(&many);
    let program = tests::programs::path("phc-spool");
    let script = format!("{} read --consumer a | head -n 1; echo", program.display());
    bench.sandbox.any("/bin/sh".as_ref()).args(["-c", &script]).end().ok();
    let ended = bench.spool(&["read", "--consumer", "a"]).end().ok();
    assert_eq!(ids(&ended.stdout).len(), 4000);
}

#[test]
fn a_consumer_keeps_to_its_device_and_its_name_to_its_machine() {
    let bench = Bench::new();
    bench.put(&["mine"]);
    let there = |arguments: &[&str]| {
        bench
            .spool(arguments)
            .env("PHC_HOST", "other")
            .env("PHC_STATE_DIR", bench.sandbox.path("other"))
    };
    let adopt =
        bench.sandbox.run("phc-mount").args(["adopt", "--local"]).arg(bench.sandbox.space());
    adopt.env("PHC_STATE_DIR", bench.sandbox.path("other")).end().ok();
    there(&["put"]).stdin(crate::bench::lines(&["theirs"])).end().ok();

    let only = ["read", "--consumer", "one", "--device", "other/sam"];
    assert_eq!(ids(&bench.spool(&only).end().ok().stdout), ["theirs"]);
    assert_eq!(bench.record("one").only.as_deref(), Some("other/sam"));
    bench.spool(&["read", "--consumer", "one"]).end().refused(2, &["other/sam", "all devices"]);
    assert_eq!(
        ids(&bench.spool(&["read", "--consumer", "all"]).end().ok().stdout),
        ["mine", "theirs"]
    );
    there(&["read", "--consumer", "all"]).end().refused(2, &["bench/sam", "--consumer"]);
}

#[test]
fn wrong_usage_is_one_line_and_touches_nothing() {
    let bench = Bench::new();
    bench.put(&["1"]);
    bench.spool(&["read"]).end().refused(2, &["--consumer"]);
    bench.spool(&["read", "--consumer", "A b"]).end().refused(2, &["A b", "lower-case"]);
    bench.spool(&["read", "--consumer", "a", "--lease", "2d"]).end().refused(2, &["--lease"]);
    bench.spool(&["read", "--consumer", "a", "--device", "x"]).end().refused(2, &["--device"]);
    let none = ["read", "--consumer", "a", "--exec", "/no/such/program"];
    bench.spool(&none).end().refused(2, &["/no/such/program", "--exec"]);
    bench.take("a").end().ok();
    assert_eq!(bench.taken(), ["1"]);
}

#[test]
fn the_command_knows_whose_segment_it_has_and_is_killed_when_it_hangs() {
    let bench = Bench::new();
    let id = bench.put(&["1"]);
    let script = "cat > /dev/null; echo \"$PHC_CONSUMER $PHC_DEVICE $PHC_SEGMENT\"";
    let ended = bench.exec("a", script).end().ok();
    assert!(ended.stderr.contains(&format!("sh: a bench/sam {id}")), "{}", ended.stderr);
    let hang = ["read", "--consumer", "b", "--lease", "1s", "--exec", "sleep", "60"];
    let ended = bench.spool(&hang).end().with(1);
    assert!(ended.stderr.contains("did not end within 1 s"), "{}", ended.stderr);
}

#[test]
fn a_space_that_is_away_is_tried_again_later_and_a_damaged_memory_says_what_to_do() {
    let bench = Bench::new();
    bench.put(&["1"]);
    let away = bench.sandbox.path("away");
    std::fs::rename(bench.sandbox.space(), &away).unwrap();
    bench.take("a").end().refused(75, &["[space-"]);
    std::fs::rename(&away, bench.sandbox.space()).unwrap();
    bench.take("a").end().ok();
    let memory = bench.sandbox.state().join("consumers/a.sqlite");
    std::fs::write(&memory, "x".repeat(9000)).unwrap();
    bench.take("a").end().refused(4, &["a.sqlite", "remove it"]);
    std::fs::remove_file(&memory).unwrap();
    bench.take("a").end().ok();
    assert_eq!(bench.taken(), ["1", "1"]);
}
