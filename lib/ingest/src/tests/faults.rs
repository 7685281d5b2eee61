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
    match House::tree(&house.copy("")).first() {
        None => {
            assert_eq!(ended.exit.code(), 1);
            assert_eq!(house.problems(), ["changed-while-read"]);
        }
        // A writer that got no time for a while did rest: then it is one moment's content.
        Some((_, content, ..)) => assert!(is_of_one_moment(content), "a torn copy was stored"),
    }
}

/// The writer goes round and round: up to some place there is one round's, after it the one before's.
fn is_of_one_moment(content: &[u8]) -> bool {
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let round = |(at, n): (usize, u64)| if n == 0 && at > 0 { 0 } else { n / (1 << 20) + 1 };
    let rounds: Vec<u64> = content.chunks(8).map(number).enumerate().map(round).collect();
    let first = rounds[0];
    rounds.is_sorted_by(|a, b| a >= b) && rounds.iter().all(|r| *r + 1 >= first)
}

#[test]
fn a_torn_file_is_told_from_a_whole_one() {
    let written = |round: u64, at: u64| if round == 0 { 0 } else { (round - 1) * (1 << 20) + at };
    let file = |round_at: &dyn Fn(u64) -> u64| -> Vec<u8> {
        let all = (0..1 << 20).step_by(8);
        all.flat_map(|at| written(round_at(at), at).to_le_bytes()).collect()
    };
    assert!(is_of_one_moment(&file(&|at| if at < 4096 { 7 } else { 6 })));
    assert!(!is_of_one_moment(&file(&|at| if at < 4096 { 6 } else { 7 })));
    assert!(!is_of_one_moment(&file(&|at| if at < 4096 { 8 } else { 6 })));
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
