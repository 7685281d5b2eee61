//! Which file a typed path means: in the source's terms, in the copy's, or below a cloud.

use std::path::{Component, Path, PathBuf};

use model::cloud::CloudId;
use model::device::Device;
use model::problem::{Code, Problem};
use model::relpath::RelPath;

use super::Past;

/// A cloud and where it is read from, as far as that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Root {
    /// The cloud.
    pub cloud: CloudId,
    /// Its source root.
    pub source: Option<PathBuf>,
}

/// A file or folder of some cloud; the first that knows it is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// The cloud.
    pub cloud: CloudId,
    /// The path below its root.
    pub path: RelPath,
}

/// What a typed path may mean, the likeliest first; pure, but for links in the roots themselves.
///
/// A path below a source root or below the device's folder in the space is that file,
/// a former version's in `_trash` included. Any other is taken below a cloud: the one
/// that `named` says, the one that is its first name, or any.
pub fn known_as(
    typed: &Path,
    here: &Path,
    device: &Device,
    space: &Path,
    roots: &[Root],
    named: Option<&CloudId>,
) -> Vec<Given> {
    let whole = plain(&here.join(typed));
    let wanted = |cloud: &CloudId| named.is_none_or(|named| named == cloud);
    let mut given = Vec::new();
    for root in roots.iter().filter(|root| wanted(&root.cloud)) {
        let Some(source) = &root.source else { continue };
        let real = std::fs::canonicalize(source).unwrap_or_else(|_| source.clone());
        for source in [plain(source), real] {
            given.extend(below(&root.cloud, whole.strip_prefix(&source).ok()));
        }
    }
    let devices = space.join("devices").join(device.host()).join(device.user());
    for devices in [plain(&devices), std::fs::canonicalize(&devices).unwrap_or(devices)] {
        let Ok(inner) = whole.strip_prefix(&devices) else { continue };
        let names: Vec<_> = inner.components().collect();
        let skip = match names.first() {
            Some(first) if first.as_os_str() == "_trash" => 3,
            _ => 0,
        };
        let inner: PathBuf = names.iter().skip(skip).collect();
        given.extend(of_first_name(&inner, roots).filter(|given| wanted(&given.cloud)));
    }
    if given.is_empty() && typed.is_relative() {
        let typed = plain(typed);
        given.extend(of_first_name(&typed, roots).filter(|given| wanted(&given.cloud)));
        let each = roots.iter().filter(|root| wanted(&root.cloud));
        given.extend(each.filter_map(|root| below(&root.cloud, Some(&typed))));
    }
    given.dedup();
    given
}

fn of_first_name(path: &Path, roots: &[Root]) -> impl Iterator<Item = Given> {
    let mut names = path.components();
    let first = names.next().and_then(|name| name.as_os_str().to_str());
    let root = roots.iter().find(|root| Some(root.cloud.as_str()) == first);
    root.and_then(|root| below(&root.cloud, Some(names.as_path()))).into_iter()
}

fn below(cloud: &CloudId, path: Option<&Path>) -> Option<Given> {
    let names = path?.components().map(|name| name.as_os_str().as_encoded_bytes());
    let path = names.fold(Vec::new(), |mut path: Vec<u8>, name| {
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        path
    });
    Some(Given { cloud: cloud.clone(), path: RelPath::new(path).ok()? })
}

/// The path without `.` and, as far as its names tell, without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for name in path.components() {
        match name {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

impl Past<'_> {
    /// The path below the source root that is meant by one with the copy's names.
    ///
    /// # Errors
    /// When the manifest can't be read.
    pub fn meant(&self, path: &RelPath) -> Result<RelPath, Problem> {
        self.rows()?.meant(path)
    }

    /// True if anything is known of a path: a row, a folder, a version in `_trash`, or a line.
    ///
    /// # Errors
    /// When manifest, catalog or `_trash` can't be read.
    pub fn knows(&self, path: &RelPath) -> Result<bool, Problem> {
        let rows = self.rows()?;
        let trashed = self.trashed()?;
        let in_trash = trashed.knows(&rows.copy_of(path)?);
        if rows.has_folder(path)? || rows.held(path, &trashed)?.is_some() || in_trash {
            return Ok(true);
        }
        let mut found = false;
        self.newest_first(&mut |_, news| {
            found |= news.file.path.is_within(path)
                || news.from.is_some_and(|from| from.is_within(path));
        })?;
        Ok(found)
    }

    /// The problem of a path that is not known, with the nearest one that is.
    ///
    /// # Errors
    /// When the manifest can't be read.
    pub fn unknown(&self, path: &RelPath) -> Result<Problem, Problem> {
        let what = format!("nothing of this path was ever stored of {}", self.cloud);
        let problem = Problem::new(Code::NotFound, what).at(path.text().clone());
        let hint = match self.nearest(path)? {
            Some(nearest) => format!("the nearest that is known: {nearest}"),
            None => "phc-ingest status tells which clouds there are".to_owned(),
        };
        Ok(problem.hint(hint))
    }

    /// The problem of a path that is known, and has no life of its own: a folder.
    pub(super) fn lifeless(&self, path: &RelPath) -> Result<Problem, Problem> {
        let mut one: Option<RelPath> = None;
        self.rows()?.below(path, &mut |file| {
            one.get_or_insert(file);
        })?;
        let what = "a folder has no history of its own; each file in it has one";
        let such = one.map(|file| format!(", such as {}/{file}", self.cloud)).unwrap_or_default();
        let hint = format!("give a file below it{such}; restore --at gives back the whole folder");
        let at = path
            .names()
            .fold(RelPath::root().join(self.cloud.as_str().as_bytes()), |p, n| p.join(n));
        Ok(Problem::new(Code::NotFound, what).at(at.text().clone()).hint(hint))
    }

    /// The known path that is most like this one, in the deepest folder of it that is known.
    fn nearest(&self, path: &RelPath) -> Result<Option<RelPath>, Problem> {
        let rows = self.rows()?;
        let (mut folder, mut id) = (RelPath::root(), 0);
        let mut wanted = None;
        for name in path.names() {
            let below = folder.join(name);
            match rows.reader.folder_id(&below)? {
                Some(found) => (folder, id) = (below, found),
                None => {
                    wanted = Some(name);
                    break;
                }
            }
        }
        let Some(wanted) = wanted.map(String::from_utf8_lossy) else { return Ok(Some(folder)) };
        let files = rows.reader.entries(id)?.into_iter().map(|row| row.name);
        let folders = rows.reader.folders(id)?.into_iter().map(|row| row.name);
        let likeness = |name: &[u8]| {
            strsim::normalized_damerau_levenshtein(&wanted, &String::from_utf8_lossy(name))
        };
        let best = files.chain(folders).map(|name| (likeness(&name), name));
        let best = best.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.5);
        let in_folder = Some(folder.clone()).filter(|folder| !folder.is_root());
        Ok(best.map(|(_, name)| folder.join(&name)).or(in_folder))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::Path;

    use model::device::Device;

    use super::{Root, known_as};

    fn given(typed: &str, here: &str, named: Option<&str>) -> Vec<String> {
        let root = |cloud: &str, source: &str| Root {
            cloud: cloud.parse().unwrap(),
            source: Some(source.into()),
        };
        let roots = [root("docs", "/home/u/Documents"), root("icloud", "/home/u/iCloud")];
        let device = Device::new("h", "u").unwrap();
        let named = named.map(|named| named.parse().unwrap());
        let (typed, here, space) = (Path::new(typed), Path::new(here), Path::new("/space"));
        let all = known_as(typed, here, &device, space, &roots, named.as_ref());
        all.into_iter().map(|given| format!("{}:{}", given.cloud, given.path)).collect()
    }

    #[test]
    fn a_path_is_understood_in_the_sources_the_copys_and_the_clouds_terms() {
        for typed in [
            "/home/u/Documents/a/b",
            "a/b",
            "./x/../a/b",
            "/space/devices/h/u/docs/a/b",
            "/space/devices/h/u/_trash/20261120/some-run/docs/a/b",
        ] {
            assert_eq!(given(typed, "/home/u/Documents", None), ["docs:a/b"], "{typed}");
        }
        assert_eq!(given("docs/a", "/tmp", None), ["docs:a", "docs:docs/a", "icloud:docs/a"]);
        assert_eq!(given("a", "/tmp", Some("icloud")), ["icloud:a"]);
        assert_eq!(given("/elsewhere/a", "/tmp", None), [""; 0]);
        assert_eq!(given("/home/u/iCloud", "/tmp", None), ["icloud:"]);
    }
}
