//! What the source and the space do while a run works.

use super::house::House;

#[test]
fn a_file_that_never_rests_is_reported_and_never_stored_torn() {
    let mut house = House::new();
    house.write("busy", vec![0u8; 1 << 20]);
    let path = house.source("busy");
    let go_on = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let writer = {
        let go_on = go_on.clone();
        std::thread::spawn(move || {
            use std::os::unix::fs::FileExt;
            let file = std::fs::File::options().write(true).open(path).unwrap();
            let mut n = 0u64;
            while go_on.load(std::sync::atomic::Ordering::Relaxed) {
                file.write_all_at(&n.to_le_bytes(), n % (1 << 20)).unwrap();
                n += 8;
            }
        })
    };
    let ended = house.run();
    go_on.store(false, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(ended.exit.code(), 1);
    assert_eq!(house.problems(), ["changed-while-read"]);
    assert!(House::tree(&house.copy("")).is_empty());
}

#[test]
fn a_stop_ends_in_order() {
    let mut house = House::new();
    house.write("a", "one");
    house.stop.ask();
    let ended = house.run();
    assert_eq!((ended.exit.code(), ended.finished.outcome.name()), (143, "stopped"));
    house.stop = host::stop::Stop::never();
    house.run_well();
    house.expect_equal();
}
