//! `phc-ingest run` and `plan`: each cloud in a run of its own.

use cli::{Output, Settings};
use host::clock::SystemClock;
use ingest::excludes::Excludes;
use ingest::run::Machine;
use model::config::Size;
use model::exit::Exit;
use model::problem::{Code, Problem};

use crate::args::Clouds;
use crate::clouds::{Chosen, chosen};
use crate::space;

/// Runs the clouds in turn; the exit code is the worst of theirs.
pub fn run(
    settings: &Settings,
    clouds: &Clouds,
    dry_run: bool,
    hydrate: Option<Size>,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let chosen = chosen(settings, clouds)?;
    let stop = cli::stop_on_signals()?;
    let mut exit = Exit::Done;
    for (at, cloud) in chosen.iter().enumerate() {
        let run = if at == 0 { output.run() } else { output.next_run() };
        let mut asked = asked(settings, cloud, dry_run, run)?;
        asked.hydrate = hydrate.map_or(asked.hydrate, |size| Some(size.bytes()));
        let machine = Machine {
            space: if dry_run { space::to_read(settings) } else { space::to_write(settings) },
            clock: &SystemClock,
            stop: &stop,
            before_listing: None,
        };
        exit = exit.worst(ingest::run::run(&asked, &machine, output).exit);
        if stop.asked() {
            break;
        }
    }
    Ok(exit)
}

/// What one run is asked to do.
pub fn asked(
    settings: &Settings,
    cloud: &Chosen,
    dry_run: bool,
    run: model::run::RunId,
) -> Result<ingest::settings::Settings, Problem> {
    let config = settings.config.cloud(&cloud.id, settings.device.user());
    if cloud.by_hand && config.inbox.is_some_and(|inbox| inbox.consume) {
        let what =
            format!("{} is an inbox that is emptied; only its configured path may be", cloud.id);
        return Err(
            Problem::new(Code::Usage, what).hint("leave out --source, or give another --cloud")
        );
    }
    Ok(ingest::settings::Settings {
        device: settings.device.clone(),
        cloud: cloud.id.clone(),
        source: cloud.source.clone(),
        by_hand: cloud.by_hand,
        account: cloud.account.clone(),
        state: settings.state()?,
        scope: ingest::scope::Scope::Everything,
        unsettled: std::collections::BTreeSet::new(),
        excludes: Excludes::new(config.exclude),
        guard: config.guard,
        on_gone: config.on_gone,
        hydrate: config.hydrate.map(Size::bytes),
        keep_xattrs: settings.config.ingest.keep_xattrs.clone(),
        inbox: config.inbox,
        min_free: settings.config.ingest.min_free,
        // What a former version was is told by the increment of the change that put it away.
        keep_increments: config_keeps(settings),
        dry_run,
        run,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Increments are kept for as long as the spool refers to them or `_trash` holds what they tell of.
fn config_keeps(settings: &Settings) -> std::time::Duration {
    let config = &settings.config;
    config.spool.retention.max(config.trash.keep_age).duration()
}
