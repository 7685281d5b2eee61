//! Several runs at once: of one cloud, of two clouds, of two users in one space.

use rustix::process::Signal;

use crate::bench::{Bench, finished, why};
use crate::law;
use crate::told;
use crate::versions::Tree;

#[test]
fn a_second_run_of_a_cloud_says_who_has_it_and_is_to_be_tried_again() {
    let mut bench = Bench::new();
    bench.write_much();
    let source = bench.look();
    let first = bench.caught(bench.ingest());
    let second = bench.ingest().end().with(75);
    assert_eq!((&*why(&second), finished(&second).text("outcome")), ("locked", "deferred"));
    first.signal(Signal::CONT);
    let first = first.end().ok();
    let id = finished(&first).runid;
    assert!(second.stderr.contains(&id), "{} does not say that run {id} has it", second.stderr);
    bench.history.stored(&source);
    law::whole(&bench, &source, &first);
}

#[test]
fn two_clouds_and_two_users_at_once_do_not_get_in_each_others_way() {
    let bench = Bench::new();
    bench.write_much();
    let run = |user: &str, cloud: &str| {
        let state = bench.sandbox.path(&format!("state-of-{user}"));
        let run = bench.sandbox.run("phc-ingest").env("PHC_USER", user);
        let run = run.arg("--state").arg(&state).arg("--space").arg(bench.sandbox.space());
        (state, run.args(["run", "--cloud", cloud, "--source"]).arg(bench.source()))
    };
    let users = ["sam", "kim"];
    for user in users {
        let (state, _) = run(user, "");
        let adopt = bench.sandbox.run("phc-mount").arg("--state").arg(state);
        adopt.args(["adopt", "--local"]).arg(bench.sandbox.space()).end().ok();
    }
    let who = users.iter().flat_map(|user| [(*user, "one"), (*user, "two")]);
    let running: Vec<_> =
        who.map(|(user, cloud)| (user, cloud, run(user, cloud).1.spawn())).collect();
    let source = Tree::of(&bench.source());
    for (user, cloud, running) in running {
        let ended = running.end().ok();
        assert_eq!(finished(&ended).count("totals/stored"), source.files.len() as u64);
        let device = bench.sandbox.device().with_file_name(user);
        assert_eq!(Tree::of(&device.join(cloud)), source, "{user}'s {cloud}");
        let catalog = device.join("_catalog").join(cloud);
        assert_eq!(told::catalog(&catalog).values().filter(|t| t.is_live("file")).count(), 106);
    }
    for user in users {
        let device = bench.sandbox.device().with_file_name(user);
        let events = told::spool(&device.join("_spool"));
        let ends = events.iter().filter(|e| e["type"] == "phc.ingest.run.finished");
        assert_eq!(ends.count(), 2, "{user}'s spool");
    }
    law::no_litter(&bench);
}

/// The same machine name and user on another machine: another state, another machine id.
fn twin(bench: &Bench, state: &str, machine: &str) -> tests::Run {
    let id = bench.sandbox.path(&format!("machine-id-of-{state}"));
    std::fs::write(&id, format!("{machine}\n")).unwrap();
    let run = bench.sandbox.run("phc-ingest").arg("--state").arg(bench.sandbox.path(state));
    let run = run.arg("--space").arg(bench.sandbox.space()).args(["run", "--cloud", "cloud"]);
    let script = "mount --bind \"$0\" /etc/machine-id && exec \"$@\"";
    run.arg("--source").arg(bench.source()).behind(
        "unshare",
        ["--mount", "sh", "-c", script]
            .map(std::ffi::OsStr::new)
            .into_iter()
            .chain([id.as_os_str()]),
    )
}

/// Two machines of one name.
fn twins(bench: &Bench) -> [tests::Run; 2] {
    let twins = [("here", "1"), ("there", "2")];
    for (state, _) in twins {
        let adopt = bench.sandbox.run("phc-mount").arg("--state").arg(bench.sandbox.path(state));
        adopt.args(["adopt", "--local"]).arg(bench.sandbox.space()).end().ok();
    }
    twins.map(|(state, digit)| twin(bench, state, &digit.repeat(32)))
}

#[test]
fn needs_root_two_machines_of_one_name_at_once_one_has_it_and_the_other_is_refused() {
    for _ in 0..5 {
        let mut bench = Bench::bare(tests::Sandbox::new());
        (0..50).for_each(|n| bench.write(format!("{n}"), format!("file {n}")));
        let source = bench.look();
        let running = twins(&bench).map(tests::Run::spawn);
        let ended = running.map(tests::Running::end);
        let codes = ended.each_ref().map(|ended| ended.code.unwrap_or(-1));
        assert!([[0, 3], [3, 0]].contains(&codes), "{codes:?}: {ended:?}");
        let refused = ended.iter().find(|ended| ended.code == Some(3)).unwrap();
        assert_eq!(why(refused), "device-taken");
        assert_eq!(Tree::of(&bench.copy()), source);
        // And from then on: whose it is keeps it, whoever comes first.
        let again = twins(&bench).map(tests::Run::end);
        assert_eq!(again.map(|ended| ended.code.unwrap_or(-1)), codes);
        law::no_litter(&bench);
    }
}
