//! `phc-mount`: makes the backplane be where it should be, proves that it is the real one, and says so.

mod args;
mod words;

use std::process::ExitCode;

use args::{Args, Command};
use cli::{Output, Settings};
use host::clock::SystemClock;
use model::emit::emit;
use model::exit::Exit;
use model::problem::Problem;
use model::sentinel::Pillar;
use mount::{Adoption, Prober, Wanted, adopt, pins::Pins, status};

fn main() -> ExitCode {
    if mount::probe::answer_if_asked() {
        return ExitCode::SUCCESS;
    }
    cli::main(run)
}

fn run(args: Args) -> Result<Exit, Problem> {
    let settings = Settings::resolve(&args.common)?;
    let mut output = Output::new(&settings, mount::event::TOOL, words::words);
    let wanted = |pillar| Wanted::from(&settings.config, &settings.places.home, pillar);
    let exit = match args.command {
        Command::Adopt { local, repin, pillar, dir } => {
            let Wanted { id: configured, local: named, .. } = wanted(pillar);
            let local = local || named == Some(true);
            let adoption = Adoption { dir: &dir, pillar, local, repin, configured };
            let adopted = adopt(&adoption, &settings.state()?, &Prober::own(), &SystemClock)?;
            emit(&mut output, &adopted);
            Exit::Done
        }
        Command::Status => {
            let pillars = match &settings.space {
                Some(dir) => vec![wanted(Pillar::Space).at(dir)],
                None => Pillar::ALL.map(wanted).to_vec(),
            };
            let reports = status(&pillars, &Pins::load(&settings.state)?, &Prober::own());
            reports.iter().for_each(|report| drop(emit(&mut output, report)));
            reports.iter().fold(Exit::Done, |exit, report| exit.worst(report.state.exit()))
        }
    };
    Ok(output.end(exit))
}
