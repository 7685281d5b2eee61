//! `phc-ingest history`, `restore` and `duplicates`.

use std::path::PathBuf;

use cli::{Output, Settings};
use host::clock::SystemClock;
use ingest::past::{self, Given, Past, Root};
use model::cloud::CloudId;
use model::config::Size;
use model::device::Device;
use model::emit::Emit;
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::space::SpaceRoot;

use crate::args;

/// Tells a file's life.
pub fn history(
    settings: &Settings,
    which: &args::Which,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let asked = Asked::new(settings, which)?;
    asked.with(|past, path| past::history(past, path, output).map(drop))?;
    Ok(Exit::Done)
}

/// Gives a version back.
pub fn restore(
    settings: &Settings,
    what: &args::Restore,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let asked = Asked::new(settings, &what.which)?;
    let to = std::path::absolute(&what.to).unwrap_or_else(|_| what.to.clone());
    let sources: Vec<PathBuf> = asked.every_source()?;
    past::refuse(&to, &sources, &asked.space, &settings.state()?)?;
    let stop = cli::stop_on_signals()?;
    asked.with(|past, path| {
        let restore = past::Restore {
            path,
            at: what.at.as_deref(),
            to: &to,
            force: what.force,
            dry_run: what.dry_run,
            clock: &SystemClock,
            stop: &stop,
        };
        past::restore(past, &restore, output as &mut dyn Emit).map(drop)
    })?;
    let found = if output.problems() > 0 { Exit::Partial } else { Exit::Done };
    Ok(stop.exit().unwrap_or(found))
}

/// Lists equal content.
pub fn duplicates(
    settings: &Settings,
    min_size: Size,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let (state, space) = (settings.state()?, crate::space::to_read(settings)?);
    let least = min_size.bytes();
    ingest::duplicates::duplicates(&state, &settings.device, &space, least, output)?;
    Ok(Exit::Done)
}

/// What was asked for, and where it is looked for.
struct Asked<'a> {
    settings: &'a Settings,
    which: &'a args::Which,
    device: Device,
    space: SpaceRoot,
    roots: Vec<Root>,
}

impl<'a> Asked<'a> {
    fn new(settings: &'a Settings, which: &'a args::Which) -> Result<Asked<'a>, Problem> {
        let space = crate::space::to_read(settings)?;
        let device = which.device.clone().unwrap_or_else(|| settings.device.clone());
        let roots = roots(settings, &device, &space)?;
        Ok(Asked { settings, which, device, space, roots })
    }

    /// Does the work on the cloud and the path that are meant.
    fn with(
        &self,
        work: impl FnOnce(&Past<'_>, &RelPath) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let here = std::env::current_dir().unwrap_or_default();
        let (typed, named) = (&self.which.path, self.which.cloud.as_ref());
        let space = self.space.path();
        let given = past::known_as(typed, &here, &self.device, space, &self.roots, named);
        let mut unknown = None;
        for Given { cloud, path } in given {
            let folder = self.folder(&cloud)?;
            let past = match Past::open(&self.space, &self.device, &cloud, folder.as_deref()) {
                Ok(past) => past,
                Err(problem) => {
                    unknown.get_or_insert(problem);
                    continue;
                }
            };
            let path = past.meant(&path)?;
            if past.knows(&path)? {
                return work(&past, &path);
            }
            unknown.get_or_insert(past.unknown(&path)?);
        }
        let nothing = || {
            let what = "this path is below no source and no copy of this device";
            let hint = "give it as in its source, as in the space, or below a cloud: CLOUD/PATH";
            Problem::new(Code::NotFound, what).at(typed.as_path()).hint(hint)
        };
        Err(unknown.unwrap_or_else(nothing))
    }

    /// The cloud's folder in the state, where this device has one.
    fn folder(&self, cloud: &CloudId) -> Result<Option<PathBuf>, Problem> {
        let state = self.settings.state()?;
        let own = self.device == self.settings.device && state.knows_cloud(&self.device, cloud);
        own.then(|| state.of_cloud(&self.device, cloud)).transpose()
    }

    /// Every source root that this device has or had.
    fn every_source(&self) -> Result<Vec<PathBuf>, Problem> {
        let own = &self.settings.device;
        let roots = match self.device == *own {
            true => self.roots.clone(),
            false => roots(self.settings, own, &self.space)?,
        };
        Ok(roots.into_iter().filter_map(|root| root.source).collect())
    }
}

/// The clouds of a device, and where this machine reads them from.
fn roots(settings: &Settings, device: &Device, space: &SpaceRoot) -> Result<Vec<Root>, Problem> {
    let root = |cloud, source| Root { cloud, source };
    let mut roots = Vec::new();
    if *device == settings.device {
        let found = ingest::discover::run(&settings.config, device.user());
        roots.extend(
            found.iter().filter_map(|found| Some(root(found.cloud.clone()?, found.root()))),
        );
        let known = ingest::status::sources(&settings.state()?, device)?;
        roots.extend(known.into_iter().map(|(cloud, source)| root(cloud, source)));
    }
    for cloud in store::catalog::clouds(space, device)? {
        if !roots.iter().any(|root: &Root| root.cloud == cloud) {
            roots.push(root(cloud, None));
        }
    }
    Ok(roots)
}
