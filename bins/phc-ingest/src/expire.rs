//! `phc-ingest expire`.

use std::path::PathBuf;

use cli::{Output, Settings};
use host::clock::SystemClock;
use ingest::expire::{Expire, expire as destroy};
use model::exit::Exit;
use model::problem::Problem;
use store::state;

use crate::space;

/// Destroys what the policy no longer keeps.
pub fn expire(settings: &Settings, dry_run: bool, output: &mut Output) -> Result<Exit, Problem> {
    let stop = cli::stop_on_signals()?;
    let folder = state_folder(settings)?;
    let _held = state::lock(&folder, "expire", output.run())?;
    let space = if dry_run { space::to_read(settings) } else { space::to_write(settings) }?;
    let what = Expire {
        device: &settings.device,
        policy: &settings.config.trash,
        space: &space,
        state: &folder,
        dry_run,
        clock: &SystemClock,
        stop: &stop,
    };
    destroy(&what, output)?;
    Ok(stop.exit().unwrap_or(Exit::Done))
}

/// Where plans and lock of this device's expiries lie.
pub fn state_folder(settings: &Settings) -> Result<PathBuf, Problem> {
    settings.state()?.of_job(&settings.device, "expire")
}
