//! `phc-ingest`: brings what OS clouds hold into the space, one way, fast, without loops.

mod args;
mod clouds;
mod expire;
mod past;
mod run;
mod space;
mod status;
mod verify;
mod watch;
mod words;

use std::process::ExitCode;

use args::{Args, Command};
use cli::{Output, Settings};
use model::exit::Exit;
use model::problem::Problem;

fn main() -> ExitCode {
    if mount::probe::answer_if_asked() {
        return ExitCode::SUCCESS;
    }
    cli::main(work)
}

fn work(args: Args) -> Result<Exit, Problem> {
    host::placeholder::keep_away();
    let settings = Settings::resolve(&args.common)?;
    let mut output = Output::new(&settings, model::ingest::TOOL, words::words);
    let exit = match args.command {
        Command::Discover => clouds::discover(&settings, &mut output),
        Command::Run(args::Run { clouds, dry_run, hydrate }) => {
            run::run(&settings, &clouds, dry_run, hydrate, &mut output)?
        }
        Command::Watch(clouds) => watch::watch(&settings, &clouds, &mut output)?,
        Command::Plan(clouds) => run::run(&settings, &clouds, true, None, &mut output)?,
        Command::Approve { plan } => status::approve(&settings, &plan, &mut output)?,
        Command::Verify(verify) => verify::verify(&settings, &verify, &mut output)?,
        Command::Status { cloud } => status::status(&settings, &cloud, &mut output)?,
        Command::Deferred { cloud } => status::deferred(&settings, &cloud, &mut output)?,
        Command::History(which) => past::history(&settings, &which, &mut output)?,
        Command::Restore(what) => past::restore(&settings, &what, &mut output)?,
        Command::Duplicates { min_size } => past::duplicates(&settings, min_size, &mut output)?,
        Command::Name { cloud, path } => status::name(&settings, &cloud, &path, &mut output)?,
        Command::Expire { dry_run } => expire::expire(&settings, dry_run, &mut output)?,
    };
    Ok(output.end(exit))
}
