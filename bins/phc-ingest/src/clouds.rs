//! Which clouds a command means.

use std::path::PathBuf;

use cli::{Output, Settings};
use ingest::discover::CloudFound;
use model::cloud::CloudId;
use model::emit::emit;
use model::exit::Exit;
use model::problem::{Code, Problem};

use crate::args::Clouds;

/// A cloud and its source root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// The cloud.
    pub id: CloudId,
    /// Its source root.
    pub source: PathBuf,
    /// True if the root was named on the command line.
    pub by_hand: bool,
    /// The account that the root is of, as its client tells; `None` where nobody does.
    pub account: Option<String>,
}

/// Tells every cloud root that is configured or discovered.
pub fn discover(settings: &Settings, output: &mut Output) -> Exit {
    let found = ingest::discover::run(&settings.config, settings.device.user());
    found.iter().for_each(|cloud| drop(emit(output, cloud)));
    let refused = found.iter().any(|cloud| cloud.problem.is_some());
    if refused { Exit::Partial } else { Exit::Done }
}

/// The clouds that were named, or all that are configured or discovered.
///
/// # Errors
/// [`Code::Usage`] when a named one is not known, or there is none at all.
pub fn chosen(settings: &Settings, asked: &Clouds) -> Result<Vec<Chosen>, Problem> {
    if let Some(source) = &asked.source {
        return match &asked.cloud[..] {
            [id] => {
                let (id, source) = (id.clone(), source.clone());
                Ok(vec![Chosen { id, source, by_hand: true, account: None }])
            }
            _ => Err(Problem::new(
                Code::Usage,
                "one source is one cloud; --cloud was given more than once",
            )),
        };
    }
    let known = known(settings)?;
    if asked.cloud.is_empty() {
        return if known.is_empty() { Err(none()) } else { Ok(known) };
    }
    asked.cloud.iter().map(|id| named(&known, id)).collect()
}

/// What configuration and discovery tell, and what they told once: a root that is gone is missed.
fn known(settings: &Settings) -> Result<Vec<Chosen>, Problem> {
    let found = ingest::discover::run(&settings.config, settings.device.user());
    let ids: Vec<CloudId> = found.iter().filter_map(|cloud| cloud.cloud.clone()).collect();
    let mut known: Vec<Chosen> = found.iter().filter(|cloud| cloud.taken).filter_map(of).collect();
    let user = settings.device.user();
    let mut lost = ingest::status::lost(&settings.state()?, &settings.device, &ids)?;
    lost.retain(|(id, _)| settings.config.cloud(id, user).enabled);
    known.extend(lost.into_iter().map(|(id, source)| {
        // A client that signed in to another account gives it the same folder, and another id.
        let account = found.iter().find(|cloud| cloud.root().as_ref() == Some(&source));
        Chosen { id, account: account.and_then(account_of), source, by_hand: false }
    }));
    Ok(known)
}

fn of(found: &CloudFound) -> Option<Chosen> {
    let (id, account) = (found.cloud.clone()?, account_of(found));
    Some(Chosen { id, source: found.root()?, by_hand: false, account })
}

fn account_of(found: &CloudFound) -> Option<String> {
    Some(found.account.clone()).filter(|account| !account.is_empty())
}

fn named(known: &[Chosen], id: &CloudId) -> Result<Chosen, Problem> {
    known.iter().find(|cloud| cloud.id == *id).cloned().ok_or_else(|| {
        Problem::new(Code::Usage, format!("no cloud {id} is configured or discovered here"))
            .hint("phc-ingest discover tells which there are; --source DIR names a root")
    })
}

fn none() -> Problem {
    Problem::new(Code::Usage, "no cloud is configured or discovered here")
        .hint("name a folder with --source DIR --cloud ID, or [cloud.ID] in phc.toml")
}
