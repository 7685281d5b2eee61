//! What is known of a cloud before a run: its manifest, opened or made again.

use std::path::{Path, PathBuf};

use host::Dir;
use jiff::Timestamp;
use model::emit::Emit;
use model::problem::{Code, Problem};
use model::text::Text;
use store::catalog::Catalog;
use store::manifest::{Manifest, Opened};
use store::names::{self, Target};
use store::space::SpaceRoot;
use store::{device, layout};
use tempfile::TempDir;
use uuid::Uuid;

use crate::rebuild;
use crate::settings::Settings;

/// The manifest's file in a cloud's state.
pub const MANIFEST: &str = "manifest.sqlite";

/// Whose manifest it is, and of which cloud, in its table of values.
const DEVICE: &str = "device";
const CLOUD: &str = "cloud";

/// What is known.
#[derive(Debug)]
pub struct Known {
    /// The manifest.
    pub manifest: Manifest,
    /// True if every copy is to be compared by stat (safety law 5).
    pub reconcile: bool,
    /// True if the manifest was made just now: only a look at everything makes it complete.
    pub is_new: bool,
    /// Which names the copy's file system can hold.
    pub target: Target,
    /// The volume that the source root lay on, when that is known.
    pub volume: Option<String>,
    /// A dry run's own manifest lies here when there was none to look at.
    _scratch: Option<TempDir>,
}

/// Opens the manifest; a broken one is set aside, and a missing one made again from catalog and copies.
///
/// One that is `distrusted` is read whole before it is believed.
///
/// # Errors
/// When neither works.
pub fn open(
    settings: &Settings,
    folder: &Path,
    distrusted: bool,
    space: &SpaceRoot,
    copy: Option<&Dir>,
    now: Timestamp,
    emit: &mut dyn Emit,
) -> Result<Known, Problem> {
    let path = folder.join(MANIFEST);
    let found = if settings.dry_run && !path.exists() {
        Ok(None)
    } else {
        sound(&path, distrusted, settings)
    };
    let (device, cloud) = (&settings.device, &settings.cloud);
    let target = names::target(space, device, cloud, folder, !settings.dry_run)?;
    let copy = copy.map(|dir| (dir, target));
    let scratch = scratch(settings, &found)?;
    let path = scratch.as_ref().map_or(path, |dir| dir.path().join(MANIFEST));
    let is_new = !matches!(found, Ok(Some(_)));
    let manifest = match found {
        Ok(Some(manifest)) => manifest,
        Ok(None) => rebuilt(settings, &path, space, copy, None, emit)?,
        Err(e) if e.is_broken() => {
            let aside = if settings.dry_run { path.clone() } else { set_aside(&path, now)? };
            rebuilt(settings, &path, space, copy, Some((&aside, e)), emit)?
        }
        Err(e) => return Err(e.into()),
    };
    let rolled_back = rolled_back(settings, &manifest, space)?;
    if let Some(problem) = &rolled_back {
        emit.problem(problem.clone());
    }
    let volume = manifest.meta("volume")?;
    Ok(Known {
        target,
        manifest,
        reconcile: rolled_back.is_some(),
        is_new,
        volume,
        _scratch: scratch,
    })
}

/// True if any file of this cloud was ever known: in the manifest, the catalog or as a copy.
pub fn anything(settings: &Settings, folder: &Path, space: Option<&SpaceRoot>) -> bool {
    let in_manifest =
        Manifest::look(&folder.join(MANIFEST)).ok().flatten().is_some_and(|manifest| {
            manifest
                .reader()
                .and_then(|reader| reader.counts())
                .is_ok_and(|(live, _, gone)| live + gone > 0)
        });
    in_manifest || space.is_some_and(|space| in_space(settings, space))
}

/// True if the space holds copies or a catalog of this cloud.
pub fn in_space(settings: &Settings, space: &SpaceRoot) -> bool {
    let catalog = Catalog::look(space, &settings.device, &settings.cloud).ok().flatten();
    let copy = space.dir().beneath(&layout::cloud(&settings.device, &settings.cloud));
    catalog.is_some_and(|catalog| catalog.is_empty().is_ok_and(|empty| !empty))
        || copy.and_then(|dir| dir.entries()).is_ok_and(|entries| !entries.is_empty())
}

/// Remembers whose manifest it is, and of which cloud.
///
/// # Errors
/// When the manifest can't be written.
pub fn remember_owner(manifest: &Manifest, settings: &Settings) -> Result<(), Problem> {
    manifest.set_meta(DEVICE, &settings.device.to_string())?;
    Ok(manifest.set_meta(CLOUD, settings.cloud.as_str())?)
}

/// Remembers where the source root is, so that a cloud that discovery loses is missed.
///
/// # Errors
/// When the manifest can't be written.
pub fn remember_root(manifest: &Manifest, settings: &Settings) -> Result<(), Problem> {
    let path = std::path::absolute(&settings.source).unwrap_or_else(|_| settings.source.clone());
    let text = serde_json::to_string(&Text::from(path.as_path())).unwrap_or_default();
    manifest.set_meta("source", &text)?;
    let root = if settings.by_hand { None } else { Some(Text::from(settings.source.as_path())) };
    let root = serde_json::to_string(&root).unwrap_or_default();
    Ok(manifest.set_meta("root", &root)?)
}

/// Where the source root of a cloud was at its last run; `None` if it was named by hand, or there was none.
pub fn root(folder: &Path) -> Option<PathBuf> {
    let manifest = Manifest::look(&folder.join(MANIFEST)).ok()??;
    let root: Option<Text> = serde_json::from_str(&manifest.meta("root").ok()??).ok()?;
    root.map(|root| PathBuf::from(&*host::name::os(root.as_bytes())))
}

/// Where a cloud was read from last, however it was named; `None` if it never was.
pub fn last_source(manifest: &Manifest) -> Option<PathBuf> {
    let text: Text = serde_json::from_str(&manifest.meta("source").ok()??).ok()?;
    Some(PathBuf::from(&*host::name::os(text.as_bytes())))
}

/// A dry run touches no state: where there is no sound manifest it makes one for itself.
fn scratch(
    settings: &Settings,
    found: &store::manifest::Result<Option<Manifest>>,
) -> Result<Option<TempDir>, Problem> {
    if !settings.dry_run || matches!(found, Ok(Some(_))) {
        return Ok(None);
    }
    tempfile::tempdir().map(Some).map_err(|e| {
        Problem::new(Code::StateUnusable, format!("can't make a temporary folder: {e}"))
    })
}

/// True if the manifest does not hold what SQLite wrote; reads it whole.
pub fn is_broken(folder: &Path) -> bool {
    let checked = match Manifest::look(&folder.join(MANIFEST)) {
        Ok(Some(manifest)) => manifest.check_deeply(),
        other => other.map(drop),
    };
    checked.is_err_and(|e| e.is_broken())
}

/// The manifest, if it is there and whole; after a run that was killed it is looked at deeply.
fn sound(
    path: &Path,
    distrusted: bool,
    settings: &Settings,
) -> store::manifest::Result<Option<Manifest>> {
    let broken = |why: String| store::manifest::Error::Broken { path: path.to_owned(), why };
    match Manifest::open(path)? {
        Opened::Fresh(_) => Ok(None),
        Opened::Existing(manifest) => {
            if manifest.meta("filled")?.is_none() {
                // It was being made again when the run was killed.
                return Err(broken("it was never finished".to_owned()));
            }
            // A manifest of before this was kept says nothing, and is believed.
            for (key, own) in
                [(DEVICE, settings.device.to_string()), (CLOUD, settings.cloud.to_string())]
            {
                if let Some(other) = manifest.meta(key)?.filter(|whose| *whose != own) {
                    return Err(broken(format!("it is that of {other}")));
                }
            }
            let was_killed = manifest.runs(1)?.first().is_some_and(|run| run.finished.is_none());
            if distrusted || was_killed {
                manifest.check_deeply()?;
            }
            Ok(Some(manifest))
        }
    }
}

fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, Problem> {
    let mark = now.strftime("%Y%m%dT%H%M%S").to_string();
    Manifest::set_aside(path, &mark).map_err(|e| {
        Problem::new(Code::StateUnusable, format!("can't set the broken manifest aside: {e}"))
            .at(path)
    })
}

fn rebuilt(
    settings: &Settings,
    path: &Path,
    space: &SpaceRoot,
    copy: Option<(&Dir, Target)>,
    broken: Option<(&Path, store::manifest::Error)>,
    emit: &mut dyn Emit,
) -> Result<Manifest, Problem> {
    let mut manifest = match Manifest::open(path)? {
        Opened::Fresh(manifest) | Opened::Existing(manifest) => manifest,
    };
    let catalog = Catalog::look(space, &settings.device, &settings.cloud).map_err(device::away)?;
    let is_first = broken.is_none() && !in_space(settings, space);
    for problem in rebuild::fill(&mut manifest, catalog.as_ref(), copy)? {
        emit.problem(problem);
    }
    manifest.set_meta("filled", "yes")?;
    if !is_first {
        let (files, ..) = manifest.reader()?.counts()?;
        let why = match broken {
            Some((aside, error)) => format!("{error}; it lies at {} now", aside.display()),
            None => "there was none".to_owned(),
        };
        let what = format!(
            "the manifest was made again from the catalog and the copies, {files} files: {why}"
        );
        emit.problem(Problem::new(Code::ManifestRebuilt, what).at(path));
    }
    Ok(manifest)
}

/// The problem of a space that lacks what this device told it last, or that is another one.
fn rolled_back(
    settings: &Settings,
    manifest: &Manifest,
    space: &SpaceRoot,
) -> Result<Option<Problem>, Problem> {
    let problem = |what: &str| Some(Problem::new(Code::SpaceRolledBack, what).at(space.path()));
    let another = manifest.meta("space")?.is_some_and(|id| id != space.id().to_string());
    if another {
        return Ok(problem("this is another space than the one the copies were stored in"));
    }
    let newest = manifest.meta("newest_increment")?.and_then(|id| Uuid::parse_str(&id).ok());
    let Some(newest) = newest else { return Ok(None) };
    let catalog = Catalog::look(space, &settings.device, &settings.cloud).map_err(device::away)?;
    let holds = match &catalog {
        Some(catalog) => catalog.holds(newest).map_err(device::away)?,
        None => false,
    };
    Ok(if holds { None } else { problem("the space does not hold what this device stored last") })
}
