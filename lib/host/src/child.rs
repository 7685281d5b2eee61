//! Child programs: argument array, cleared environment, deadline, own process group, stderr kept.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Attempt, Result};
use crate::stop::Stop;

/// The most that is kept of a child's stdout and stderr each, in bytes.
pub const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long a child that was asked to stop may take for it.
const STOP_GRACE: Duration = Duration::from_secs(4);
/// How long a child that was killed may take to be gone.
const KILL_GRACE: Duration = Duration::from_millis(200);

/// What writes a child's stdin, from a thread of its own.
type Feed = Box<dyn FnOnce(&mut dyn Write) -> std::io::Result<()> + Send>;

/// A program to run.
pub struct Program {
    argv: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Feed,
    deadline: Option<Duration>,
    stop: Stop,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("argv", &self.argv).finish_non_exhaustive()
    }
}

/// What came of running a program.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal, the deadline or a stop ended it.
    pub code: Option<i32>,
    /// True if the deadline ended it, or it did not even die of that.
    pub timed_out: bool,
    /// True if it was ended because we were asked to stop.
    pub stopped: bool,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, as text for people.
    pub stderr: String,
}

impl Program {
    /// A program and its arguments; the environment is `PATH`, `HOME` and `LANG` of ours and nothing else.
    pub fn new<S: AsRef<OsStr>>(argv: impl IntoIterator<Item = S>) -> Program {
        let kept = ["PATH", "HOME", "LANG", "SystemRoot"];
        let env =
            kept.iter().filter_map(|key| std::env::var_os(key).map(|value| ((*key).into(), value)));
        Program {
            argv: argv.into_iter().map(|a| a.as_ref().to_owned()).collect(),
            env: env.collect(),
            stdin: Box::new(|_| Ok(())),
            deadline: None,
            stop: Stop::never(),
        }
    }

    /// Gives it one more environment variable.
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Program {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Gives it bytes to read from stdin; nothing else is ever there.
    pub fn stdin(self, bytes: Vec<u8>) -> Program {
        self.stdin_from(move |pipe| pipe.write_all(&bytes))
    }

    /// Gives it what a function writes, for more than should be held in memory.
    pub fn stdin_from(
        mut self,
        feed: impl FnOnce(&mut dyn Write) -> std::io::Result<()> + Send + 'static,
    ) -> Program {
        self.stdin = Box::new(feed);
        self
    }

    /// Ends it when this flag asks for a stop: with SIGTERM, and after some seconds by force.
    pub fn until(mut self, stop: &Stop) -> Program {
        self.stop = stop.clone();
        self
    }

    /// Kills it and its process group after this time.
    pub fn deadline(mut self, after: Duration) -> Program {
        self.deadline = Some(after);
        self
    }

    /// Runs it to its end or its deadline.
    ///
    /// A child that hangs in the kernel (a dead mount) can't be killed: it is left
    /// behind, and what it said so far is what there is.
    ///
    /// # Errors
    /// When it can't be started; a failing program is no error.
    pub fn run(self) -> Result<Ended> {
        let name = self.argv.first().cloned().unwrap_or_default();
        let mut child = self.spawn().attempt("run", Path::new(&name))?;
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        feed(child.stdin.take(), self.stdin);
        let (status, cut) =
            wait(&mut child, self.deadline, &self.stop).attempt("wait for", Path::new(&name))?;
        let left_behind = status.is_none();
        Ok(Ended {
            code: status.filter(|_| cut.is_none()).and_then(|s| s.code()),
            timed_out: cut == Some(Cut::Deadline),
            stopped: cut == Some(Cut::Stop),
            stdout: if left_behind { Vec::new() } else { collect(stdout) },
            stderr: String::from_utf8_lossy(&if left_behind {
                Vec::new()
            } else {
                collect(stderr)
            })
            .into_owned(),
        })
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let (program, arguments) =
            self.argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.env.iter().map(|(k, v)| (k, v)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        #[cfg(unix)]
        descriptors::keep_to_ourselves();
        command.spawn()
    }
}

fn feed(pipe: Option<impl Write + Send + 'static>, feed: Feed) {
    if let Some(mut pipe) = pipe {
        // A child that does not read its input to the end is within its rights.
        std::thread::spawn(move || feed(&mut pipe));
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> Option<JoinHandle<Vec<u8>>> {
    pipe.map(|pipe| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut pipe = pipe.take(MAX_OUTPUT);
            let _ = pipe.read_to_end(&mut bytes);
            let _ = std::io::copy(&mut pipe.into_inner(), &mut std::io::sink());
            bytes
        })
    })
}

fn collect(thread: Option<JoinHandle<Vec<u8>>>) -> Vec<u8> {
    thread.and_then(|t| t.join().ok()).unwrap_or_default()
}

/// Why a child was ended before it ended itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Deadline,
    Stop,
}

/// Waits; the status is `None` for a child that outlived its killing.
fn wait(
    child: &mut Child,
    deadline: Option<Duration>,
    stop: &Stop,
) -> std::io::Result<(Option<ExitStatus>, Option<Cut>)> {
    let end = deadline.map(|deadline| Instant::now() + deadline);
    let cut = loop {
        if let Some(status) = child.try_wait()? {
            return Ok((Some(status), None));
        }
        if stop.asked() {
            break Cut::Stop;
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            break Cut::Deadline;
        }
        std::thread::sleep(LOOK_EVERY);
    };
    if cut == Cut::Stop {
        signal_group(child, End::Asked);
        if let Some(status) = wait_until(child, Instant::now() + STOP_GRACE)? {
            return Ok((Some(status), Some(cut)));
        }
    }
    signal_group(child, End::Forced);
    Ok((wait_until(child, Instant::now() + KILL_GRACE)?, Some(cut)))
}

fn wait_until(child: &mut Child, end: Instant) -> std::io::Result<Option<ExitStatus>> {
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(Some(status)),
            None if Instant::now() >= end => return Ok(None),
            None => std::thread::sleep(LOOK_EVERY),
        }
    }
}

/// True if a child of some earlier run with just these arguments still hangs in the kernel.
///
/// Only the memory-less files of /proc are read before a process is known to be such a
/// child, since reading more of a hanging process can hang as well.
#[cfg(target_os = "linux")]
pub fn is_stuck(arguments: &[&OsStr]) -> bool {
    let wanted: Vec<u8> =
        arguments.iter().flat_map(|a| [a.as_encoded_bytes(), b"\0"].concat()).collect();
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    processes.flatten().any(|process| {
        let is_number = process.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        is_number && is_uninterruptible(&process.path()) && has_arguments(&process.path(), &wanted)
    })
}

/// True if a child of some earlier run still hangs in the kernel; not asked for on this system.
#[cfg(not(target_os = "linux"))]
pub fn is_stuck(_arguments: &[&OsStr]) -> bool {
    false
}

/// State `D` of proc_pid_stat(5).
#[cfg(target_os = "linux")]
fn is_uninterruptible(process: &Path) -> bool {
    let stat = std::fs::read(process.join("stat")).unwrap_or_default();
    let after_name = stat.rsplit(|b| *b == b')').next().unwrap_or_default();
    after_name.starts_with(b" D")
}

#[cfg(target_os = "linux")]
fn has_arguments(process: &Path, wanted: &[u8]) -> bool {
    let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let name_end = line.iter().position(|b| *b == 0).map_or(0, |nul| nul + 1);
    line.get(name_end..) == Some(wanted)
}

#[cfg(unix)]
mod descriptors {
    use std::os::fd::BorrowedFd;

    use rustix::io::{FdFlags, fcntl_setfd};

    const OPEN_ONES: &str = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };

    /// Marks every descriptor but the first three as not for children.
    ///
    /// Ours are opened so; those that our caller left open are not, and a child that is
    /// abandoned on a dead mount would keep a lock of theirs for ever.
    pub fn keep_to_ourselves() {
        let Ok(open) = std::fs::read_dir(OPEN_ONES) else { return };
        for entry in open.flatten() {
            let Some(fd) = entry.file_name().to_str().and_then(|n| n.parse::<i32>().ok()) else {
                continue;
            };
            if fd > 2 {
                // SAFETY: the borrow lasts for this call only; a descriptor that another
                // thread closed meanwhile is answered with EBADF.
                let _ = fcntl_setfd(unsafe { BorrowedFd::borrow_raw(fd) }, FdFlags::CLOEXEC);
            }
        }
    }
}

/// How a child and its group are ended.
enum End {
    Asked,
    Forced,
}

#[cfg(unix)]
fn signal_group(child: &mut Child, end: End) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let signal = match end {
        End::Asked => Signal::TERM,
        End::Forced => Signal::KILL,
    };
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}

/// Nothing but force is known here.
#[cfg(not(unix))]
fn signal_group(child: &mut Child, end: End) {
    if matches!(end, End::Forced) {
        let _ = child.kill();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::Program;
    use std::time::{Duration, Instant};

    #[test]
    fn a_child_sees_its_input_and_no_foreign_environment() {
        let ended =
            Program::new(["/bin/sh", "-c", "cat; echo \"${CARGO_PKG_NAME-none}$X\" >&2; exit 3"])
                .env("X", "1")
                .stdin(b"hello".to_vec())
                .run()
                .unwrap();
        assert_eq!((ended.code, &ended.stdout[..]), (Some(3), &b"hello"[..]));
        assert_eq!(ended.stderr, "none1\n");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_inherits_no_descriptor_that_somebody_left_open() {
        let file = std::fs::File::open("/dev/null").unwrap();
        rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
        let list = "for f in /proc/$$/fd/*; do readlink $f; done";
        let ended = Program::new(["/bin/sh", "-c", list]).run().unwrap();
        let list = String::from_utf8(ended.stdout).unwrap();
        assert!(list.contains("pipe:") && !list.contains("/dev/null"), "{list}");
        drop(file);
    }

    #[test]
    fn a_stop_asks_first_and_what_is_fed_bit_by_bit_arrives() {
        let stop = crate::stop::Stop::never();
        let asked = stop.clone();
        let script =
            "trap 'echo asked; exit 0' TERM; read line; echo $line; while :; do sleep 0.01; done";
        let feed = move |pipe: &mut dyn std::io::Write| {
            pipe.write_all(b"fed\n")?;
            std::thread::sleep(Duration::from_millis(100));
            asked.ask();
            Ok(())
        };
        let ended = Program::new(["/bin/sh", "-c", script]).stdin_from(feed).until(&stop).run();
        let ended = ended.unwrap();
        assert!(ended.stopped && !ended.timed_out && ended.code.is_none());
        assert_eq!(ended.stdout, b"fed\nasked\n");
    }

    #[test]
    fn the_deadline_kills_the_whole_group() {
        let began = Instant::now();
        let ended = Program::new(["/bin/sh", "-c", "sleep 60 & sleep 60"])
            .deadline(Duration::from_millis(100))
            .run()
            .unwrap();
        assert!(ended.timed_out && ended.code.is_none());
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
