//! The one place that prints.

use std::io::{Stdout, Write, stderr, stdout};

use host::clock::{Clock, SystemClock};
use model::emit::{Emit, Progress};
use model::event::{Author, Draft, Event};
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::run::RunId;

use crate::bar::Bar;
use crate::settings::{Settings, Speech};
use crate::stdout::Lines;
use crate::words::Words;

/// What a program says: events on stdout, words for people on stderr, progress on a terminal.
///
/// As JSON, stdout carries every event, one a line. In words, it carries what `words`
/// makes of the events, and problems are on stderr alone. Whatever happens to stdout, the
/// work that is told is not disturbed: a reader that left ends only the telling.
pub struct Output {
    tool: &'static str,
    author: Author,
    speech: Speech,
    words: Words,
    verbose: u8,
    quiet: bool,
    stdout: Lines<Stdout>,
    bar: Bar,
    problems: u64,
}

impl Output {
    /// The output of a tool (`ingest`, `mount`, `health`, `spool`), with a fresh run id.
    pub fn new(settings: &Settings, tool: &'static str, words: Words) -> Output {
        let device = settings.device.clone();
        Output {
            tool,
            author: Author { device, tool, run: host::id::ordered() },
            speech: settings.speech,
            words,
            verbose: settings.verbose,
            quiet: settings.quiet,
            stdout: Lines::new(stdout()),
            bar: Bar::new(settings.progress),
            problems: 0,
        }
    }

    /// The run's id.
    pub fn run(&self) -> RunId {
        self.author.run
    }

    /// Begins another run, with a fresh id and no problems; for programs that do several in turn.
    pub fn next_run(&mut self) -> RunId {
        self.bar.clear();
        self.problems = 0;
        self.author.run = host::id::ordered();
        self.author.run
    }

    /// Who writes the events.
    pub fn author(&self) -> &Author {
        &self.author
    }

    /// True if stdout carries words, false if it carries events.
    pub fn in_words(&self) -> bool {
        self.speech == Speech::Words
    }

    /// Prints words on stdout: a table, an answer. Nothing when stdout carries events.
    pub fn print(&mut self, text: &str) {
        if self.in_words() {
            self.line(text.trim_end_matches('\n'));
        }
    }

    /// Writes one line to stdout as it is: an event that is passed on, a file that is shown.
    pub fn line(&mut self, line: &str) {
        if self.speech == Speech::Json {
            return self.stdout.line(line);
        }
        let (bar, stdout) = (&self.bar, &mut self.stdout);
        bar.aside(|| {
            stdout.line(line);
            stdout.flush();
        });
    }

    /// Says something to people on stderr; silent with `-q`.
    pub fn note(&mut self, words: &str) {
        if !self.quiet {
            self.to_stderr(words);
        }
    }

    /// How many problems of this run were told that make it a partial one.
    pub fn problems(&self) -> u64 {
        self.problems
    }

    /// True once nobody reads stdout any more: a program that only tells may end.
    pub fn reader_is_gone(&self) -> bool {
        self.stdout.reader_is_gone()
    }

    /// Passes on what waits; for programs that wait themselves.
    pub fn flush(&mut self) {
        self.stdout.flush();
    }

    /// Ends the telling, and with it the program: 4 at best if lines were lost on their way out.
    pub fn end(mut self, exit: Exit) -> Exit {
        self.bar.clear();
        self.stdout.flush();
        let Some(why) = self.stdout.failure() else { return exit };
        let problem = Problem::new(Code::Io, format!("can't write to stdout: {why}"))
            .hint("what is missing there was done all the same; look at where stdout goes");
        self.to_stderr(&problem.to_string());
        exit.worst(Exit::Failed)
    }

    fn to_stderr(&self, words: &str) {
        let line = format!("phc-{}: {words}\n", self.tool);
        // Nobody can be told that stderr is closed.
        self.bar.aside(|| drop(stderr().write_all(line.as_bytes())));
    }

    /// Stamps a draft and, as JSON, writes it.
    fn stamped(&mut self, draft: Draft) -> Event {
        let event = self.author.event(draft, host::id::ordered(), SystemClock.now());
        if self.speech == Speech::Json {
            match event.to_line() {
                Ok(line) => self.stdout.line(&line),
                Err(e) => self.to_stderr(&format!("this is a bug: {} {e}", event.kind)),
            }
        }
        event
    }

    fn tell_problem(&mut self, problem: &Problem) {
        // News that are no trouble, such as a manifest that could be rebuilt, are only noted.
        let trouble = problem.exit() != Exit::Done;
        self.problems += u64::from(trouble);
        if trouble || !self.quiet {
            self.to_stderr(&problem.to_string());
        }
    }

    /// Says an event in words: on stdout, or, beside events, a run's good end on stderr.
    ///
    /// Of a run that a problem ended, the problem's one line says it all.
    fn tell(&mut self, event: &Event) {
        let problem = event.data.as_ref().and_then(|data| data.get("problem"));
        let went_well = problem.is_none_or(serde_json::Value::is_null);
        let ended = event.kind.ends_with(".run.finished") && went_well;
        if self.quiet || !(self.in_words() || ended) {
            return;
        }
        match (self.words)(event) {
            Some(words) if self.in_words() => self.line(&words),
            Some(words) => self.to_stderr(&words),
            None => {}
        }
    }
}

impl Emit for Output {
    fn event(&mut self, draft: Draft) -> Event {
        let event = self.stamped(draft);
        if event.kind.ends_with(".run.finished") {
            self.bar.clear();
            let problem = event.data.as_ref().and_then(|data| data.get("problem"));
            let problem = problem.and_then(|p| serde_json::from_value::<Problem>(p.clone()).ok());
            if let Some(problem) = problem {
                self.to_stderr(&problem.to_string());
            }
        }
        self.tell(&event);
        event
    }

    fn wants_files(&self) -> bool {
        match self.speech {
            Speech::Json => !self.stdout.reader_is_gone(),
            Speech::Words => self.verbose > 0,
        }
    }

    fn problem(&mut self, problem: Problem) -> Event {
        self.tell_problem(&problem);
        self.stamped(Draft::of(&problem))
    }

    fn progress(&mut self, progress: &Progress) {
        self.stdout.tick();
        self.bar.show(progress);
    }
}

impl Drop for Output {
    /// Leaves a clean terminal and no event behind when an error ends the program early.
    fn drop(&mut self) {
        self.bar.clear();
        self.stdout.flush();
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("author", &self.author).finish_non_exhaustive()
    }
}
