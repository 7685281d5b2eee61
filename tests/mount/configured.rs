//! What phc.toml says of the pillars, and what is found in their place.

use serde_json::Value;

use crate::bench::{Bench, Ended};

/// Writes a phc.toml in which SPACE stands for the bench's folder `space`.
fn status(bench: &Bench, config: &str) -> Ended {
    let path = bench.path("phc.toml");
    let space = bench.path("space");
    std::fs::write(&path, config.replace("SPACE", space.to_str().unwrap())).unwrap();
    bench.run(&["status", "--host", "wintermute", "--config", path.to_str().unwrap()])
}

/// The state of the space, and the exit code.
fn space(ended: &Ended) -> (String, i32) {
    let events = ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut reports = events.map(|event| event["data"].clone());
    let space = reports.find(|report| report["pillar"] == "space");
    (space.unwrap()["state"].as_str().unwrap().to_owned(), ended.code)
}

fn is(state: &str, code: i32) -> (String, i32) {
    (state.to_owned(), code)
}

#[test]
fn a_configured_id_serves_a_user_who_never_adopted() {
    let (bench, other) = (Bench::new(), Bench::new());
    let adopted = other.adopt(&["--local"], &bench.folder("space")).data();
    let id = adopted["id"].as_str().unwrap();
    let with = |id: &str| {
        let config = "[host.wintermute]\n[pillar.space]\nid = \"ID\"\n[pillar.space.on.wintermute]\nlocal = true\npath = \"SPACE\"\n";
        space(&status(&bench, &config.replace("ID", id)))
    };
    assert_eq!(with(id), is("healthy", 0));
    assert_eq!(with("018f3a1e-0000-7000-8000-000000000000"), is("foreign-sentinel", 3));
    let refused = Ended::of(
        bench
            .command(&["adopt", "--host", "wintermute", "--repin"])
            .arg("--config")
            .args([bench.path("phc.toml"), bench.path("space")])
            .output()
            .unwrap(),
    );
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("configuration"), "{}", refused.stderr);
}

#[test]
fn on_a_host_that_mounts_nothing_absence_is_as_it_should_be() {
    let bench = Bench::new();
    let config = |mounts: bool| {
        format!(
            "[host.wintermute]\nmounts = {mounts}\n[pillar.space]\nserver = \"akira\"\nshare = \"space\"\n[pillar.space.path]\nlinux = \"SPACE\"\n"
        )
    };
    assert_eq!(space(&status(&bench, &config(false))), is("skipped", 0));
    assert_eq!(space(&status(&bench, &config(true))), is("no-mount-point", 75));
    std::fs::write(bench.folder("space").join("file"), "").unwrap();
    assert_eq!(space(&status(&bench, &config(false))), is("shadow", 3), "but files are not");
}

#[test]
fn needs_root_a_mount_from_elsewhere_is_told_by_type_and_by_source() {
    let mut bench = Bench::new();
    let dir = bench.folder("space");
    bench.tmpfs(&dir);
    assert_eq!(bench.adopt(&[], &dir).code, 0);
    let with = |fs_type: &str| {
        let config = "[pillar.space]\nserver = \"akira\"\nshare = \"space\"\nfs_type = [\"TYPE\"]\n[pillar.space.path]\nlinux = \"SPACE\"\n";
        space(&status(&bench, &config.replace("TYPE", fs_type)))
    };
    assert_eq!(with("cifs"), is("wrong-type", 3));
    assert_eq!(with("tmpfs"), is("wrong-source", 3));
    let adopted = Ended::of(
        bench
            .command(&["adopt", "--config"])
            .args([bench.path("phc.toml"), bench.path("space")])
            .output()
            .unwrap(),
    );
    assert_eq!(adopted.code, 1, "{adopted:?}");
    assert_eq!(adopted.kinds(), ["phc.mount.pillar.adopted", "phc.mount.refused"]);
    let anything =
        "[pillar.space]\nfs_type = [\"tmpfs\"]\n[pillar.space.path]\nlinux = \"SPACE\"\n";
    assert_eq!(space(&status(&bench, anything)), is("healthy", 0));
}
