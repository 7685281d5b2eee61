//! Real mounts: a volume that goes away, turns read-only, or is another one.

use std::path::Path;

use crate::bench::{Bench, stamps};

fn state(bench: &Bench, dir: &Path) -> (String, i32) {
    bench.status(dir).state()
}

fn is(state: &str, code: i32) -> (String, i32) {
    (state.to_owned(), code)
}

#[test]
fn needs_root_a_mount_is_adopted_and_its_bare_mount_point_is_never_taken() {
    let mut bench = Bench::new();
    let space = bench.folder("space");
    bench.tmpfs(&space);
    let adopted = bench.adopt(&[], &space);
    assert_eq!((adopted.code, &adopted.data()["local"]), (0, &false.into()), "{adopted:?}");
    assert_eq!(state(&bench, &space), is("healthy", 0));
    let sentinel = std::fs::read(space.join(".phc-space.json")).unwrap();

    bench.unmount(&space);
    assert_eq!(state(&bench, &space), is("not-mounted", 75));
    assert_eq!(bench.adopt(&[], &space).code, 3);
    std::fs::write(space.join(".phc-space.json"), sentinel).unwrap();
    assert_eq!(state(&bench, &space), is("shadow", 3), "the right sentinel, but no mount");
}

#[test]
fn needs_root_a_folder_below_a_mount_is_no_mount_and_a_bind_mount_is_one() {
    let mut bench = Bench::new();
    let (disk, space) = (bench.folder("disk"), bench.folder("space"));
    bench.tmpfs(&disk);
    let inner = disk.join("inner");
    std::fs::create_dir(&inner).unwrap();
    assert_eq!(bench.adopt(&[], &inner).code, 3);
    bench.mount(&["--bind", inner.to_str().unwrap()], &space);
    assert_eq!(bench.adopt(&[], &space).code, 0);
    assert_eq!(state(&bench, &space), is("healthy", 0));
    assert_eq!(state(&bench, &inner), is("shadow", 3), "the same folder, but not as a mount");
}

#[test]
fn needs_root_a_read_only_remount_is_told_by_mount_and_by_file_system() {
    let mut bench = Bench::new();
    let (disk, space) = (bench.folder("disk"), bench.folder("space"));
    bench.tmpfs(&disk);
    bench.mount(&["--bind", disk.to_str().unwrap()], &space);
    assert_eq!(bench.adopt(&[], &space).code, 0);
    for (options, back) in [("remount,bind,ro", "remount,bind,rw"), ("remount,ro", "remount,rw")] {
        let dir = if options.contains("bind") { &space } else { &disk };
        let remount = |options| crate::bench::sh("mount", &["-o", options, dir.to_str().unwrap()]);
        remount(options);
        assert_eq!(state(&bench, &space), is("read-only", 75), "{options}");
        remount(back);
        assert_eq!(state(&bench, &space), is("healthy", 0));
    }
}

#[test]
fn needs_root_another_volume_at_the_same_place_is_not_the_space() {
    let mut bench = Bench::new();
    let other = Bench::new();
    let space = bench.folder("space");
    bench.tmpfs(&space);
    assert_eq!(bench.adopt(&[], &space).code, 0);

    bench.tmpfs(&space);
    assert_eq!(state(&bench, &space), is("over-mounted", 75), "an empty one on top");
    bench.unmount(&space);
    assert_eq!(state(&bench, &space), is("healthy", 0));

    bench.unmount(&space);
    bench.tmpfs(&space);
    assert_eq!(state(&bench, &space), is("no-sentinel", 75));
    assert_eq!(other.adopt(&[], &space).code, 0);
    assert_eq!(state(&bench, &space), is("foreign-sentinel", 3));
    let before = stamps(&space);
    assert_eq!(bench.adopt(&[], &space).code, 3);
    assert_eq!(stamps(&space), before);
}

#[test]
fn needs_root_a_read_only_volume_is_adopted_by_its_sentinel_and_gets_none() {
    let mut bench = Bench::new();
    let other = Bench::new();
    let space = bench.folder("space");
    bench.tmpfs(&space);
    let remount = |options| crate::bench::sh("mount", &["-o", options, space.to_str().unwrap()]);
    remount("remount,ro");
    let refused = bench.adopt(&[], &space);
    assert_eq!(refused.code, 75, "{refused:?}");
    remount("remount,rw");
    assert_eq!(other.adopt(&[], &space).code, 0);
    remount("remount,ro");
    let adopted = bench.adopt(&[], &space);
    assert_eq!(adopted.code, 1, "pinned, but not to be used as it is: {adopted:?}");
    assert_eq!(adopted.kinds(), ["phc.mount.pillar.adopted", "phc.mount.refused"]);
}
