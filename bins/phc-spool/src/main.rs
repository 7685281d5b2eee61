//! `phc-spool`: carries the events by which the other programs know of each other.

mod ack;
mod args;
mod exec;
mod list;
mod put;
mod read;
mod stdout;
mod words;

use std::process::ExitCode;

use args::{Args, Command};
use cli::{Output, Settings};
use model::exit::Exit;
use model::problem::Problem;
use model::sentinel::Pillar;
use mount::{Prober, Wanted, pins::Pins};
use store::space::SpaceRoot;

fn main() -> ExitCode {
    if mount::probe::answer_if_asked() {
        return ExitCode::SUCCESS;
    }
    cli::main(run)
}

fn run(args: Args) -> Result<Exit, Problem> {
    let settings = Settings::resolve(&args.common)?;
    let mut output = Output::new(&settings, model::spool::TOOL, words::words);
    let exit = match &args.command {
        Command::Put => put::put(&settings, &mut output)?,
        Command::List(list) => list::list(&settings, list, &mut output)?,
        Command::Read(read) => read::read(&settings, read, &mut output)?,
        Command::Ack(ack) => ack::ack(&settings, ack, &mut output)?,
        Command::Flush => put::flush(&settings, &mut output)?,
        Command::Prune(prune) => list::prune(&settings, prune, &mut output)?,
        Command::Consumers => list::consumers(&settings, &mut output)?,
        Command::Dead(dead) => ack::dead(&settings, dead, &mut output)?,
    };
    Ok(output.end(exit))
}

/// The space, proven to be the real one.
fn space(settings: &Settings) -> Result<SpaceRoot, Problem> {
    let wanted = Wanted::from(&settings.config, &settings.places.home, Pillar::Space);
    let wanted = match &settings.space {
        Some(dir) => wanted.at(dir),
        None => wanted,
    };
    mount::prove(&wanted, &Pins::load(&settings.state)?, &Prober::own())
}
