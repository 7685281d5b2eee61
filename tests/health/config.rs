//! `phc-health config --check`: right anywhere, and each error where it stands.

use tests::Sandbox;

#[test]
fn a_right_configuration_is_named_with_its_drop_ins() {
    let sandbox = Sandbox::new();
    let check = |format: &str| {
        sandbox.run("phc-health").args(["config", "--check", "--format", format]).end().ok()
    };
    assert!(check("human").stdout.starts_with("ok: no configuration"));
    sandbox.configure("[health]\nfree_warn = \"20%\"\n");
    sandbox.write("home/.config/phc/phc.d/10-more.toml", "[spool]\nretention = \"60d\"\n");
    let told = check("json").event("phc.health.config.checked");
    let files: Vec<&str> =
        told.at("files").as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    assert_eq!(told.count("errors"), 0);
    assert!(files[0].ends_with("/phc.toml") && files[1].ends_with("/10-more.toml"), "{files:?}");
    assert!(check("human").stdout.starts_with("ok: /"));
}

#[test]
fn every_file_with_an_error_is_named_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.configure("\n[ingest]\nexlude = []\n");
    sandbox.write("home/.config/phc/phc.d/10-more.toml", "[health]\nfree_warn = 7\n[halth]\n");
    let ended = sandbox.run("phc-health").args(["config", "--check"]).end().with(2);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stderr);
    assert!(lines[0].contains("phc.toml:3") && lines[0].contains("\"exclude\""), "{}", lines[0]);
    assert!(lines[1].contains("10-more.toml:3") && lines[1].contains("health"), "{}", lines[1]);
    assert_eq!(ended.event("phc.health.config.checked").count("errors"), 2);
}

#[test]
fn a_named_file_must_be_there_and_the_environment_may_name_it() {
    let sandbox = Sandbox::new();
    let check = || sandbox.run("phc-health").args(["config", "--check"]);
    check().args(["--config", "missing.toml"]).end().refused(2, &["missing.toml", "[config]"]);
    check().env("PHC_CONFIG", "missing.toml").end().refused(2, &["missing.toml"]);
    let path = sandbox.write("fleet.toml", "");
    let ended = check().env("PHC_CONFIG", "missing.toml").arg("--config").arg(&path).end().ok();
    assert_eq!(ended.event("phc.health.config.checked").at("files").as_array().unwrap().len(), 1);
}

#[test]
fn the_example_that_is_shipped_is_right() {
    let example = tests::schemas::project().join("units/phc.toml");
    let sandbox = Sandbox::new();
    sandbox.run("phc-health").args(["config", "--check", "--config"]).arg(example).end().ok();
}
