//! Linux: Nextcloud, Dropbox, Insync, rclone mounts and the onedrive client.

use std::path::{Path, PathBuf};

use super::{Candidate, Facts, Search, ToldBy, dropbox, ini, nextcloud};

pub fn search(facts: &Facts<'_>) -> Search {
    let mut search = Search::default();
    let flatpak = ".var/app/com.nextcloud.desktopclient.nextcloud/config";
    for settings in [facts.settings.clone(), facts.home.join(flatpak)] {
        let settings = settings.join("Nextcloud/nextcloud.cfg");
        nextcloud::search(facts, &mut search, "nextcloud", &settings);
    }
    let owncloud = facts.settings.join("ownCloud/owncloud.cfg");
    nextcloud::search(facts, &mut search, "owncloud", &owncloud);
    dropbox::search(facts, &mut search, &facts.home.join(".dropbox/info.json"));
    onedrive(facts, &mut search);
    insync(facts, &mut search);
    rclone(facts, &mut search);
    for (name, provider) in
        [("Nextcloud", "nextcloud"), ("Dropbox", "dropbox"), ("OneDrive", "onedrive")]
    {
        by_name(facts, &mut search, name, provider);
    }
    search
}

/// Folders in the home that carry a client's name, where the client's settings do not tell.
///
/// A folder of the client's usual name is taken only if the settings named none.
fn by_name(facts: &Facts<'_>, search: &mut Search, usual: &str, provider: &str) {
    let told = search.candidates.iter().any(|c| c.provider == provider);
    for name in search.names(facts, &facts.home) {
        let leftover = name.starts_with(usual) && super::settle::is_leftover(&name);
        if leftover || (name == usual && !told) {
            search.add(Candidate::new(provider, "", facts.home.join(name), ToldBy::Folder));
        }
    }
}

/// The free onedrive client: one folder of settings for each account, `sync_dir` in its file `config`.
///
/// The default is `~/.config/onedrive` with `~/OneDrive`; more accounts have settings
/// folders of any name (abraunegg/onedrive, docs/advanced-usage.md), so each that holds
/// a sign-in is looked at.
fn onedrive(facts: &Facts<'_>, search: &mut Search) {
    for name in search.names(facts, &facts.settings) {
        let folder = facts.settings.join(&name);
        let signed_in = signed_in(facts, &folder);
        if !signed_in && !name.starts_with("onedrive") {
            continue;
        }
        let text = facts.view.text(&folder.join("config")).unwrap_or_default();
        let usual = || signed_in.then(|| "~/OneDrive".to_owned());
        if let Some(path) = sync_dir(&text).or_else(usual) {
            let path = below_home(&facts.home, &path);
            search.add(Candidate::new("onedrive", account_of(&name), path, ToldBy::Client));
        }
    }
}

/// The client keeps its sign-in as `refresh_token` in the account's settings folder.
fn signed_in(facts: &Facts<'_>, folder: &Path) -> bool {
    facts.view.text(&folder.join("refresh_token")).is_ok()
}

fn sync_dir(text: &str) -> Option<String> {
    let line = ini::lines(text).find(|(_, key, _)| *key == "sync_dir");
    line.map(|(_, _, raw)| ini::value(raw)).filter(|path| !path.is_empty())
}

/// `onedrive` is the one account, `onedrive-contoso` is contoso's, `work` is work's.
fn account_of(settings: &str) -> &str {
    settings.strip_prefix("onedrive").unwrap_or(settings).trim_matches(['-', '_', '.'])
}

fn below_home(home: &Path, path: &str) -> PathBuf {
    let path = path.trim_end_matches('/');
    match path.strip_prefix("~/").or(path.strip_prefix("$HOME/")) {
        Some(rest) => home.join(rest),
        None => home.join(path),
    }
}

/// Insync keeps each account's folders in `~/Insync/<account>` (help.insynchq.com, "Base Folders").
fn insync(facts: &Facts<'_>, search: &mut Search) {
    let base = facts.home.join("Insync");
    for account in search.names(facts, &base) {
        if !account.starts_with('.') {
            let path = base.join(&account);
            search.add(Candidate::new("insync", &account, path, ToldBy::Folder));
        }
    }
}

/// `rclone mount remote: DIR` below the home, told by the mount table without touching the mount.
fn rclone(facts: &Facts<'_>, search: &mut Search) {
    let ours = |mount: &&host::mounts::Mount| {
        mount.fs_type == "fuse.rclone" && mount.point.starts_with(&facts.home)
    };
    for mount in facts.mounts.iter().filter(ours) {
        let account = remote(&mount.source);
        search.add(Candidate::new("rclone", &account, mount.point.clone(), ToldBy::Mount));
    }
}

/// `gdrive:` is the account gdrive, `gdrive:photos` its folder photos; `{…}` stands for options (rclone.org/docs, "Connection strings").
fn remote(source: &str) -> String {
    let (remote, path) = source.split_once(':').unwrap_or((source, ""));
    let remote = remote.split('{').next().unwrap_or_default();
    format!("{remote} {path}").trim_end().to_owned()
}
