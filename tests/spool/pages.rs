//! phc-spool(5): its examples are run as they stand.

use crate::bench::Bench;

/// The literal blocks of the page's EXAMPLES, as shell scripts.
fn examples() -> Vec<String> {
    let page = std::fs::read_to_string(tests::schemas::project().join("man/phc-spool.5")).unwrap();
    let section = page.split(".Sh EXAMPLES\n").nth(1).unwrap();
    let section = section.split(".Sh ").next().unwrap();
    let blocks = section.split(".Bd -literal -offset indent\n").skip(1);
    blocks
        .map(|block| block.split(".Ed").next().unwrap().replace("\\e", "\\").replace("\\-", "-"))
        .collect()
}

#[test]
fn the_examples_of_the_page_do_what_it_says() {
    let bench = Bench::new();
    bench.put(&["1"]);
    let scripts = examples();
    assert!(scripts.len() >= 3, "where are the examples?");
    for script in scripts {
        let script = script.replace("/space/", &format!("{}/", bench.sandbox.space().display()));
        let ended = bench.sandbox.shell(&format!("set -eu; {script}")).ok();
        assert!(!ended.stdout.is_empty(), "it says nothing: {script}");
    }
    // The segment that a person made by hand is one like any other.
    assert_eq!(bench.told().into_keys().collect::<Vec<_>>(), ["1", "by-hand"]);
    bench.take("after").end().ok();
    assert_eq!(bench.taken().len(), 2);
}
