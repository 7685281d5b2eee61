//! Finding and reading the configuration's files.

use std::path::{Path, PathBuf};

use host::error::{Attempt, Meaning};
use model::config::Source;
use model::problem::{Code, Problem};

/// Reads the named file, or the first candidate that exists, and the drop-ins beside it.
///
/// A named file must be there; no candidate at all is no error and gives no source.
///
/// # Errors
/// [`Code::Config`] when a file is there and can't be read, or is not UTF-8.
pub(crate) fn read(named: Option<&Path>, candidates: &[PathBuf]) -> Result<Vec<Source>, Problem> {
    let Some(main) = named.or_else(|| candidates.iter().find(|path| exists(path)).map(|p| &**p))
    else {
        return Ok(Vec::new());
    };
    let mut paths = vec![main.to_owned()];
    paths.extend(drop_ins(&main.with_file_name("phc.d"))?);
    paths.into_iter().map(source).collect()
}

/// True unless the file is known to be missing: one that can't be looked at is not passed over.
fn exists(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

fn source(name: PathBuf) -> Result<Source, Problem> {
    let text = std::fs::read_to_string(&name).attempt("read", &name).map_err(unreadable)?;
    Ok(Source { name, text })
}

/// The files `*.toml` of a folder in the order of their names; hidden ones are editors' own.
fn drop_ins(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let listing = match std::fs::read_dir(folder).attempt("list", folder) {
        Ok(listing) => listing,
        Err(e) if e.meaning() == Meaning::Missing => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(e)),
    };
    let mut paths = Vec::new();
    for entry in listing {
        let path = entry.attempt("list", folder).map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn unreadable(error: host::Error) -> Problem {
    let what = format!("can't {} the configuration: {}", error.attempt, error.source);
    Problem::new(Code::Config, what)
        .at(error.path.as_path())
        .hint("name a file that this user can read, or leave --config and PHC_CONFIG out")
}

#[cfg(test)]
mod tests {
    use super::read;
    use model::problem::Code;

    #[test]
    fn the_first_candidate_is_read_with_its_drop_ins_in_order() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        std::fs::create_dir_all(at("user/phc.d")).unwrap();
        for name in ["phc.toml", "phc.d/20-b.toml", "phc.d/10-a.toml", "phc.d/.x.toml", "phc.d/c"] {
            std::fs::write(at("user").join(name), name).unwrap();
        }
        let candidates = [at("none/phc.toml"), at("user/phc.toml"), at("system/phc.toml")];
        let texts = |found: Vec<model::config::Source>| -> Vec<String> {
            found.into_iter().map(|source| source.text).collect()
        };
        let found = texts(read(None, &candidates).unwrap());
        assert_eq!(found, ["phc.toml", "phc.d/10-a.toml", "phc.d/20-b.toml"]);
        assert!(read(None, &candidates[..1]).unwrap().is_empty());
    }

    #[test]
    fn a_named_file_must_be_there_and_be_text() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("fleet.toml");
        assert_eq!(read(Some(&path), &[]).unwrap_err().code, Code::Config);
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read(Some(&path), &[]).unwrap_err().code, Code::Config);
        std::fs::write(&path, "").unwrap();
        assert_eq!(read(Some(&path), &[]).unwrap().len(), 1);
    }
}
