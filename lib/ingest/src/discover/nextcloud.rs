//! Nextcloud and ownCloud: the desktop client's settings name every folder of every account.
//!
//! The client keeps them in an INI file of Qt's, section `Accounts`, with keys such as
//! `0\url`, `0\dav_user` and `0\Folders\1\localPath` (nextcloud/desktop,
//! src/gui/folder.cpp and src/libsync/configfile.cpp).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Candidate, Facts, Search, ToldBy, ini};

/// Reads a client's settings, if they are there.
pub fn search(facts: &Facts<'_>, search: &mut Search, provider: &str, settings: &Path) {
    match facts.view.text(settings) {
        Ok(text) => search.candidates.extend(parse(provider, &text)),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            search.forbidden.push(settings.to_owned());
        }
        Err(_) => {}
    }
}

#[derive(Default)]
struct Account {
    url: String,
    /// The user's name by the key that tells it, best first.
    users: [Option<String>; 4],
    /// Local path and path on the server, by the folder's key.
    folders: BTreeMap<String, (Option<String>, String)>,
}

const USER_KEYS: [&str; 4] = ["dav_user", "webflow_user", "http_user", "user"];
const FOLDER_KINDS: [&str; 3] = ["Folders", "FoldersWithPlaceholders", "Multifolders"];

fn parse(provider: &str, text: &str) -> Vec<Candidate> {
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    for (section, key, raw) in ini::lines(text) {
        if section == "Accounts"
            && let Some((account, key)) = key.split_once(['\\', '/'])
        {
            accounts.entry(account.to_owned()).or_default().take(key, ini::value(raw));
        }
    }
    accounts.values().flat_map(|account| account.candidates(provider)).collect()
}

impl Account {
    fn take(&mut self, key: &str, value: String) {
        if key == "url" {
            self.url = value;
        } else if let Some(at) = USER_KEYS.iter().position(|user| *user == key) {
            self.users[at] = Some(value);
        } else if let Some((folder, what)) = key.rsplit_once(['\\', '/'])
            && folder.split(['\\', '/']).next().is_some_and(|kind| FOLDER_KINDS.contains(&kind))
        {
            let entry = self.folders.entry(folder.to_owned()).or_default();
            match what {
                "localPath" => entry.0 = Some(value),
                "targetPath" => entry.1 = value,
                _ => {}
            }
        }
    }

    /// `sam@cloud.example`, and for a folder that is not the whole account its path on the server.
    fn name(&self, target: &str) -> String {
        let server = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let user = self.users.iter().flatten().find(|user| !user.is_empty());
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let target = target.trim_matches('/');
        let space = if target.is_empty() { "" } else { " " };
        format!("{user}{}{space}{target}", server.trim_end_matches('/'))
    }

    fn candidates<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = Candidate> + 'a {
        self.folders.values().filter_map(move |(local, target)| {
            let path = local.as_ref().filter(|path| !path.is_empty())?;
            let path = PathBuf::from(path.trim_end_matches('/'));
            Some(Candidate::new(provider, &self.name(target), path, ToldBy::Client))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use proptest::prelude::*;

    #[test]
    fn accounts_of_other_sections_and_folders_without_a_path_are_left_out() {
        let text = "[Other]\n0\\Folders\\1\\localPath=/a\n[Accounts]\n0\\Folders\\1\\targetPath=/\n0\\Folders\\2\\localPath=\n0\\Spaces\\3\\localPath=/b\n0/Folders/4/localPath=/c/\n";
        let found: Vec<_> = parse("nextcloud", text).into_iter().map(|c| c.path).collect();
        assert_eq!(found, [std::path::Path::new("/c")]);
    }

    proptest! {
        #[test]
        fn no_text_panics(lines: Vec<String>) {
            parse("nextcloud", &format!("[Accounts]\n{}", lines.join("\n0\\Folders\\")));
        }
    }
}
