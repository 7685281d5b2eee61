//! Which file a copy is of, and where a file's copy lies: asked of this device's manifests.

use std::path::Path;

use model::cloud::CloudId;
use model::device::Device;
use model::emit::{Emit, emit as tell};
use model::event::Payload;
use model::problem::Problem;
use model::relpath::RelPath;
use model::text::Text;
use serde::{Deserialize, Serialize};
use store::manifest::{Manifest, Reader};
use store::names::{Mapped, Target, escape, unescape};
use store::state::State;

use crate::known::{self, MANIFEST};

/// `phc.ingest.name.told`: a file of the source, and the copy of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NameTold {
    /// The cloud; null where no manifest knows the name, so that only its spelling is told.
    pub cloud: Option<String>,
    /// The path below the source root, or the name alone.
    pub path: Text,
    /// Where the copy lies below the cloud's folder, or what a copy would be called where
    /// the target holds what Windows, SMB and exFAT do.
    pub copy: Text,
    /// False for what left its source; null where no manifest knows it.
    pub live: Option<bool>,
}

impl Payload for NameTold {
    const NOUN_VERB: &'static str = "name.told";

    fn subject(&self) -> Option<String> {
        self.path.as_str().map(str::to_owned)
    }
}

/// Tells of a path of the source or of the copy; true if a manifest knows it.
///
/// `asked` may be absolute, below `devices/HOST/USER/CLOUD`, or relative to a source root
/// or to a cloud's folder.
///
/// # Errors
/// When a manifest can't be read.
pub fn name(
    state: &State,
    device: &Device,
    clouds: &[CloudId],
    asked: &Path,
    emit: &mut dyn Emit,
) -> Result<bool, Problem> {
    let mut is_known = false;
    for cloud in clouds {
        let folder = state.of_cloud(device, cloud)?;
        let Some(manifest) = Manifest::look(&folder.join(MANIFEST))? else { continue };
        let root = known::last_source(&manifest);
        let reader = manifest.reader()?;
        let wanted = Wanted::of(asked, device, cloud, root.as_deref());
        let mut found = Vec::new();
        if let Some(path) = &wanted.source {
            found.extend(by_source(&reader, path)?);
        }
        if let Some(path) = &wanted.copy {
            found.extend(by_copy(&reader, path)?);
        }
        found.dedup();
        for (at, live) in found {
            is_known = true;
            let told = NameTold {
                cloud: Some(cloud.to_string()),
                path: at.path.text().clone(),
                copy: at.copy().text().clone(),
                live: Some(live),
            };
            tell(emit, &told);
        }
    }
    if !is_known && let Some(name) = asked.file_name() {
        tell(emit, &spelled(host::name::bytes(name)));
    }
    Ok(is_known)
}

/// What a name that nobody knows would be called in a copy, or was called in the source.
fn spelled(name: &[u8]) -> NameTold {
    let (path, copy) = match unescape(name) {
        Some(path) => (path, name.to_owned()),
        None => {
            let copy = escape(&Target::NARROWEST, name);
            (name.to_owned(), copy.unwrap_or_else(|| name.to_owned()))
        }
    };
    NameTold { cloud: None, path: Text::new(path), copy: Text::new(copy), live: None }
}

/// What a path may stand for.
struct Wanted {
    source: Option<RelPath>,
    copy: Option<RelPath>,
}

impl Wanted {
    fn of(asked: &Path, device: &Device, cloud: &CloudId, root: Option<&Path>) -> Wanted {
        if let Some(copy) = below_devices(asked, device, cloud) {
            return Wanted { source: None, copy: Some(copy) };
        }
        if asked.is_absolute() {
            let real = root.and_then(|root| std::fs::canonicalize(root).ok());
            let below = |root: &Path| asked.strip_prefix(root).ok().and_then(relative);
            let source = root.and_then(below).or_else(|| real.as_deref().and_then(below));
            return Wanted { source, copy: None };
        }
        let path = relative(asked);
        Wanted { source: path.clone(), copy: path }
    }
}

/// The path below a cloud's folder, or below a run's folder in `_trash`, however it begins.
fn below_devices(asked: &Path, device: &Device, cloud: &CloudId) -> Option<RelPath> {
    let path = relative(asked)?;
    let names: Vec<&[u8]> = path.names().collect();
    let wanted = ["devices", device.host(), device.user()].map(str::as_bytes);
    let at = names.windows(wanted.len()).position(|three| three == wanted)? + wanted.len();
    let rest = match names.get(at)? {
        trash if *trash == b"_trash" => names.get(at + 3..)?,
        _ => names.get(at..)?,
    };
    let (first, rest) = rest.split_first()?;
    let joined = || rest.iter().fold(RelPath::root(), |path, name| path.join(name));
    (*first == cloud.as_str().as_bytes()).then(joined)
}

fn relative(path: &Path) -> Option<RelPath> {
    let names = path.components().filter_map(|part| match part {
        std::path::Component::Normal(name) => Some(host::name::bytes(name)),
        _ => None,
    });
    let joined = names.fold(RelPath::root(), |path, name| path.join(name));
    (!joined.is_root()).then_some(joined)
}

fn by_source(reader: &Reader, path: &RelPath) -> Result<Vec<(Mapped, bool)>, Problem> {
    let Some((folder, name)) = path.split() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    if let Some(id) = reader.folder_id(&folder)?
        && let Some(record) = reader.record(id, name)?
    {
        let at = reader.folder_copy(&folder)?.join(name, record.copy_name.as_deref());
        found.push((at, record.live));
    }
    if let Some(row) = reader.folder(path)? {
        found.push((reader.folder_copy(path)?, row.live));
    }
    Ok(found)
}

fn by_copy(reader: &Reader, copy: &RelPath) -> Result<Vec<(Mapped, bool)>, Problem> {
    let Some((above, last)) = copy.split() else { return Ok(Vec::new()) };
    let mut folders = vec![(0, Mapped::root())];
    for name in above.names() {
        folders = folders_called(reader, folders, name)?
            .into_iter()
            .map(|(id, at, _)| (id, at))
            .collect();
    }
    let mut found = Vec::new();
    for (id, at) in &folders {
        let files = reader.entries(*id)?.into_iter().filter(|row| row.copy_name() == last);
        found.extend(files.map(|row| (at.join(&row.name, row.copy_name.as_deref()), row.live)));
    }
    let below = folders_called(reader, folders, last)?;
    found.extend(below.into_iter().map(|(_, at, live)| (at, live)));
    Ok(found)
}

type Folder = (i64, Mapped, bool);

/// The folders in some whose copies have this name: a live one and dead ones may share it.
fn folders_called(
    reader: &Reader,
    folders: Vec<(i64, Mapped)>,
    copy_name: &[u8],
) -> Result<Vec<Folder>, Problem> {
    let mut found = Vec::new();
    for (id, at) in folders {
        let rows = reader.folders(id)?.into_iter().filter(|row| row.copy_name() == copy_name);
        let mapped = |row: store::manifest::FolderRow| {
            (row.id, at.join(&row.name, row.copy_name.as_deref()), row.live)
        };
        found.extend(rows.map(mapped));
    }
    Ok(found)
}
