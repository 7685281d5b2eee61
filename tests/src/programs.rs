//! Running the programs: where they are, what is given to them, what came of it.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::events::Event;
use crate::terminal::Terminal;

/// How long a program may take before a test calls it hung.
const PATIENCE: Duration = Duration::from_secs(300);

/// The folder that cargo puts the programs into, beside the test that runs.
pub fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let folder = test.parent().and_then(Path::parent).expect("tests lie in target/*/deps");
    folder.to_owned()
}

/// A program's file.
///
/// # Panics
/// When it was not built: cargo builds other packages' programs only when it is told to.
pub fn path(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.exists(),
        "{} is not there: cargo build --workspace --all-targets, or scripts/test",
        path.display()
    );
    path
}

/// A program that is about to run.
#[derive(Debug)]
pub struct Run {
    command: Command,
    stdin: Vec<u8>,
    name: String,
}

impl Run {
    /// A program with an empty environment but for `PATH` and `LANG`.
    pub fn new(program: &Path) -> Run {
        let mut command = Command::new(program);
        command.env_clear().env("LANG", "C.UTF-8");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Run { command, stdin: Vec::new(), name }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Run {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Run {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Run {
        self.command.env(key, value);
        self
    }

    /// Takes a variable out of its environment.
    pub fn without(mut self, key: &str) -> Run {
        self.command.env_remove(key);
        self
    }

    /// Runs it in this folder.
    pub fn folder(mut self, folder: &Path) -> Run {
        self.command.current_dir(folder);
        self
    }

    /// The same, run by another program, whose command line ends with this one's.
    pub fn behind<S: AsRef<OsStr>>(
        self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Run {
        let mut command = Command::new(program);
        command.args(arguments).arg(self.command.get_program()).args(self.command.get_args());
        command.env_clear();
        for (key, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(key, value);
            }
        }
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        Run { command, ..self }
    }

    /// Gives it this on stdin; else stdin is empty.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Run {
        self.stdin = text.into();
        self
    }

    /// Runs it to its end.
    pub fn end(self) -> Ended {
        self.spawn().end()
    }

    /// Starts it and goes on beside it.
    pub fn spawn(self) -> Running {
        self.spawn_to(Stdio::piped(), Stdio::piped())
    }

    /// Runs it to its end with its stdout going into a file.
    pub fn end_into(self, path: &Path) -> Ended {
        let file = std::fs::File::options().write(true).open(path);
        self.spawn_to(
            file.unwrap_or_else(|e| panic!("{}: {e}", path.display())).into(),
            Stdio::piped(),
        )
        .end()
    }

    /// Runs it to its end with a stdout that nobody reads any more.
    pub fn end_unread(self) -> Ended {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.spawn_to(writer.into(), Stdio::piped()).end()
    }

    /// Runs it to its end with stdout and stderr on one terminal, and tells what was seen there.
    pub fn end_on_terminal(mut self) -> (Ended, String) {
        let terminal = Terminal::new();
        self.command.env("TERM", "xterm");
        let ended = self.spawn_to(terminal.end().into(), terminal.end().into()).end();
        (ended, terminal.seen())
    }

    fn spawn_to(mut self, stdout: Stdio, stderr: Stdio) -> Running {
        self.command.stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let shown = format!("{:?}", self.command);
        let mut child = self.command.spawn().unwrap_or_else(|e| panic!("{shown}: {e}"));
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        // Its ends of pipes and terminals are the program's alone from now on.
        drop(self.command);
        // A program that does not read its input to the end is within its rights.
        std::thread::spawn(move || stdin.write_all(&self.stdin));
        let stdout = drained(child.stdout.take());
        let stderr = drained(child.stderr.take());
        Running { child, stdout, stderr, name: self.name, shown }
    }
}

fn drained(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).expect("reading a pipe");
        }
        bytes
    })
}

/// A program at work.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    name: String,
    shown: String,
}

impl Running {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, signal);
    }

    /// True once it ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_some()
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let begun = Instant::now();
        while !self.has_ended() {
            if begun.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("{} hangs", self.shown);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let status = self.child.wait().expect("a child can be waited for");
        let text = |thread: JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&thread.join().expect("reading a pipe")).into_owned()
        };
        Ended {
            code: status.code(),
            signal: std::os::unix::process::ExitStatusExt::signal(&status),
            stdout: text(self.stdout),
            stderr: text(self.stderr),
            name: self.name,
            shown: self.shown,
        }
    }
}

/// What came of a program.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal killed it.
    pub code: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    name: String,
    shown: String,
}

impl Ended {
    /// The same, after checking the exit code.
    ///
    /// # Panics
    /// When it is another one.
    #[track_caller]
    pub fn with(self, code: i32) -> Ended {
        assert!(
            self.code == Some(code),
            "{} ended with {:?} (signal {:?}), not {code}\nstdout: {}\nstderr: {}",
            self.shown,
            self.code,
            self.signal,
            self.stdout,
            self.stderr
        );
        self
    }

    /// The same, after checking that it did all that was asked (exit 0).
    #[track_caller]
    pub fn ok(self) -> Ended {
        self.with(0)
    }

    /// The same, after checking that it ended with this code and told why in one line that holds these words.
    #[track_caller]
    pub fn refused(self, code: i32, words: &[&str]) -> Ended {
        let ended = self.with(code);
        let line = ended.only_line();
        assert!(line.starts_with(&format!("{}: ", ended.name)), "{line} does not say who speaks");
        for word in words {
            assert!(line.contains(word), "{line:?} does not say {word:?}");
        }
        ended
    }

    /// The one line on stderr.
    #[track_caller]
    fn only_line(&self) -> &str {
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert!(lines.len() == 1, "{} says other than one line: {}", self.shown, self.stderr);
        lines[0]
    }

    /// The events on stdout, each valid against CloudEvents' schema and its own.
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        self.stdout.lines().map(Event::valid).collect()
    }

    /// The events of one type.
    #[track_caller]
    pub fn events_of(&self, kind: &str) -> Vec<Event> {
        self.events().into_iter().filter(|event| event.kind == kind).collect()
    }

    /// The one event of a type.
    #[track_caller]
    pub fn event(&self, kind: &str) -> Event {
        let mut found = self.events_of(kind);
        assert!(found.len() == 1, "{} {kind} in {}", found.len(), self.stdout);
        found.remove(0)
    }
}
