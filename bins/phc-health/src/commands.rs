//! What each command does.

use std::io::BufReader;

use cli::{Common, Environment, Output, Settings};
use health::collect::{self, Collect};
use health::config::Checked;
use health::{TOOL, show as table};
use host::clock::{Clock, SystemClock};
use host::error::Attempt;
use model::emit::{Emit, emit};
use model::event::Event;
use model::exit::Exit;
use model::problem::{Code, Problem};

use crate::args::Record;
use crate::pillars;

/// Judges the device.
pub fn collect(common: &Common) -> Result<Exit, Problem> {
    let settings = Settings::resolve(common)?;
    let mut output = Output::new(&settings, TOOL, judged);
    let exit = collected(&settings, &mut output)?;
    Ok(output.end(exit))
}

/// Keeps how the piped runs ended, then judges the device.
///
/// The exit is that of collecting, or 1 if a line was no event or a run did not end well.
pub fn record(common: &Common, record: &Record) -> Result<Exit, Problem> {
    let settings = Settings::resolve(common)?;
    let mut output = Output::new(&settings, TOOL, judged);
    let state = settings.state()?;
    let recorded = if record.input.as_os_str() == "-" {
        health::record(std::io::stdin().lock(), &state, &settings.device, &mut output)?
    } else {
        let file = std::fs::File::open(&record.input).attempt("open", &record.input);
        let file = file.map_err(|e| {
            Problem::new(Code::NotFound, format!("can't read the events: {}", e.source))
                .at(e.path.as_path())
        })?;
        health::record(BufReader::new(file), &state, &settings.device, &mut output)?
    };
    let trouble = match (recorded.runs, recorded.events) {
        (0, 0) if recorded.invalid > 0 => Exit::Usage,
        (0, _) => {
            output.problem(no_outcome());
            Exit::Failed
        }
        _ if recorded.invalid + recorded.troubled > 0 => Exit::Partial,
        _ => Exit::Done,
    };
    let exit = trouble.worst(collected(&settings, &mut output)?);
    Ok(output.end(exit))
}

/// Shows the latest status.
pub fn show(common: &Common) -> Result<Exit, Problem> {
    let settings = Settings::resolve(common)?;
    let mut output = Output::new(&settings, TOOL, judged);
    let status = collect::latest(&settings.state()?, &settings.device)?.ok_or_else(|| {
        Problem::new(Code::NotFound, format!("{} has no status yet", settings.device))
            .hint("phc-health collect makes one")
    })?;
    let text = table::table(&status, SystemClock.now(), settings.colour);
    output.print(&text);
    if !output.in_words() {
        output.line(&serde_json::to_string(&status).unwrap_or_default());
    }
    Ok(output.end(Exit::Done))
}

/// Validates the configuration.
pub fn check_config(common: &Common) -> Result<Exit, Problem> {
    let around = Environment::of_process();
    let sources = Settings::sources(common, &around)?;
    let errors = health::config::check(&sources);
    let settings = Settings::with(common, &around, &[])?;
    let mut output = Output::new(&settings, TOOL, checked);
    let files = sources.iter().map(|source| source.name.as_path().into()).collect();
    let told = Checked { files, errors: errors.len() as u64 };
    let exit = if errors.is_empty() { Exit::Done } else { Exit::Usage };
    for error in errors {
        output.problem(error.into());
    }
    emit(&mut output, &told);
    Ok(output.end(exit))
}

fn collected(settings: &Settings, output: &mut Output) -> Result<Exit, Problem> {
    let state = settings.state()?;
    let (pillars, space) = pillars::look(settings);
    let what = Collect {
        device: &settings.device,
        state: &state,
        config: &settings.config,
        pillars,
        space,
        version: env!("CARGO_PKG_VERSION"),
        clock: &SystemClock,
    };
    collect::collect(what, output)
}

fn no_outcome() -> Problem {
    Problem::new(Code::Child, "the run before the pipe ended without telling how")
        .hint("look at its own messages; it must be given --format json")
}

/// `bench/sam: warn; phc-health show tells more`.
fn judged(event: &Event) -> Option<String> {
    let status = event.data_as::<health::collect::Judged>()?.0;
    let overall = serde_json::to_value(status.overall).unwrap_or_default();
    let (host, user) = (&status.host, &status.user);
    Some(format!("{host}/{user}: {}; phc-health show tells more", overall.as_str()?))
}

/// `ok: /etc/phc/phc.toml`.
fn checked(event: &Event) -> Option<String> {
    let told = event.data_as::<Checked>().filter(|told| told.errors == 0)?;
    if told.files.is_empty() {
        return Some("ok: no configuration, every option has its default".to_owned());
    }
    let files = told.files.iter().map(ToString::to_string).collect::<Vec<_>>();
    Some(format!("ok: {}", files.join(", ")))
}
