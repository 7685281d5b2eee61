//! Dropbox: the client's `info.json` names the folder of each account.
//!
//! It holds one object for each account, `personal` and `business`, with the folder as
//! `path` (help.dropbox.com, "Find the Dropbox folder paths").

use std::path::Path;

use serde_json::Value;

use super::{Candidate, Facts, Search, ToldBy};

/// Reads the client's `info.json`, if it is there.
pub fn search(facts: &Facts<'_>, search: &mut Search, info: &Path) {
    match facts.view.text(info) {
        Ok(text) => search.candidates.extend(parse(&text)),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            search.forbidden.push(info.to_owned());
        }
        Err(_) => {}
    }
}

fn parse(text: &str) -> Vec<Candidate> {
    let accounts = serde_json::from_str::<Value>(text).unwrap_or_default();
    let accounts = accounts.as_object().into_iter().flatten();
    let folder = |(kind, account): (&String, &Value)| {
        let path = account.get("path")?.as_str().filter(|path| !path.is_empty())?;
        let path = super::windows::slashed(path);
        Some(Candidate::new("dropbox", account_of(kind), path, ToldBy::Client))
    };
    accounts.filter_map(folder).collect()
}

/// The personal account is simply Dropbox, with the client's word or without.
fn account_of(kind: &str) -> &str {
    if kind == "personal" { "" } else { kind }
}

/// The account that a folder's name tells: `Dropbox`, `Dropbox (Contoso)`, `Dropbox-Contoso`.
pub fn by_name(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("Dropbox")?.trim_matches([' ', '(', ')', '-']);
    Some(if rest.eq_ignore_ascii_case("personal") { "" } else { rest })
}

#[cfg(test)]
mod tests {
    use super::{by_name, parse};
    use proptest::prelude::*;

    #[test]
    fn both_accounts_are_named_and_what_is_no_account_is_left_out() {
        let text = r#"{"personal":{"path":"/home/s/Dropbox","host":1},"business":{"path":"D:\\D"},"x":1,"y":{"path":""}}"#;
        let found: Vec<_> = parse(text).into_iter().map(|c| (c.account, c.path)).collect();
        assert_eq!(
            found,
            [("business".into(), "D:/D".into()), (String::new(), "/home/s/Dropbox".into())]
        );
        assert_eq!(by_name("Dropbox (Contoso)"), Some("Contoso"));
        assert_eq!(by_name("Dropbox (Personal)"), Some(""));
        assert_eq!(by_name("Box"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            parse(&text);
        }
    }
}
