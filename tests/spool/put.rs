//! `put`, `flush`, `list`: events on their way.

use std::os::unix::fs::PermissionsExt;

use crate::bench::{Bench, Flushed, Listed, Published, all, data, line, lines};

#[test]
fn what_is_put_lies_in_the_spool_under_a_name_that_every_share_can_hold() {
    let bench = Bench::new();
    let ended = bench.spool(&["put"]).stdin(lines(&["1", "2"])).end().ok();
    let told: Published = data(&ended, "phc.spool.events.published");
    assert_eq!((told.events, told.delivered, told.waiting), (2, 1, 0));
    let path = bench.segment(&told.segments[0]);
    let name = path.file_name().unwrap().to_str().unwrap();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    assert!(name.bytes().all(plain), "{name}");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o037, 0);
    assert_eq!(bench.told().into_iter().collect::<Vec<_>>(), [("1".into(), 1), ("2".into(), 1)]);
    assert!(bench.sandbox.space().join("devices/_bell/bench.sam").is_file());
    assert!(bench.outbox().is_empty());

    let ended = bench.spool(&["list"]).end().ok();
    let listed: Vec<Listed> = all(&ended, "phc.spool.segment.listed");
    assert_eq!((listed.len(), listed[0].place.as_str()), (1, "spool"));
    assert_eq!(listed[0].bytes, Some(path.metadata().unwrap().len()));
    assert_eq!((&listed[0].device, &listed[0].segment), (&"bench/sam".into(), &told.segments[0]));
    assert!(listed[0].made.ends_with('Z'));
}

#[test]
fn bad_input_is_refused_as_a_whole_and_the_line_is_named() {
    let bench = Bench::new();
    let large = format!(
        r#"{{"specversion":"1.0","id":"{}","source":"/t","type":"t"}}"#,
        "x".repeat(70_000)
    );
    for (bad, words) in [
        (b"".to_vec(), "no event"),
        (b"{}".to_vec(), "missing field"),
        (b"[1".to_vec(), "not a CloudEvents"),
        (b"\xff\xfe".to_vec(), "utf-8"),
        (large.into_bytes(), "65536"),
        (br#"{"specversion":"1.0","id":"1","source":"/t","type":"t","Upper":1}"#.to_vec(), "Upper"),
    ] {
        let input = [line("1").as_bytes(), b"\n", &bad, b"\n", line("3").as_bytes()].concat();
        bench
            .spool(&["put"])
            .stdin(input)
            .end()
            .refused(2, &["line 2", words, "nothing was stored"]);
    }
    assert!(bench.outbox().is_empty() && bench.segments().is_empty());
    let none = bench.spool(&["put"]).end().ok();
    assert_eq!(data::<Published>(&none, "phc.spool.events.published").segments, [""; 0]);
}

#[test]
fn with_the_space_away_nothing_is_lost_and_flush_delivers_it_once() {
    let bench = Bench::new();
    let (space, away) = (bench.sandbox.space(), bench.sandbox.path("away"));
    std::fs::rename(&space, &away).unwrap();
    std::fs::create_dir(&space).unwrap();
    let ended = bench.spool(&["put"]).stdin(lines(&["1"])).end().ok();
    assert!(ended.stderr.contains("wait in the outbox"), "{}", ended.stderr);
    assert_eq!(data::<Published>(&ended, "phc.spool.events.published").waiting, 1);
    bench.spool(&["put"]).stdin(lines(&["2"])).end().ok();
    bench.spool(&["flush"]).end().refused(75, &["[space-"]);
    let listed = bench.spool(&["list"]).end().with(75);
    let listed: Vec<Listed> = all(&listed, "phc.spool.segment.listed");
    assert!(listed.len() == 2 && listed.iter().all(|l| l.place == "outbox"), "{listed:?}");
    assert!(
        std::fs::read_dir(&space).unwrap().next().is_none(),
        "written below the bare mount point"
    );

    std::fs::remove_dir(&space).unwrap();
    std::fs::rename(&away, &space).unwrap();
    for delivered in [2, 0] {
        let ended = bench.spool(&["flush"]).end().ok();
        let told: Flushed = data(&ended, "phc.spool.outbox.flushed");
        assert_eq!(told, Flushed { delivered, waiting: 0 });
    }
    assert_eq!(bench.told().into_values().collect::<Vec<_>>(), [1, 1]);
    // The next put delivers what a former one could not.
    std::fs::remove_dir_all(&space).unwrap();
    bench.spool(&["flush"]).end().ok();
}

#[test]
fn a_folder_of_another_machine_is_left_alone_and_the_events_wait() {
    let bench = Bench::new();
    bench.put(&["1"]);
    let card = bench.sandbox.device().join("_device.json");
    let mut other: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&card).unwrap()).unwrap();
    other["id"] = "018f3a1e-0000-4000-8000-000000000000".into();
    other["machine"] = "another".into();
    std::fs::write(&card, other.to_string()).unwrap();
    let ended = bench.spool(&["put"]).stdin(lines(&["2"])).end().with(1);
    assert!(ended.stderr.contains("[device-taken]"), "{}", ended.stderr);
    assert_eq!((bench.segments().len(), bench.outbox().len()), (1, 1));
    bench.spool(&["flush"]).end().with(3);
}

#[test]
fn writers_of_test_builds_grease_and_readers_skip_it() {
    let bench = Bench::new();
    let greased = bench.put(&["1"]);
    let text = std::fs::read_to_string(bench.segment(&greased)).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["type"], &first["grease"]),
        (&"phc.unknown.grease.spread".into(), &"unknown".into())
    );
    tests::schemas::cloud_event(&first);

    let ended = bench.spool(&["put"]).env("PHC_GREASE", "0").stdin(lines(&["2"])).end().ok();
    let plain: Published = data(&ended, "phc.spool.events.published");
    assert_eq!(std::fs::read_to_string(bench.segment(&plain.segments[0])).unwrap(), lines(&["2"]));
    bench.take("a").end().ok();
    assert_eq!(bench.taken(), ["1", "2"]);
}

#[test]
fn unknown_fields_and_types_go_through_as_they_came() {
    let bench = Bench::new();
    let odd = r#"{"specversion":"1.0","type":"x.y.z","novel":{"deep":[1,null]},"source":"/t","id":"1","data":{"Ü":"\ud83d\ude00"}}"#;
    bench.spool(&["put"]).stdin(odd).end().ok();
    bench.take("a").end().ok();
    let out = std::fs::read_to_string(bench.sandbox.home().join("out")).unwrap();
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(out.lines().last().unwrap()), value(odd));
}

#[test]
fn files_that_are_no_segments_are_named_by_a_verbose_list_and_read_by_nobody() {
    let bench = Bench::new();
    let id = bench.put(&["1"]);
    let day = bench.segment(&id).parent().unwrap().to_owned();
    std::fs::write(day.join("Notes.txt"), "x").unwrap();
    std::fs::write(day.join(".phc-partial"), "x").unwrap();
    std::fs::write(bench.folder().join("tmp/part"), "x").unwrap();
    let ended = bench.spool(&["list", "-v"]).end().ok();
    assert_eq!(all::<Listed>(&ended, "phc.spool.segment.listed").len(), 1);
    assert!(ended.stderr.contains("Notes.txt"), "{}", ended.stderr);
    bench.take("a").end().ok();
    assert_eq!(bench.taken(), ["1"]);
}
