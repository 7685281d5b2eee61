//! `kind = "inbox"`: a folder that things arrive in and leave again.

use serde::Deserialize;
use toml::Spanned;

use super::cloud::OnGone;
use super::error::Fault;
use super::period::Period;
use super::place::Place;

/// Longer than a scanner or a phone pauses between two pieces of one file.
const SETTLE: Period = Period::seconds(10);

/// What sort of source a `[cloud.NAME]` is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A folder whose copy follows it.
    #[default]
    Cloud,
    /// A folder that things arrive in; what arrived is kept, whatever becomes of the folder.
    Inbox,
}

/// How an inbox is brought in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inbox {
    /// True if what is proven to be in the space is removed from the inbox.
    pub consume: bool,
    /// True if folders that this empties are removed as well.
    pub remove_folders: bool,
    /// How long nothing may have been written to a file before it is taken.
    pub settle: Period,
}

/// The keys of `[cloud.NAME]` that an inbox has, and those that it can't have.
pub(super) struct Keys<'k> {
    pub key: &'k Spanned<String>,
    pub kind: Kind,
    pub consume: Option<&'k Spanned<bool>>,
    pub remove_folders: Option<&'k Spanned<bool>>,
    pub settle: Option<&'k Spanned<Period>>,
    pub path: Option<&'k Spanned<Place>>,
    pub on_gone: Option<&'k Spanned<OnGone>>,
}

/// The inbox that the keys describe; `None` for a cloud.
///
/// Only an inbox may lose anything (safety law 1): the key that says so is an error elsewhere.
pub(super) fn inbox(keys: &Keys<'_>) -> Result<Option<Inbox>, Fault> {
    if keys.kind == Kind::Cloud {
        let only = |key: &str| format!("{key} is for an inbox; set kind = \"inbox\" beside it");
        return match (keys.consume, keys.remove_folders, keys.settle) {
            (Some(it), ..) => Err(Fault::at(it, only("consume"))),
            (_, Some(it), _) => Err(Fault::at(it, only("remove_folders"))),
            (.., Some(it)) => Err(Fault::at(it, only("settle"))),
            _ => Ok(None),
        };
    }
    if keys.path.is_none() {
        return Err(Fault::at(keys.key, "an inbox needs a path; discovery knows none"));
    }
    if let Some(it) = keys.on_gone.filter(|it| *it.get_ref() == OnGone::Trash) {
        let what =
            "what arrived in an inbox is kept when it leaves; on_gone = \"trash\" is for a cloud";
        return Err(Fault::at(it, what));
    }
    let is_set = |it: Option<&Spanned<bool>>| it.is_some_and(|it| *it.get_ref());
    let consume = is_set(keys.consume);
    if let Some(it) = keys.remove_folders.filter(|it| *it.get_ref() && !consume) {
        return Err(Fault::at(it, "remove_folders is for an inbox with consume = true"));
    }
    let settle = keys.settle.map_or(SETTLE, |it| *it.get_ref());
    Ok(Some(Inbox { consume, remove_folders: is_set(keys.remove_folders), settle }))
}
