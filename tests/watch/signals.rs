//! An end in order, and what the service manager hears.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::watcher::Bench;

#[test]
fn a_signal_ends_it_with_its_code_and_leaves_nothing_half_done() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let bench = Bench::new();
        let watcher = bench.watch();
        bench.write("big/one", &"x".repeat(64 << 20));
        bench.fill("big", 200);
        // In the midst of the batch, as far as that can be hit.
        let begun = Instant::now();
        while !bench.copy("big").exists() && begun.elapsed() < Duration::from_secs(30) {
            std::thread::yield_now();
        }
        watcher.signal(signal);
        watcher.end().with(code);
        let left = std::fs::read_dir(bench.copy("big")).unwrap().map(|e| e.unwrap().file_name());
        let temporary = left.filter(|name| name.to_string_lossy().starts_with(".phc-")).count();
        assert_eq!(temporary, 0);
        bench.run().ok();
        bench.assert_same();
    }
}

#[test]
fn while_nothing_happens_a_signal_is_heard_at_once() {
    let bench = Bench::new();
    let watcher = bench.watch();
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    let ended = watcher.stop();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(ended.stderr.matches("bug").count(), 0);
}

#[test]
fn the_service_manager_hears_how_it_stands() {
    let bench = Bench::new();
    let path = bench.sandbox.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let watcher = bench.start(&[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", "200000".as_ref())]);
    let hear = |wanted: &str| {
        let mut bytes = [0; 256];
        loop {
            let length = manager.recv(&mut bytes).expect(wanted);
            if bytes[..length].starts_with(wanted.as_bytes()) {
                return;
            }
        }
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    watcher.signal(Signal::TERM);
    hear("STOPPING=1");
    watcher.end().with(143);
}
