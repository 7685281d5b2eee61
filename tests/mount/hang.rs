//! A mount whose server takes requests and answers none: nobody waits for it, and nothing piles up.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, phc_mount};

/// The hung file system; killing it ends whatever hangs on it.
struct Hung(Child);

impl Hung {
    fn mount(bench: &mut Bench, point: &Path) -> Hung {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("mount/hang.py");
        let mut server =
            Command::new("python3").arg(script).arg(point).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n");
        bench.leave(point);
        Hung(server)
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Processes that probe this directory, with their state.
fn probes(dir: &Path) -> Vec<String> {
    let ended = Command::new("ps").args(["-A", "-o", "stat=,args="]).output().unwrap();
    let wanted = format!("__probe {}", dir.display());
    let lines = String::from_utf8_lossy(&ended.stdout).into_owned();
    lines.lines().filter(|line| line.contains(&wanted)).map(str::to_owned).collect()
}

#[test]
fn needs_root_needs_python3_a_dead_mount_is_stale_within_3_seconds_and_leaves_one_probe() {
    let mut bench = Bench::new();
    let space = bench.folder("space");
    bench.tmpfs(&space);
    assert_eq!(bench.adopt(&[], &space).code, 0);
    phc_mount();
    let hung = Hung::mount(&mut bench, &space);
    let began = Instant::now();
    for _ in 0..20 {
        let call = Instant::now();
        assert_eq!(bench.status(&space).state(), ("stale".to_owned(), 75));
        assert!(call.elapsed() < Duration::from_secs(3), "{:?}", call.elapsed());
    }
    assert!(began.elapsed() < Duration::from_secs(10), "each call waited: {:?}", began.elapsed());
    assert_eq!(probes(&space).len(), 1, "{:?}", probes(&space));
    assert_eq!(bench.adopt(&[], &space).code, 75);

    // Away with the dead mount: the real one beneath is seen at once, the old probe or not.
    bench.unmount(&space);
    assert_eq!(bench.status(&space).state(), ("healthy".to_owned(), 0));
    drop(hung);
    let end = Instant::now() + Duration::from_secs(5);
    while !probes(&space).is_empty() {
        assert!(Instant::now() < end, "{:?}", probes(&space));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn needs_root_needs_python3_an_abandoned_probe_keeps_no_lock_of_its_caller() {
    let mut bench = Bench::new();
    let space = bench.folder("space");
    let _hung = Hung::mount(&mut bench, &space);
    let script = "exec 9>\"$1\"; flock -n 9 || exit 50; shift; \"$@\" >/dev/null; exit 0";
    let lock = bench.path("lock");
    let call = bench.command(&["status", "--space", space.to_str().unwrap()]);
    let ended = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&lock)
        .arg(call.get_program())
        .args(call.get_args())
        .status()
        .unwrap();
    assert!(ended.success());
    assert_eq!(probes(&space).len(), 1, "a probe hangs still");
    let free = Command::new("flock").arg("-n").arg(&lock).arg("true").status().unwrap();
    assert!(free.success(), "the probe holds the lock");
}
