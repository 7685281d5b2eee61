//! Law 11: a dead mount is told of, and nobody waits for it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::Sandbox;

use crate::{component, kept};

/// A mount whose server answers nothing; gone with the value.
struct Dead {
    server: Child,
    point: PathBuf,
}

impl Dead {
    fn over(point: PathBuf) -> Dead {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("mount/hang.py");
        let mut command = Command::new("python3");
        let mut server = command.arg(script).arg(&point).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n");
        Dead { server, point }
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.point).status();
        let _ = self.server.kill();
        let _ = self.server.wait();
        assert!(unmounted.is_ok_and(|status| status.success()), "can't unmount");
    }
}

#[test]
fn needs_root_needs_python3_a_dead_space_is_judged_in_time_and_the_status_is_kept() {
    let sandbox = Sandbox::new();
    sandbox.adopt();
    sandbox.run("phc-health").arg("collect").end().ok();
    let before = sandbox.status();
    {
        let _dead = Dead::over(sandbox.space());
        let began = Instant::now();
        let ended = sandbox.run("phc-health").arg("collect").end();
        ended.refused(75, &["[space-stale]"]);
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        assert_eq!(component(&kept(&sandbox), "mount.space")["state"], "critical");
    }
    assert_eq!(sandbox.status(), before, "beneath the dead mount nothing was touched");
}
