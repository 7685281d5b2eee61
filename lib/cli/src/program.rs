//! A program from its start to its exit code.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use host::stop::Stop;
use model::exit::Exit;
use model::problem::{Code, Problem};

use crate::manual;

/// Runs a program: reads its arguments, does its work, and ends with the exit code of what came of it.
///
/// A problem that ends the work is told once, here, as one line on stderr. Whoever told it
/// already, as the last event of a run does, returns its exit code instead. A panic is a
/// bug: one line, and exit 70 at once, as for a power cut.
pub fn main<A: Parser>(work: impl FnOnce(A) -> Result<Exit, Problem>) -> ExitCode {
    let name = A::command().get_name().to_owned();
    a_panic_is_a_bug(name.clone());
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let exit = match asked_for_itself::<A>(&arguments) {
        Some(page) => page.map(|page| to_stdout(&page)),
        None => match A::try_parse_from(arguments) {
            Ok(args) => work(args),
            Err(error) => not_understood(&name, &error),
        },
    };
    ExitCode::from(exit.unwrap_or_else(|problem| told(&name, &problem)).code())
}

/// A flag that SIGINT and SIGTERM raise; for work that must end in order.
///
/// # Errors
/// [`Code::Io`] when the handlers can't be installed.
pub fn stop_on_signals() -> Result<Stop, Problem> {
    Stop::on_signals()
        .map_err(|e| Problem::new(Code::Io, format!("can't install the signal handlers: {e}")))
}

/// The page or the completions that two hidden first arguments ask a program for.
fn asked_for_itself<A: Parser>(arguments: &[OsString]) -> Option<Result<Vec<u8>, Problem>> {
    let word = |at: usize| arguments.get(at).and_then(|word| word.to_str());
    match (word(1)?, word(2)) {
        ("--manual", None) => Some(Ok(manual::page(A::command()).into_bytes())),
        ("--completions", shell) => {
            Some(manual::completions(A::command(), shell.unwrap_or_default()))
        }
        _ => None,
    }
}

fn told(name: &str, problem: &Problem) -> Exit {
    to_stderr(&format!("{name}: {problem}\n"));
    problem.exit()
}

/// Help and version are answers; everything else that clap says is a wrong usage.
fn not_understood(name: &str, error: &clap::Error) -> Result<Exit, Problem> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that left had enough.
            let _ = error.print();
            Ok(Exit::Done)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Err(usage(name, "a command is missing".to_owned(), None))
        }
        _ => {
            let (what, tip) = one_line(&error.to_string());
            Err(usage(name, what, tip))
        }
    }
}

fn usage(name: &str, what: String, tip: Option<String>) -> Problem {
    let help = format!("see {name} --help");
    let hint = tip.map_or(help.clone(), |tip| format!("{tip}; {help}"));
    Problem::new(Code::Usage, what).hint(hint)
}

/// What is wrong and what clap would try instead, from its several lines.
fn one_line(text: &str) -> (String, Option<String>) {
    let lines = text
        .lines()
        .take_while(|line| !["Usage:", "For more"].iter().any(|end| line.starts_with(end)));
    let lines: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    let (tips, what): (Vec<&str>, Vec<&str>) =
        lines.into_iter().partition(|line| line.starts_with("tip: "));
    let what = what.join(" ");
    let what = what.strip_prefix("error: ").unwrap_or(&what).to_owned();
    let tip = tips.first().map(|tip| tip.trim_start_matches("tip: ").to_owned());
    (what, tip)
}

fn a_panic_is_a_bug(name: String) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            usual(panic);
        }
        let payload = panic.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        let what = text.replace('\n', " ");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        to_stderr(&format!(
            "{name}: this is a bug: {what}: {place}; run it again with RUST_BACKTRACE=1 and report what it says\n"
        ));
        // No thread goes on beside one that broke: the work is made to be ended anywhere.
        std::process::exit(i32::from(Exit::Bug.code()));
    }));
}

fn to_stdout(bytes: &[u8]) -> Exit {
    // A reader that left had enough.
    let _ = std::io::stdout().write_all(bytes);
    Exit::Done
}

fn to_stderr(line: &str) {
    // Nobody can be told that stderr is closed.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::one_line;
    use clap::{Arg, Command};

    fn said(arguments: &[&str]) -> (String, Option<String>) {
        let command = Command::new("phc-x")
            .arg(Arg::new("cloud").long("cloud").required(true))
            .arg(Arg::new("format").long("format").value_parser(["human", "json"]));
        let arguments = std::iter::once("phc-x").chain(arguments.iter().copied());
        one_line(&command.try_get_matches_from(arguments).unwrap_err().to_string())
    }

    /// Run by the test below, in a process of its own; alone it shows that nothing happens.
    #[test]
    fn breaks_when_it_is_told_to() {
        if std::env::var_os("PHC_TEST_BREAK").is_some() {
            super::a_panic_is_a_bug("phc-x".to_owned());
            let thread = std::thread::spawn(|| panic!("two\nlines"));
            // The hook ends the process before anything can be joined.
            let _ = thread.join();
        }
    }

    #[test]
    fn a_panic_in_any_thread_is_told_in_one_line_and_ends_with_70() {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "program::tests::breaks_when_it_is_told_to", "--nocapture"]);
        child.env("PHC_TEST_BREAK", "1").env_remove("RUST_BACKTRACE");
        let ended = child.output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(70), "{told}");
        assert!(told.starts_with("phc-x: this is a bug: two lines: "), "{told}");
        assert!(told.contains("program.rs:") && told.lines().count() == 1, "{told}");
    }

    #[test]
    fn what_clap_says_becomes_one_line() {
        for (arguments, what, tip) in [
            (&["--clod", "x"][..], "unexpected argument '--clod' found", Some("'--cloud'")),
            (&[], "the following required arguments were not provided: --cloud <cloud>", None),
            (
                &["--cloud", "x", "--format", "xml"],
                "invalid value 'xml' for '--format <format>' [possible values: human, json]",
                None,
            ),
        ] {
            let (said, tipped) = said(arguments);
            assert_eq!(said, what);
            match tip {
                Some(tip) => assert!(tipped.is_some_and(|said| said.contains(tip))),
                None => assert_eq!(tipped, None),
            }
        }
    }
}
