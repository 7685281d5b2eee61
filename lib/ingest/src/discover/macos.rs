//! macOS: iCloud Drive and its apps, and every account of a file provider.
//!
//! iCloud keeps one container for each app in `~/Library/Mobile Documents`; that of
//! iCloud Drive itself is `com~apple~CloudDocs`. File providers (OneDrive, Google Drive,
//! Dropbox, Box, …) have `~/Library/CloudStorage/<Provider>-<Account>` since macOS 12.1
//! (support.google.com/drive/answer/12178485; Apple, "File Provider").

use std::path::Path;

use super::{Candidate, Facts, Search, ToldBy, dropbox, nextcloud, settle};

const DRIVE: &str = "com~apple~CloudDocs";

pub fn search(facts: &Facts<'_>) -> Search {
    let mut search = Search::default();
    dropbox::search(facts, &mut search, &facts.home.join(".dropbox/info.json"));
    let settings = facts.home.join("Library/Preferences/Nextcloud/nextcloud.cfg");
    nextcloud::search(facts, &mut search, "nextcloud", &settings);
    icloud(facts, &mut search);
    providers(facts, &mut search);
    in_home(facts, &mut search);
    search
}

fn icloud(facts: &Facts<'_>, search: &mut Search) {
    let containers = facts.home.join("Library/Mobile Documents");
    for name in search.names(facts, &containers) {
        let container = containers.join(&name);
        if name == DRIVE {
            search.add(Candidate::new("icloud", "", container.clone(), ToldBy::Folder));
            moved_folders(facts, search, &container);
        } else if name.contains('~') {
            // Containers are named as bundle ids with ~ for the dots: iCloud~md~obsidian.
            let app = name.rsplit('~').next().unwrap_or_default();
            let documents = container.join("Documents");
            search.add(Candidate::new("icloud", app, documents, ToldBy::Folder));
        }
    }
}

/// Desktop and Documents, when iCloud keeps them: there are links to them in iCloud Drive, and links are never followed.
fn moved_folders(facts: &Facts<'_>, search: &mut Search, drive: &Path) {
    for name in ["Desktop", "Documents"] {
        let link = drive.join(name);
        if facts.view.target(&link).is_some() {
            search.add(Candidate::new("icloud", name, link, ToldBy::Folder));
        }
    }
}

fn providers(facts: &Facts<'_>, search: &mut Search) {
    let storage = facts.home.join("Library/CloudStorage");
    for name in search.names(facts, &storage) {
        if name.starts_with('.') {
            continue;
        }
        let (provider, account) = match (name.split_once('-'), dropbox::by_name(&name)) {
            (_, Some(account)) => ("dropbox".to_owned(), account),
            (Some((provider, account)), _) => (provider_word(provider), account),
            (None, _) => (provider_word(&name), ""),
        };
        search.add(Candidate::new(&provider, account, storage.join(&name), ToldBy::Folder));
    }
}

fn provider_word(name: &str) -> String {
    match name {
        "GoogleDrive" => "gdrive".to_owned(),
        other => other.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), ""),
    }
}

/// `~/OneDrive` and `~/Dropbox`: links to the above, or folders of clients older than file providers.
fn in_home(facts: &Facts<'_>, search: &mut Search) {
    for name in search.names(facts, &facts.home) {
        let account = settle::onedrive_by_name(&name).map(|account| ("onedrive", account));
        let account = account.or(dropbox::by_name(&name).map(|account| ("dropbox", account)));
        if let Some((provider, account)) = account {
            search.add(Candidate::new(provider, account, facts.home.join(&name), ToldBy::Folder));
        }
    }
}
