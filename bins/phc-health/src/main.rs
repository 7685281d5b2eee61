//! `phc-health`: judges a device against what the configuration promises, and shows it.

mod args;
mod commands;
mod pillars;

use std::process::ExitCode;

use args::{Cli, Command};
use model::exit::Exit;
use model::problem::Problem;

fn main() -> ExitCode {
    if mount::probe::answer_if_asked() {
        return ExitCode::SUCCESS;
    }
    cli::main(run)
}

fn run(cli: Cli) -> Result<Exit, Problem> {
    match cli.command {
        Command::Collect => commands::collect(&cli.common),
        Command::Show => commands::show(&cli.common),
        Command::Record(record) => commands::record(&cli.common, &record),
        Command::Config(_) => commands::check_config(&cli.common),
    }
}
