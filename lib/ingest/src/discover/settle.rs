//! Settling: which candidates are there, each folder once, each account with an id of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use model::cloud::CloudId;
use model::config::{Cloud, HostConfig, Os, Provider};
use model::problem::{Code, Problem};

use super::{Candidate, CloudFound, Facts, Search, ToldBy};

/// Takes what the configuration names, then what was searched, and sorts it by id.
pub fn settle(
    facts: &Facts<'_>,
    config: &HostConfig,
    user: &str,
    search: Search,
) -> Vec<CloudFound> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for cloud in config.clouds_of(user) {
        if let Some(path) = &cloud.path {
            let mut named = configured(facts, cloud, &path.resolve(&facts.home));
            named.account = account_at(facts, &named, &search.candidates);
            seen.extend(named.root().map(|root| key(facts, &root)));
            found.push(named);
        }
    }
    let live: Vec<_> = search.candidates.into_iter().filter_map(|c| looked_at(facts, c)).collect();
    let live = live
        .into_iter()
        .filter(|(_, entry)| entry.root().is_none_or(|root| seen.insert(key(facts, &root))));
    let (leftovers, live): (Vec<_>, Vec<_>) = live.partition(|(_, entry)| !entry.taken);
    found.extend(with_ids(facts, live, &found));
    apply(config, user, &mut found);
    found.extend(leftovers.into_iter().map(|(_, entry)| entry));
    found.extend(search.forbidden.iter().map(|path| refused(facts, path)));
    found.sort_by(|a, b| {
        (a.cloud.is_none(), &a.cloud, &a.path).cmp(&(b.cloud.is_none(), &b.cloud, &b.path))
    });
    found
}

fn configured(facts: &Facts<'_>, cloud: &Cloud, path: &Path) -> CloudFound {
    let root = resolved(facts, path);
    CloudFound {
        cloud: Some(cloud.id.clone()),
        provider: cloud.provider.map(provider_word).unwrap_or_default().to_owned(),
        taken: cloud.enabled,
        problem: facts.view.names(&root).err().map(|e| problem(facts, &root, &e)),
        ..CloudFound::at(&root, ToldBy::Configuration)
    }
}

/// The account whose client tells of the same folder; empty where none does.
fn account_at(facts: &Facts<'_>, named: &CloudFound, candidates: &[Candidate]) -> String {
    let Some(root) = named.root().map(|root| key(facts, &root)) else { return String::new() };
    let there = |candidate: &&Candidate| key(facts, &resolved(facts, &candidate.path)) == root;
    candidates.iter().find(there).map(|candidate| candidate.account.clone()).unwrap_or_default()
}

fn provider_word(provider: Provider) -> &'static str {
    match provider {
        Provider::Icloud => "icloud",
        Provider::Onedrive => "onedrive",
        Provider::Gdrive => "gdrive",
        Provider::Dropbox => "dropbox",
        Provider::Nextcloud => "nextcloud",
        Provider::Folder => "folder",
    }
}

/// The candidate as found; `None` if it was only guessed and is not there.
fn looked_at(facts: &Facts<'_>, candidate: Candidate) -> Option<(Candidate, CloudFound)> {
    let leftover = candidate.path.file_name().is_some_and(|n| is_leftover(&n.to_string_lossy()));
    // A dead mount would hang here; the mount table is enough to know of it.
    let looked = match candidate.told_by {
        ToldBy::Mount => Ok(()),
        _ => facts.view.names(&resolved(facts, &candidate.path)).map(|_| ()),
    };
    let root = resolved(facts, &candidate.path);
    let problem = match looked {
        Ok(()) => None,
        Err(e) if candidate.told_by == ToldBy::Folder && is_absent(&e) => return None,
        Err(e) => Some(problem(facts, &root, &e)),
    };
    let note = if leftover { "a leftover of the client's; not taken" } else { "" };
    let entry = CloudFound {
        provider: candidate.provider.clone(),
        account: candidate.account.clone(),
        taken: !leftover,
        problem,
        note: note.to_owned(),
        ..CloudFound::at(&root, candidate.told_by)
    };
    Some((candidate, entry))
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// True for folders that clients leave behind: `OneDrive-Contoso.old`.
pub fn is_leftover(name: &str) -> bool {
    name.to_lowercase().ends_with(".old")
}

/// The account that a folder's name tells: `OneDrive`, `OneDrive - Contoso`, `OneDrive-Contoso`.
pub fn onedrive_by_name(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("OneDrive")?;
    let account = rest.trim_start_matches([' ', '-']);
    // A folder of another kind, such as OneDriveTemp.
    let is_other = !rest.is_empty() && rest.len() == account.len() && !is_leftover(name);
    if is_other {
        return None;
    }
    Some(if account.is_empty() { "Personal" } else { account })
}

/// A path with the link that stands at its end resolved, a few times over.
fn resolved(facts: &Facts<'_>, path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..8 {
        match facts.view.target(&path) {
            Some(target) => {
                let parent = path.parent().map(Path::to_owned).unwrap_or_default();
                path = tidy(&parent.join(target));
            }
            None => break,
        }
    }
    path
}

/// The path without `.` and `..`.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component as C;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            C::CurDir => {}
            C::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// What two spellings of one folder have in common.
fn key(facts: &Facts<'_>, path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let text = text.trim_end_matches('/');
    if facts.os.folds_case() { text.to_lowercase() } else { text.to_owned() }
}

fn problem(facts: &Facts<'_>, path: &Path, error: &std::io::Error) -> Problem {
    match error.kind() {
        ErrorKind::NotFound => Problem::new(Code::SourceMissing, "no such source").at(path),
        ErrorKind::NotADirectory => {
            Problem::new(Code::SourceMissing, "the source is no directory").at(path)
        }
        _ => unreadable(facts, path, &error.to_string()),
    }
}

fn unreadable(facts: &Facts<'_>, path: &Path, why: &str) -> Problem {
    let problem = Problem::new(Code::SourceUnreadable, format!("can't list: {why}")).at(path);
    if facts.os == Os::Macos {
        // TCC refuses whole folders to programs without the grant, whatever their modes say.
        problem.hint("grant the program Full Disk Access in Privacy & Security")
    } else {
        problem
    }
}

/// A place that may hold cloud roots and may not be looked at; never taken for "none".
fn refused(facts: &Facts<'_>, path: &Path) -> CloudFound {
    CloudFound {
        problem: Some(unreadable(facts, path, "permission denied")),
        note: "clouds may lie there".to_owned(),
        ..CloudFound::at(path, ToldBy::Folder)
    }
}

/// Gives each account its id; those that would share one get the digest of what tells them apart.
///
/// That is the account's name, or where one account has two roots, their paths in the home.
fn with_ids(
    facts: &Facts<'_>,
    live: Vec<(Candidate, CloudFound)>,
    named: &[CloudFound],
) -> Vec<CloudFound> {
    let mut groups: BTreeMap<CloudId, Vec<(Candidate, CloudFound)>> = BTreeMap::new();
    for (candidate, entry) in live {
        let id = CloudId::from_account(&candidate.provider, &candidate.account);
        groups.entry(id).or_default().push((candidate, entry));
    }
    let mut out = Vec::new();
    for (id, group) in groups {
        let taken = named.iter().any(|entry| entry.cloud.as_ref() == Some(&id));
        let alone = group.len() == 1 && !taken;
        let accounts: BTreeSet<_> = group.iter().map(|(c, _)| c.account.clone()).collect();
        let by_account = accounts.len() == group.len();
        for (candidate, entry) in group {
            let place = candidate.path.strip_prefix(&facts.home).unwrap_or(&candidate.path);
            let place = if by_account { String::new() } else { key(facts, place) };
            out.push(if alone {
                CloudFound { cloud: Some(id.clone()), ..entry }
            } else {
                let note = format!("another root would be {id} as well");
                CloudFound { cloud: Some(suffixed(&candidate, &place)), note, ..entry }
            });
        }
    }
    out
}

/// The id of a twin: six hexadecimal digits that depend on the account alone, not on who was found first.
fn suffixed(candidate: &Candidate, place: &str) -> CloudId {
    let told = format!("{}\0{}\0{place}", candidate.provider, candidate.account);
    let digest = blake3::hash(told.as_bytes()).to_hex();
    let room = 100 - candidate.provider.len() - 8;
    let account: String = candidate.account.chars().take(room / 7).collect();
    CloudId::from_account(&candidate.provider, &format!("{account} {}", &digest[..6]))
}

/// Lets the configuration switch found clouds off, and tells of those that it left to discovery in vain.
fn apply(config: &HostConfig, user: &str, found: &mut Vec<CloudFound>) {
    for cloud in config.clouds_of(user).filter(|cloud| cloud.path.is_none()) {
        match found.iter_mut().find(|entry| entry.cloud.as_ref() == Some(&cloud.id)) {
            Some(entry) => entry.taken = cloud.enabled,
            None if cloud.enabled => found.push(CloudFound {
                cloud: Some(cloud.id.clone()),
                provider: cloud.provider.map(provider_word).unwrap_or_default().to_owned(),
                path: None,
                taken: true,
                problem: Some(
                    Problem::new(Code::SourceMissing, format!("no cloud {} was found", cloud.id))
                        .hint("sign in with its client, or give its path in phc.toml"),
                ),
                ..CloudFound::at(Path::new(""), ToldBy::Configuration)
            }),
            None => {}
        }
    }
}
