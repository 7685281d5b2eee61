//! `phc-health show`: the latest status, for people or as it is.

use tests::Sandbox;

use crate::{ONE_CLOUD, kept};

#[test]
fn without_a_status_it_says_how_to_get_one() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run("phc-health").arg("show").end();
    assert_eq!(ended.refused(2, &["no status yet", "phc-health collect"]).stdout, "");
}

#[test]
fn it_tells_what_was_judged_last() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    sandbox.configure(ONE_CLOUD);
    sandbox.run("phc-health").arg("collect").end().ok();
    let json = sandbox.run("phc-health").args(["show", "--format", "json"]).end().ok();
    let shown: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(shown, kept(&sandbox));

    let words = sandbox.run("phc-health").args(["show", "--format", "human"]).end().ok();
    for part in ["bench/sam: ", "warn", "ingest.scans", "has never run", "mount.space", "just now"]
    {
        assert!(words.stdout.contains(part), "no {part} in\n{}", words.stdout);
    }
    assert!(!words.stdout.contains('\u{1b}'), "colours belong on a terminal");
}
