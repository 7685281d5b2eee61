//! The space, proven to be the real one: for what writes, and for what only reads.

use cli::Settings;
use model::problem::Problem;
use model::sentinel::Pillar;
use mount::{Prober, Wanted, pins::Pins};
use store::space::SpaceRoot;

/// For any command: it must take writes.
pub fn to_write(settings: &Settings) -> Result<SpaceRoot, Problem> {
    mount::prove(&wanted(settings), &Pins::load(&settings.state)?, &Prober::own())
}

/// For commands that write nothing there: a failing disk that turned read-only is what one restores from.
pub fn to_read(settings: &Settings) -> Result<SpaceRoot, Problem> {
    mount::prove_to_read(&wanted(settings), &Pins::load(&settings.state)?, &Prober::own())
}

fn wanted(settings: &Settings) -> Wanted {
    let wanted = Wanted::from(&settings.config, &settings.places.home, Pillar::Space);
    settings.space.as_ref().map_or(wanted.clone(), |dir| wanted.at(dir))
}
