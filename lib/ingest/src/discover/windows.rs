//! Windows: the registry's OneDrive accounts, iCloud Drive, Google Drive and Dropbox.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Candidate, Facts, Search, ToldBy, dropbox, nextcloud, settle};

/// What the current user's registry tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Registry {
    /// `HKCU\Software\Microsoft\OneDrive\Accounts\*`.
    pub onedrive: Vec<OneDriveAccount>,
    /// `HKCU\Software\Google\DriveFS`, value `PerAccountPreferences`: JSON.
    pub google_drive: Option<String>,
}

/// One OneDrive account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OneDriveAccount {
    /// The key's name: `Personal`, `Business1`, … .
    pub key: String,
    /// The value `UserFolder`.
    pub folder: String,
    /// The value `DisplayName`, the organisation's name.
    pub name: Option<String>,
}

/// Reads the registry; empty on every other system.
#[cfg(windows)]
pub fn registry() -> Registry {
    use host::registry;
    const ACCOUNTS: &str = r"Software\Microsoft\OneDrive\Accounts";
    let account = |key: String| {
        let path = format!(r"{ACCOUNTS}\{key}");
        let folder = registry::text(&path, "UserFolder")?;
        let name = registry::text(&path, "DisplayName");
        Some(OneDriveAccount { key, folder, name })
    };
    Registry {
        onedrive: registry::keys(ACCOUNTS).into_iter().filter_map(account).collect(),
        google_drive: registry::text(r"Software\Google\DriveFS", "PerAccountPreferences"),
    }
}

/// Reads the registry; empty on every other system.
#[cfg(not(windows))]
pub fn registry() -> Registry {
    Registry::default()
}

/// A path with forward slashes, which Windows takes as well; others are left alone.
pub fn slashed(path: &str) -> PathBuf {
    let drive = matches!(path.as_bytes(), [d, b':', ..] if d.is_ascii_alphabetic());
    if drive || path.starts_with(r"\\") { path.replace('\\', "/").into() } else { path.into() }
}

pub fn search(facts: &Facts<'_>) -> Search {
    let mut search = Search::default();
    for account in &facts.registry.onedrive {
        search.add(onedrive(account));
    }
    for info in [&facts.local_settings, &facts.settings] {
        dropbox::search(facts, &mut search, &info.join("Dropbox/info.json"));
    }
    let settings = facts.settings.join("Nextcloud/nextcloud.cfg");
    nextcloud::search(facts, &mut search, "nextcloud", &settings);
    google_drive(facts, &mut search);
    in_home(facts, &mut search);
    search
}

/// `Personal` is the private account; an organisation's folder is named `OneDrive - <organisation>`.
fn onedrive(account: &OneDriveAccount) -> Candidate {
    let path = slashed(account.folder.trim_end_matches(['\\', '/']));
    let folder = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let by_folder = folder.as_deref().and_then(settle::onedrive_by_name).map(str::to_owned);
    let by_folder = by_folder.filter(|name| !name.eq_ignore_ascii_case("personal"));
    let name = match account.key.as_str() {
        "Personal" => "Personal".to_owned(),
        key => by_folder.or(account.name.clone()).unwrap_or_else(|| key.to_owned()),
    };
    Candidate::new("onedrive", &name, path, ToldBy::Client)
}

/// Google Drive for desktop: each account's drive letter or folder as JSON in the registry.
///
/// `{"per_account_preferences":[{"key":"1131…","value":{"mount_point_path":"G"}}]}`; the
/// files lie in `My Drive` there. The key is the account's number, its only lasting name.
fn google_drive(facts: &Facts<'_>, search: &mut Search) {
    let text = facts.registry.google_drive.as_deref().unwrap_or_default();
    let preferences = serde_json::from_str::<Value>(text).unwrap_or_default();
    let accounts = preferences.get("per_account_preferences").and_then(Value::as_array);
    for account in accounts.into_iter().flatten() {
        let point = account.get("value").and_then(|value| value.get("mount_point_path"));
        let (Some(key), Some(point)) =
            (account.get("key").and_then(Value::as_str), point.and_then(Value::as_str))
        else {
            continue;
        };
        search.add(Candidate::new("gdrive", key, my_drive(point), ToldBy::Client));
    }
}

fn my_drive(point: &str) -> PathBuf {
    let is_letter = point.len() == 1;
    let root = if is_letter { format!("{point}:/") } else { format!("{point}/") };
    slashed(&root).join("My Drive")
}

fn in_home(facts: &Facts<'_>, search: &mut Search) {
    for name in search.names(facts, &facts.home) {
        if let Some((provider, account)) = by_name(&name) {
            let path: &Path = &facts.home;
            search.add(Candidate::new(provider, account, path.join(&name), ToldBy::Folder));
        }
    }
}

fn by_name(name: &str) -> Option<(&'static str, &str)> {
    match name {
        "iCloudDrive" => Some(("icloud", "")),
        "Google Drive" | "My Drive" => Some(("gdrive", "")),
        _ => settle::onedrive_by_name(name)
            .map(|account| ("onedrive", account))
            .or(dropbox::by_name(name).map(|account| ("dropbox", account))),
    }
}
