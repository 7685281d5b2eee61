//! The guard's memory and the trash's, across a kill.

use crate::bench::{Bench, why};
use crate::law;

/// A bench on which ten files may be rewritten or go within a day.
fn guarded() -> Bench {
    let bench = Bench::new();
    bench.sandbox.configure("[ingest.guard]\nfiles = 10\nshare = \"1%\"\n");
    bench
}

fn rewrite(bench: &Bench, files: std::ops::Range<u32>, how: &str) {
    files.for_each(|n| bench.write(format!("{n}"), format!("{how} {n}")));
}

#[test]
fn what_a_killed_run_had_rewritten_counts_for_the_guards_day() {
    let mut bench = guarded();
    rewrite(&bench, 0..20, "first");
    bench.finish();
    rewrite(&bench, 0..8, "second");
    bench.look();
    let killed = bench.ingest().env("PHC_FAILPOINT", "apply.names-synced=kill").end();
    assert_eq!(killed.signal, Some(9));
    bench.finish();
    rewrite(&bench, 8..12, "third");
    bench.look();
    assert_eq!(why(&bench.ingest().end().with(3)), "guard-exceeded");
    let source = bench.look();
    bench.command("approve").arg(plan(&bench)).end().ok();
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

#[test]
fn what_a_killed_run_had_rewritten_by_approval_does_not_count() {
    let mut bench = guarded();
    rewrite(&bench, 0..20, "first");
    bench.finish();
    rewrite(&bench, 0..11, "second");
    bench.look();
    bench.ingest().end().with(3);
    bench.command("approve").arg(plan(&bench)).end().ok();
    let killed = bench.ingest().env("PHC_FAILPOINT", "apply.names-synced=kill").end();
    assert_eq!(killed.signal, Some(9));
    bench.finish();
    rewrite(&bench, 11..20, "third");
    let source = bench.look();
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}

/// The id of the plan that is refused now.
fn plan(bench: &Bench) -> String {
    let ended = bench.ingest().end().with(3);
    crate::bench::finished(&ended).text("plan").to_owned()
}

#[test]
fn what_was_put_away_twice_by_a_run_that_was_killed_is_known_to_be_in_the_trash() {
    let mut bench = Bench::new();
    bench.write("d/tombstone", "left while copies stayed");
    bench.write("d/live", "leaves now");
    bench.finish();
    std::fs::remove_file(bench.source().join("d/tombstone")).unwrap();
    bench.finish();
    bench = bench.that_trashes();
    std::fs::remove_dir_all(bench.source().join("d")).unwrap();
    bench.write("d", "a file now");
    bench.look();
    // `d/live` and then the whole folder `d` go to the trash: the second under another id.
    let killed = bench.ingest().env("PHC_FAILPOINT", "apply.published=kill").end();
    assert_eq!(killed.signal, Some(9));
    let source = bench.look();
    bench.finish();
    let last = bench.finish();
    law::whole(&bench, &source, &last);
}
