//! Whose folder a source root is: another account's in the same place is never taken for the old one's next state.

use host::{Dir, xattr};
use model::problem::Problem;
use serde::{Deserialize, Serialize};
use store::approvals::EntryDigest;
use store::manifest::Manifest;

/// The key under which the manifest remembers it.
const KEY: &str = "root_identity";

/// The mark that OpenCloud's client leaves on the root of an account (`user.openvfs.owner`, vfs_xattr.cpp).
const OWNER: &[u8] = b"user.openvfs.owner";

/// What tells one source root from another at the same path.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RootIdentity {
    /// The account, as its client's settings tell it; `None` where nobody tells.
    account: Option<String>,
    /// The account, as its client marked the root.
    owner: Option<String>,
    /// The folder's inode or file id.
    file_id: u64,
    /// The folder's birth time, ns.
    btime_ns: Option<i64>,
}

/// How a root is another one than before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OtherRoot {
    /// Its client says that it is another account's.
    Account {
        /// The account before.
        before: String,
        /// The account now.
        now: String,
    },
    /// It is another folder: a client made it anew, or it was put there.
    Folder,
}

impl RootIdentity {
    /// The identity of an open root.
    pub fn of(root: &Dir, account: Option<&str>) -> RootIdentity {
        let marks = xattr::of_entry(root, b".", |name| name == OWNER);
        let owner = marks.get(OWNER).map(|owner| String::from_utf8_lossy(owner).into_owned());
        let facts = root.own_facts().ok();
        RootIdentity {
            account: account.filter(|account| !account.is_empty()).map(str::to_owned),
            owner,
            file_id: facts.as_ref().map_or(0, |facts| facts.file_id),
            btime_ns: facts.and_then(|facts| facts.btime_ns),
        }
    }

    /// What the manifest remembers.
    ///
    /// # Errors
    /// When it can't be read; what is not understood is nothing.
    pub fn known(manifest: &Manifest) -> Result<Option<RootIdentity>, Problem> {
        let text = manifest.meta(KEY)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Remembers it, if it is news; an account that nobody tells now is still that of the root.
    ///
    /// # Errors
    /// When the manifest can't be written.
    pub fn remember(self, manifest: &Manifest) -> Result<(), Problem> {
        let before = RootIdentity::known(manifest)?;
        let (account, owner) =
            before.as_ref().map(|b| (b.account.clone(), b.owner.clone())).unwrap_or_default();
        let now =
            RootIdentity { account: self.account.or(account), owner: self.owner.or(owner), ..self };
        if before.as_ref() == Some(&now) {
            return Ok(());
        }
        let text = serde_json::to_string(&now).unwrap_or_default();
        Ok(manifest.set_meta(KEY, &text)?)
    }

    /// How this root is another one than before; `None` for the same.
    pub fn differs_from(&self, before: &RootIdentity) -> Option<OtherRoot> {
        let pairs = [(&before.account, &self.account), (&before.owner, &self.owner)];
        for (before, now) in pairs {
            if let (Some(before), Some(now)) = (before, now)
                && before != now
            {
                return Some(OtherRoot::Account { before: before.clone(), now: now.clone() });
            }
        }
        let born_elsewhere = before.btime_ns.zip(self.btime_ns).is_some_and(|(b, n)| b != n);
        (self.file_id != before.file_id || born_elsewhere).then_some(OtherRoot::Folder)
    }

    /// What stands for it among the entries of a plan that is to be approved.
    pub fn digest(&self) -> EntryDigest {
        let text = serde_json::to_string(self).unwrap_or_default();
        let mut digest = EntryDigest::default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"root").update(text.as_bytes()).finalize_xof().fill(&mut digest);
        digest
    }
}

/// True if almost nothing of what is known is still there: of ten files nine left or differ.
pub fn is_replaced(known_files: u64, left: u64) -> bool {
    known_files > 0 && known_files.saturating_sub(left).saturating_mul(10) < known_files
}

#[cfg(test)]
mod tests {
    use super::{OtherRoot, RootIdentity, is_replaced};

    fn root(
        account: Option<&str>,
        owner: Option<&str>,
        id: u64,
        born: Option<i64>,
    ) -> RootIdentity {
        RootIdentity {
            account: account.map(str::to_owned),
            owner: owner.map(str::to_owned),
            file_id: id,
            btime_ns: born,
        }
    }

    #[test]
    fn an_account_is_another_one_only_if_both_are_told() {
        let account = |before: &str, now: &str| {
            Some(OtherRoot::Account { before: before.to_owned(), now: now.to_owned() })
        };
        let sam = root(Some("sam"), Some("O:1"), 7, Some(1));
        for (now, found) in [
            (sam.clone(), None),
            (root(None, None, 7, Some(1)), None),
            (root(Some("kim"), None, 7, Some(1)), account("sam", "kim")),
            (root(None, Some("O:2"), 7, Some(1)), account("O:1", "O:2")),
            (root(Some("sam"), None, 8, Some(1)), Some(OtherRoot::Folder)),
            // An inode that was used again at once.
            (root(None, None, 7, Some(2)), Some(OtherRoot::Folder)),
            (root(None, None, 7, None), None),
        ] {
            assert_eq!(now.differs_from(&sam), found, "{now:?}");
        }
    }

    #[test]
    fn nine_of_ten_are_almost_all() {
        for (known, left, replaced) in [
            (0, 0, false),
            (1, 0, false),
            (1, 1, true),
            (10, 9, false),
            (10, 10, true),
            (100, 91, true),
            (5, 9, true),
        ] {
            assert_eq!(is_replaced(known, left), replaced, "{left} of {known}");
        }
    }
}
