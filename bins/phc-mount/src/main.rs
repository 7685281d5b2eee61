//! `phc-mount`: makes the backplane be where it should be, proves that it is the real one, and says so.

mod args;
mod words;
mod work;

use std::process::ExitCode;

use args::{Args, Command};
use cli::{Output, Settings};
use model::exit::Exit;
use model::problem::Problem;

fn main() -> ExitCode {
    if mount::probe::answer_if_asked() {
        return ExitCode::SUCCESS;
    }
    cli::main(run)
}

fn run(args: Args) -> Result<Exit, Problem> {
    let settings = Settings::resolve(&args.common)?;
    let mut output = Output::new(&settings, mount::event::TOOL, words::words);
    let exit = match &args.command {
        Command::Adopt(what) => work::adopt(what, &settings, &mut output)?,
        Command::Status => work::status(&settings, &mut output)?,
    };
    Ok(output.end(exit))
}
