//! What each command asks of the engine.

use cli::Settings;
use host::clock::SystemClock;
use model::emit::{Emit, emit};
use model::exit::Exit;
use model::problem::Problem;
use model::sentinel::Pillar;
use mount::event::{Ready, Refused};
use mount::{Adoption, Prober, Wanted, pins::Pins};

use crate::args::Adopt;

/// Adopts a directory, then says whether it is taken for the real one from now on.
pub fn adopt(what: &Adopt, settings: &Settings, emitter: &mut dyn Emit) -> Result<Exit, Problem> {
    let wanted = wanted(settings, what.pillar).at(&what.dir);
    let adoption = Adoption {
        dir: &what.dir,
        pillar: what.pillar,
        local: what.local || wanted.local == Some(true),
        repin: what.repin,
        configured: wanted.id,
    };
    let adopted = mount::adopt(&adoption, &settings.state()?, &Prober::own(), &SystemClock)?;
    emit(emitter, &adopted);
    Ok(match mount::prove(&wanted, &Pins::load(&settings.state)?, &Prober::own()) {
        Ok(root) => {
            emit(emitter, &Ready::of(&root));
            Exit::Done
        }
        Err(problem) => {
            emit(emitter, &Refused { pillar: what.pillar, problem });
            Exit::Partial
        }
    })
}

/// Judges every pillar, or the one directory that `--space` names.
pub fn status(settings: &Settings, emitter: &mut dyn Emit) -> Result<Exit, Problem> {
    let pillars = match &settings.space {
        Some(dir) => vec![wanted(settings, Pillar::Space).at(dir)],
        None => Pillar::ALL.map(|pillar| wanted(settings, pillar)).to_vec(),
    };
    let reports = mount::status(&pillars, &Pins::load(&settings.state)?, &Prober::own());
    Ok(reports.iter().fold(Exit::Done, |exit, report| {
        emit(emitter, report);
        exit.worst(report.state.exit())
    }))
}

fn wanted(settings: &Settings, pillar: Pillar) -> Wanted {
    Wanted::from(&settings.config, &settings.places.home, pillar)
}
