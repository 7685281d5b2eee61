//! `phc-ingest verify`.

use cli::{Output, Settings};
use host::clock::{Clock, SystemClock};
use ingest::verify::{By, Own, Verify, kept, rolling, verify as check};
use model::cloud::CloudId;
use model::config::Share;
use model::device::Device;
use model::exit::Exit;
use model::problem::{Code, Problem};
use store::space::SpaceRoot;
use store::state;

use crate::{args, space};

/// Verifies the copies that were asked for; each that is not as it should be is a problem.
pub fn verify(
    settings: &Settings,
    asked: &args::Verify,
    output: &mut Output,
) -> Result<Exit, Problem> {
    if asked.sample == Share::percent(0) {
        let what = "a sample of 0% reads nothing";
        return Err(Problem::new(Code::Usage, what).hint("give a share above 0%, such as 10%"));
    }
    let prove = if asked.no_repair { space::to_read } else { space::to_write };
    let space = prove(settings)?;
    let stop = cli::stop_on_signals()?;
    let foreign =
        asked.all || asked.device.as_ref().is_some_and(|device| *device != settings.device);
    if asked.rolling && !space.is_local() {
        let what = "a rolling verify reads copies where the space is local";
        return Err(Problem::new(Code::Usage, what).hint("run it on the server"));
    }
    if foreign && !space.is_local() {
        let what = "other devices' copies are verified where the space is local";
        return Err(Problem::new(Code::Usage, what).hint("run it on the server"));
    }
    let devices = match &asked.device {
        _ if asked.all => store::device::all(&space)?,
        Some(device) => vec![device.clone()],
        None => vec![settings.device.clone()],
    };
    // Each sample is another one.
    let seed = SystemClock.now().as_microsecond().cast_unsigned();
    for device in &devices {
        for cloud in clouds(settings, &space, device, &asked.cloud)? {
            let folder = own_folder(settings, device, &cloud)?;
            let what = Verify {
                device,
                cloud: &cloud,
                sample: asked.sample,
                seed,
                own: folder.as_deref().map(|folder| Own {
                    folder,
                    mend: !asked.no_repair,
                    sources: asked.source,
                    keep_xattrs: &settings.config.ingest.keep_xattrs,
                    run: output.run(),
                }),
                space: &space,
                clock: &SystemClock,
                stop: &stop,
            };
            one(settings, &what, asked, output)?;
        }
    }
    let found = if output.problems() > 0 { Exit::Partial } else { Exit::Done };
    Ok(stop.exit().unwrap_or(found))
}

/// The clouds of a device that have a catalog, or those that were named.
fn clouds(
    settings: &Settings,
    space: &SpaceRoot,
    device: &Device,
    named: &[CloudId],
) -> Result<Vec<CloudId>, Problem> {
    let clouds = store::catalog::clouds(space, device)?;
    let state = settings.state()?;
    let own = |cloud| *device == settings.device && state.knows_cloud(device, cloud);
    if let Some(unknown) = named.iter().find(|cloud| !clouds.contains(cloud) && !own(cloud)) {
        let what = format!("nothing was ever stored of {unknown} of {device}");
        return Err(Problem::new(Code::NotFound, what)
            .hint("phc-ingest status tells which clouds there are"));
    }
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    if clouds.is_empty() {
        return Err(Problem::new(Code::NotFound, format!("nothing was ever stored by {device}")));
    }
    Ok(clouds)
}

/// Verifies one cloud's copies, as a whole or today's share of them.
fn one(
    settings: &Settings,
    what: &Verify<'_>,
    asked: &args::Verify,
    output: &mut Output,
) -> Result<(), Problem> {
    let state = settings.state()?;
    // What is remembered is kept with whoever reads, whosever copies they are.
    let folder = state.of_verify(&settings.device, what.device, what.cloud)?;
    let by = By { device: &settings.device, state: &state, folder: &folder };
    if !asked.rolling {
        return kept(what, &by, output, |emit| check(what, emit)).map(drop);
    }
    let job = format!("the rolling verify of {} of {}", what.cloud, what.device);
    let _held = state::lock(&folder, &job, output.run())?;
    let promise = &settings.config.verify;
    kept(what, &by, output, |emit| rolling(what, &folder, promise, emit)).map(drop)
}

/// This device's own folder of the cloud's state; another's copies are held against its catalog.
fn own_folder(
    settings: &Settings,
    device: &Device,
    cloud: &CloudId,
) -> Result<Option<std::path::PathBuf>, Problem> {
    if *device != settings.device {
        return Ok(None);
    }
    let state = settings.state()?;
    if !state.knows_cloud(device, cloud) {
        return Ok(None);
    }
    let folder = state.of_cloud(device, cloud)?;
    // Without a manifest there is nothing to mend by: the next run makes it again.
    Ok(folder.join(ingest::MANIFEST).is_file().then_some(folder))
}
