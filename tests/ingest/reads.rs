//! Files that change, go or turn into links while they are read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags};
use rustix::process::Signal;

use crate::case::Expected;
use crate::runs;
use crate::world::World;

/// Does something again and again while a run is at work, and says how the run ended.
fn meanwhile(world: &World, restless: impl Fn(u64) + Sync) -> tests::Ended {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !done.load(Ordering::Relaxed) {
                restless(turn);
                turn += 1;
            }
        });
        let ended = runs::about(world, "run", &Expected::default()).end();
        done.store(true, Ordering::Relaxed);
        ended
    })
}

fn calm_file(world: &World) {
    fs::write(world.source().join("zz-calm"), "calm").unwrap();
}

fn calm_is_stored(world: &World) {
    assert_eq!(fs::read_to_string(world.copy().join("zz-calm")).unwrap(), "calm");
}

#[test]
fn a_file_that_is_written_all_the_time_is_told_and_never_stored_torn() {
    let world = World::new(None);
    calm_file(&world);
    let path = world.source().join("restless");
    let content = |letter: u8| vec![letter; 4 << 20];
    fs::write(&path, content(b'a')).unwrap();
    let ended = meanwhile(&world, |turn| {
        let letter = b'a' + u8::try_from(turn % 26).unwrap();
        fs::write(&path, content(letter)).unwrap();
    });
    calm_is_stored(&world);
    let copy = world.copy().join("restless");
    if ended.code == Some(1) {
        let told = ended.event("phc.ingest.problem.reported");
        assert_eq!(told.text("code"), "changed-while-read");
        assert!(told.text("where").ends_with("/restless"), "{}", told.data);
        assert!(!copy.exists(), "it was told, and stored");
    } else {
        let bytes = fs::read(&copy).unwrap();
        assert!(bytes.iter().all(|byte| *byte == bytes[0]), "torn");
    }
    runs::idle(&world);
}

#[test]
fn a_file_that_grows_while_it_is_read_is_stored_as_it_was_at_one_time_or_not_at_all() {
    let world = World::new(None);
    calm_file(&world);
    let path = world.source().join("log");
    fs::write(&path, "").unwrap();
    let ended = meanwhile(&world, |turn| {
        use std::io::Write;
        let mut file = fs::File::options().append(true).open(&path).unwrap();
        file.write_all(format!("{turn:09}\n").as_bytes()).unwrap();
    });
    assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.stderr);
    calm_is_stored(&world);
    if let Ok(text) = fs::read_to_string(world.copy().join("log")) {
        assert!(fs::read_to_string(&path).unwrap().starts_with(&text));
    }
    runs::idle(&world);
}

#[test]
fn a_file_that_turns_into_a_link_is_never_followed() {
    let world = World::new(None);
    calm_file(&world);
    world.sandbox.write("outside/secret", "secret");
    let [path, link] = ["swaps", ".link"].map(|name| world.source().join(name));
    fs::write(&path, "harmless").unwrap();
    symlink("../outside/secret", &link).unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        let ended = meanwhile(&world, |_| {
            rustix::fs::renameat_with(CWD, &path, CWD, &link, RenameFlags::EXCHANGE).unwrap();
        });
        assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.stderr);
        calm_is_stored(&world);
        for text in crate::eyes::texts(&world.copy()).values() {
            assert_ne!(text, "secret", "a link was followed");
        }
        for text in crate::eyes::versions(&world.sandbox.device()).values().flatten() {
            assert_ne!(text, "secret", "a link was followed");
        }
    }
}

#[test]
fn a_folder_that_turns_into_a_link_is_never_followed() {
    let world = World::new(None);
    world.sandbox.write("outside/in", "secret");
    let [path, link] = ["swaps", ".link"].map(|name| world.source().join(name));
    fs::create_dir(&path).unwrap();
    fs::write(path.join("in"), "harmless").unwrap();
    symlink("../outside", &link).unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        let ended = meanwhile(&world, |_| {
            rustix::fs::renameat_with(CWD, &path, CWD, &link, RenameFlags::EXCHANGE).unwrap();
        });
        assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.stderr);
        for text in crate::eyes::texts(&world.copy()).values() {
            assert_ne!(text, "secret", "a link was followed");
        }
    }
}

#[test]
fn files_that_come_and_go_are_no_problem_of_the_others() {
    let world = World::new(None);
    calm_file(&world);
    let name = |n: u64| world.source().join(format!("fleeting {n}"));
    let ended = meanwhile(&world, |turn| {
        fs::write(name(turn % 50), "x").unwrap();
        let _ = fs::remove_file(name((turn + 25) % 50));
    });
    assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.stderr);
    calm_is_stored(&world);
    assert_eq!(crate::eyes::litter(&world.sandbox.space()), [""; 0].map(Path::new));
}

#[test]
fn a_second_run_of_the_same_cloud_says_who_is_at_work_and_does_not_wait() {
    let world = World::new(None);
    world.sandbox.write("source/large", vec![7; 256 << 20]);
    let mut first = runs::about(&world, "run", &Expected::default()).spawn();
    let lock = world.sandbox.state().join("devices/bench/sam/ingest/docs/lock.holder");
    while !lock.exists() && !first.has_ended() {
        std::thread::sleep(Duration::from_millis(1));
    }
    first.signal(Signal::STOP);
    let begun = Instant::now();
    let second = runs::about(&world, "run", &Expected::default()).end().with(75);
    assert!(begun.elapsed() < Duration::from_secs(2));
    let finished = runs::finished(&second);
    assert_eq!(finished.at("problem")["code"], "locked");
    // Another cloud is none of its business.
    let other = world.sandbox.run("phc-ingest").args(["run", "--cloud", "other", "--source"]);
    world.sandbox.write("elsewhere/a", "a");
    other.arg(world.sandbox.path("elsewhere")).arg("--space").arg(world.sandbox.space()).end().ok();
    first.signal(Signal::CONT);
    first.end().ok();
    runs::idle(&world);
}

#[test]
fn a_signal_ends_a_run_in_order_and_the_next_one_goes_on() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = World::new(None);
        world.sandbox.write("source/large", vec![7; 512 << 20]);
        let first = runs::about(&world, "run", &Expected::default()).spawn();
        while !world.copy().exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(30));
        let begun = Instant::now();
        first.signal(signal);
        let ended = first.end().with(code);
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(runs::finished(&ended).text("outcome"), "stopped");
        assert_eq!(crate::eyes::litter(&world.sandbox.space()), [""; 0].map(Path::new));
        runs::idle(&world);
        tests::trees::assert_copied(&world.source(), &world.copy());
    }
}
