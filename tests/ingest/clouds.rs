//! Which clouds a run means, under whose names, and how several of them end.

use std::collections::BTreeSet;
use std::fs;

use tests::{Ended, Sandbox};

fn sandbox(config: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    let space = format!(
        "[host.bench]\n[pillar.space.on.bench]\nlocal = true\npath = {:?}\n",
        sandbox.space()
    );
    sandbox.configure(&format!("{space}{config}"));
    sandbox
}

/// The events' cloud and outcome of each run in turn.
fn outcomes(ended: &Ended) -> Vec<(String, String)> {
    let finished = ended.events_of("phc.ingest.run.finished");
    let ids: BTreeSet<_> = finished.iter().map(|event| event.runid.clone()).collect();
    assert_eq!(ids.len(), finished.len(), "a runid of its own for each");
    let of = |event: &tests::Event| (event.text("job").into(), event.text("outcome").into());
    finished.iter().map(of).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn what_is_configured_and_discovered_needs_no_flags() {
    let sandbox = sandbox("[cloud.papers]\npath = '~/papers'\n");
    sandbox.write("home/papers/a", "paper");
    sandbox.write("home/Dropbox/b", "box");
    let ended = sandbox.run("phc-ingest").arg("run").end().ok();
    let mut clouds = outcomes(&ended);
    clouds.sort();
    assert_eq!(clouds, pairs(&[("dropbox", "done"), ("papers", "done")]));
    for (path, text) in [("papers/a", "paper"), ("dropbox/b", "box")] {
        assert_eq!(fs::read_to_string(sandbox.device().join(path)).unwrap(), text);
    }
    let found = sandbox.run("phc-ingest").arg("discover").end().ok();
    assert_eq!(found.events_of("phc.ingest.cloud.found").len(), 2);
    let one = sandbox.run("phc-ingest").args(["run", "--cloud", "papers"]).end().ok();
    assert_eq!(outcomes(&one), pairs(&[("papers", "done")]));
    let told = sandbox.run("phc-ingest").arg("status").end().ok();
    assert_eq!(told.events_of("phc.ingest.cloud.told").len(), 2);
}

#[test]
fn each_cloud_ends_by_itself_and_the_worst_is_the_exit() {
    let sandbox = sandbox(
        "[cloud.a]\npath = '~/a'\n[cloud.b]\npath = '~/b'\n[cloud.c]\npath = '~/c'\n\
         [cloud.b.guard]\nfiles = 0\nshare = \"1%\"\n",
    );
    for cloud in ["a", "b", "c"] {
        sandbox.write(&format!("home/{cloud}/x"), "x");
        sandbox.write(&format!("home/{cloud}/y"), "y");
    }
    let ended = sandbox.run("phc-ingest").arg("run").end().ok();
    assert_eq!(outcomes(&ended), pairs(&[("a", "done"), ("b", "done"), ("c", "done")]));
    for cloud in ["a", "b", "c"] {
        fs::remove_file(sandbox.path(&format!("home/{cloud}/x"))).unwrap();
    }
    let ended = sandbox.run("phc-ingest").arg("run").end().with(3);
    assert_eq!(outcomes(&ended), pairs(&[("a", "done"), ("b", "refused"), ("c", "done")]));
    fs::rename(sandbox.space(), sandbox.path("away")).unwrap();
    let ended = sandbox.run("phc-ingest").arg("run").end().with(75);
    let deferred = ["a", "b", "c"].map(|cloud| (cloud, "deferred"));
    assert_eq!(outcomes(&ended), pairs(&deferred));
}

#[test]
fn host_and_user_are_lower_case_in_paths() {
    let sandbox = sandbox("");
    sandbox.write("papers/a", "paper");
    let run = sandbox.run("phc-ingest").args(["run", "--host", "STUDIO", "--user", "Kim"]);
    let run = run.args(["--cloud", "papers", "--source"]).arg(sandbox.path("papers"));
    let ended = run.arg("--space").arg(sandbox.space()).end().ok();
    assert!(sandbox.space().join("devices/studio/kim/papers/a").exists());
    assert!(ended.events().iter().all(|event| event.source == "/phc/studio/kim/ingest"));
}

#[test]
fn copies_of_any_device_are_verified_where_the_space_is_local() {
    let sandbox = sandbox("");
    sandbox.write("papers/a", "paper");
    for host in ["one", "two"] {
        let run = sandbox.run("phc-ingest").args(["run", "--host", host, "--cloud", "papers"]);
        run.arg("--source")
            .arg(sandbox.path("papers"))
            .arg("--space")
            .arg(sandbox.space())
            .end()
            .ok();
    }
    fs::write(sandbox.space().join("devices/two/sam/papers/a"), "PAPER").unwrap();
    let verify = |arguments: &[&str]| {
        let run = sandbox.run("phc-ingest").arg("verify").args(arguments);
        run.arg("--space").arg(sandbox.space()).arg("--host").arg("three").end()
    };
    let all = verify(&["--all"]).with(1);
    let devices = all.events_of("phc.ingest.copies.verified");
    let against: Vec<_> = devices.iter().map(|event| event.text("against")).collect();
    assert_eq!(against, ["catalog", "catalog"]);
    assert_eq!(all.event("phc.ingest.problem.reported").text("code"), "copy-damaged");
    verify(&["--device", "one/sam"]).ok();
    verify(&["--device", "two/sam"]).with(1);
    verify(&["--device", "four/sam"]).refused(2, &["four/sam"]);
}

#[test]
fn a_sample_reads_its_share_and_not_always_the_same() {
    let sandbox = sandbox("");
    for n in 0..400 {
        sandbox.write(&format!("papers/{n}"), format!("{n}"));
    }
    let run = sandbox.run("phc-ingest").args(["run", "--cloud", "papers", "--source"]);
    run.arg(sandbox.path("papers")).arg("--space").arg(sandbox.space()).end().ok();
    let sample = || {
        let run = sandbox.run("phc-ingest").args(["verify", "--sample", "10%", "--space"]);
        let verified = run.arg(sandbox.space()).end().ok().event("phc.ingest.copies.verified");
        assert_eq!(verified.count("checked") + verified.count("left_out"), 400);
        assert!((10..100).contains(&verified.count("checked")), "{}", verified.data);
        verified.count("bytes")
    };
    let bytes: BTreeSet<u64> = (0..6).map(|_| sample()).collect();
    assert!(bytes.len() > 1, "always the same sample");
}

#[test]
fn the_digests_of_the_catalog_are_those_of_anybodys_blake3() {
    let sandbox = sandbox("");
    for n in 0..50 {
        sandbox.write(&format!("papers/{n}"), format!("{n}").repeat(n * 1000));
    }
    let run = sandbox.run("phc-ingest").args(["run", "--cloud", "papers", "--source"]);
    run.arg(sandbox.path("papers")).arg("--space").arg(sandbox.space()).end().ok();
    let lines = crate::eyes::increments(&sandbox.device(), "papers");
    let files = lines.iter().filter(|line| line["kind"] == "file");
    let mut seen = 0;
    for line in files {
        let name = line["path"].as_str().unwrap();
        let bytes = fs::read(sandbox.device().join("papers").join(name)).unwrap();
        assert_eq!(line["digest"].as_str().unwrap(), blake3::hash(&bytes).to_hex().as_str());
        seen += 1;
    }
    assert_eq!(seen, 50);
}

/// Signs the Nextcloud client in to an account; its folder stays the same.
fn sign_in(sandbox: &Sandbox, user: &str) {
    let folder = sandbox.path("home/Nextcloud");
    let settings = format!(
        "[Accounts]\n0\\url=https://cloud.example\n0\\dav_user={user}\n0\\Folders\\1\\localPath={}/\n",
        folder.display()
    );
    sandbox.write("home/.config/Nextcloud/nextcloud.cfg", &settings);
}

#[test]
fn another_account_in_the_same_folder_is_not_mixed_into_the_former_ones_copy() {
    let sandbox = sandbox("");
    sandbox.write("home/Nextcloud/letter", "sam's");
    sign_in(&sandbox, "sam");
    let sams = "nextcloud-sam-cloud.example";
    let kims = "nextcloud-kim-cloud.example";
    let ended = sandbox.run("phc-ingest").arg("run").end().ok();
    assert_eq!(outcomes(&ended), pairs(&[(sams, "done")]));

    sign_in(&sandbox, "kim");
    sandbox.write("home/Nextcloud/letter", "kim's");
    let ended = sandbox.run("phc-ingest").arg("run").end().with(3);
    assert_eq!(outcomes(&ended), pairs(&[(kims, "done"), (sams, "refused")]));
    let refused = ended.events_of("phc.ingest.run.finished");
    let problem = refused.iter().find(|event| event.text("job") == sams).unwrap().at("problem");
    assert_eq!(problem["code"], "root-other-account", "{problem}");
    let copy = |cloud: &str| fs::read_to_string(sandbox.device().join(cloud).join("letter"));
    assert_eq!((copy(sams).unwrap(), copy(kims).unwrap()), ("sam's".into(), "kim's".into()));

    // Switched off, the former one is missed no more.
    sandbox.configure(&format!(
        "[host.bench]\n[pillar.space.on.bench]\nlocal = true\npath = {:?}\n[cloud.{sams:?}]\nenabled = false\n",
        sandbox.space()
    ));
    let ended = sandbox.run("phc-ingest").arg("run").end().ok();
    assert_eq!(outcomes(&ended), pairs(&[(kims, "done")]));
    assert_eq!(copy(sams).unwrap(), "sam's");
}

#[test]
fn an_account_switched_under_a_configured_folder_is_refused_until_it_is_meant() {
    let sandbox = sandbox("[cloud.mine]\npath = '~/Nextcloud'\n");
    sandbox.write("home/Nextcloud/letter", "sam's");
    sign_in(&sandbox, "sam");
    let run = || sandbox.run("phc-ingest").args(["run", "--cloud", "mine"]).end();
    run().ok();
    sign_in(&sandbox, "kim");
    let refused = run().with(3).event("phc.ingest.run.finished");
    assert_eq!(refused.at("problem")["code"], "root-other-account");
    sandbox.run("phc-ingest").args(["approve", refused.text("plan")]).end().ok();
    run().ok();
    run().ok();
}
