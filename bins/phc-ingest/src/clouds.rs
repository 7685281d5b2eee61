//! Which clouds a command means.

use std::path::PathBuf;

use cli::Settings;
use ingest::discover::CloudFound;
use model::cloud::CloudId;
use model::problem::{Code, Problem};

use crate::args::Clouds;

/// A cloud and its source root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// The cloud.
    pub id: CloudId,
    /// Its source root.
    pub source: PathBuf,
}

/// The clouds that were named, or all that are configured or discovered.
///
/// # Errors
/// [`Code::Usage`] when a named one is not known, or there is none at all.
pub fn chosen(settings: &Settings, asked: &Clouds) -> Result<Vec<Chosen>, Problem> {
    if let Some(source) = &asked.source {
        return match &asked.cloud[..] {
            [id] => Ok(vec![Chosen { id: id.clone(), source: source.clone() }]),
            _ => Err(Problem::new(
                Code::Usage,
                "one source is one cloud; --cloud was given more than once",
            )),
        };
    }
    let found = ingest::discover::run(&settings.config, settings.device.user());
    if asked.cloud.is_empty() {
        let all: Vec<Chosen> = found.iter().filter(|cloud| cloud.taken).filter_map(of).collect();
        return if all.is_empty() { Err(none()) } else { Ok(all) };
    }
    asked.cloud.iter().map(|id| named(&found, id)).collect()
}

fn of(found: &CloudFound) -> Option<Chosen> {
    Some(Chosen { id: found.cloud.clone()?, source: found.root()? })
}

fn named(found: &[CloudFound], id: &CloudId) -> Result<Chosen, Problem> {
    found.iter().filter(|cloud| cloud.cloud.as_ref() == Some(id)).find_map(of).ok_or_else(|| {
        Problem::new(Code::Usage, format!("no cloud {id} is configured or discovered here"))
            .hint("phc-ingest discover tells which there are; --source DIR names a root")
    })
}

fn none() -> Problem {
    Problem::new(Code::Usage, "no cloud is configured or discovered here")
        .hint("name a folder with --source DIR --cloud ID, or [cloud.ID] in phc.toml")
}
