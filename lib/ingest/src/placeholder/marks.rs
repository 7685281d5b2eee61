//! How clients mark what is not there: by names, and on Linux by extended attributes.
//!
//! Read in their sources, 2026-11:
//!
//! - nextcloud/desktop, src/libsync/vfs/suffix/vfs_suffix.cpp (ownCloud's the same): the
//!   placeholder of `name` is `name.nextcloud`, one blank long, with the file's time.
//! - nextcloud/desktop, src/libsync/vfs/xattr/vfs_xattr.cpp and xattrwrapper.cpp: one blank
//!   long, with the file's time and `user.nextcloud.hydrate_exec`. Opening brings nothing in.
//! - opencloud-eu/desktop, src/plugins/vfs/xattr/vfs_xattr.cpp: empty on disk, with
//!   `user.openvfs.state` = `virtual` and `user.openvfs.fsize`; since 2025 one attribute
//!   `user.openvfs.data`, a MessagePack map with `state` (0 there, 1 not, 2 on its way) and
//!   `size` (openvfs, openvfsattributes.h). Through the mounted openvfsfuse the size is the
//!   true one and opening brings the content in; without it neither is so.
//! - auriora/onemount, and onedriver where it tells a file's status (`updateFileStatus`): a
//!   mount that shows true sizes; `user.onemount.status` (`user.onedriver.status`) = `Cloud`.
//! - lnxdrive, xattr.rs of its FUSE layer: `user.lnxdrive.state` = `online`, with
//!   `user.lnxdrive.size`.
//!
//! Insync, Maestral and Dropbox keep whole files on Linux.

use std::collections::BTreeMap;

use host::Facts;

use super::{Away, msgpack};

/// A stub of iCloud's is a property list of a few hundred bytes; whatever is larger is a person's file.
const STUB_AT_MOST: u64 = 4096;

/// The file that a stub's name stands for; `None` for what is no stub.
pub fn stands_for(name: &[u8], size: u64) -> Option<&[u8]> {
    let of_client = |suffix: &[u8]| name.strip_suffix(suffix).filter(|_| size == 1);
    // One look at the last letter lets almost every name pass.
    let file = match name.last()? {
        b'd' => name
            .strip_suffix(b".icloud")
            .and_then(|rest| rest.strip_prefix(b"."))
            .filter(|_| size <= STUB_AT_MOST)
            .or_else(|| of_client(b".nextcloud"))
            .or_else(|| of_client(b".owncloud")),
        _ => None,
    };
    file.filter(|file| !file.is_empty())
}

/// What a stub tells: a client's has the file's own time, iCloud's has neither its size nor its time.
pub fn stub(name: &[u8], facts: &Facts) -> Away {
    let has_time = !name.ends_with(b".icloud");
    Away { size: None, mtime_ns: has_time.then_some(facts.mtime_ns), opens: false, stub: None }
}

/// True if the attributes of a file are worth a call: all known marks stand on files that hold nothing.
pub fn may_be_marked(facts: &Facts) -> bool {
    facts.size <= 1 || facts.allocated == 0
}

const NEXTCLOUD: &[u8] = b"user.nextcloud.hydrate_exec";
const OPENVFS_STATE: &[u8] = b"user.openvfs.state";
const OPENVFS_SIZE: &[u8] = b"user.openvfs.fsize";
const OPENVFS_DATA: &[u8] = b"user.openvfs.data";
const ONEMOUNT: &[u8] = b"user.onemount.status";
const ONEDRIVER: &[u8] = b"user.onedriver.status";
const LNXDRIVE_STATE: &[u8] = b"user.lnxdrive.state";
const LNXDRIVE_SIZE: &[u8] = b"user.lnxdrive.size";

/// True for an attribute that may be a client's mark.
pub fn is_wanted(name: &[u8]) -> bool {
    let known: [&[u8]; 8] = [
        NEXTCLOUD,
        OPENVFS_STATE,
        OPENVFS_SIZE,
        OPENVFS_DATA,
        ONEMOUNT,
        ONEDRIVER,
        LNXDRIVE_STATE,
        LNXDRIVE_SIZE,
    ];
    known.contains(&name)
}

/// What a file's attributes say of it; `None` if its content is there.
pub fn by_attributes(facts: &Facts, attributes: &BTreeMap<Vec<u8>, Vec<u8>>) -> Option<Away> {
    let get = |name: &[u8]| attributes.get(name).map(Vec::as_slice);
    let says = |name: &[u8], value: &[u8]| get(name).is_some_and(|found| found == value);
    let mtime_ns = Some(facts.mtime_ns);
    // What shows its true size is served by the client's own file system.
    let of_size = |size: Option<u64>| {
        let opens = size.is_some_and(|size| size > 0 && size == facts.size);
        Away { size, mtime_ns, opens, stub: None }
    };
    if get(NEXTCLOUD).is_some() {
        return Some(of_size(None));
    }
    if says(OPENVFS_STATE, b"virtual") {
        return Some(of_size(get(OPENVFS_SIZE).and_then(decimal)));
    }
    if let Some(data) = get(OPENVFS_DATA) {
        let away = msgpack::number(data, b"state").is_some_and(|state| state != 0);
        return away.then(|| of_size(msgpack::number(data, b"size")));
    }
    if says(ONEMOUNT, b"Cloud") || says(ONEDRIVER, b"Cloud") {
        return Some(of_size(Some(facts.size)));
    }
    says(LNXDRIVE_STATE, b"online").then(|| of_size(get(LNXDRIVE_SIZE).and_then(decimal)))
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim_end_matches('\0').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Away, by_attributes, is_wanted, may_be_marked, stands_for};
    use host::Facts;

    fn facts(size: u64, allocated: u64) -> Facts {
        Facts { allocated, mtime_ns: 42, ..Facts::plain(size) }
    }

    #[test]
    fn stubs_stand_for_files() {
        for (name, size, file) in [
            (".report.pdf.icloud", 180, Some("report.pdf")),
            ("..hidden.icloud", 180, Some(".hidden")),
            ("report.pdf.icloud", 180, None),
            (".report.pdf.icloud", 1_000_000, None),
            ("..icloud", 180, None),
            (".icloud", 180, None),
            ("photo.jpg.nextcloud", 1, Some("photo.jpg")),
            ("photo.jpg.nextcloud", 12, None),
            ("photo.jpg.owncloud", 1, Some("photo.jpg")),
            (".nextcloud", 1, None),
            ("wildcard", 1, None),
            ("", 0, None),
        ] {
            let found = stands_for(name.as_bytes(), size);
            assert_eq!(found, file.map(str::as_bytes), "{name} {size}");
        }
    }

    #[test]
    fn marks_of_the_clients() {
        let there = b"\x82\xa4size\x07\xa5state\x00".as_slice();
        let away = b"\x82\xa4size\x07\xa5state\x01".as_slice();
        let coming = b"\x82\xa4size\x07\xa5state\x02".as_slice();
        type Attributes<'a> = &'a [(&'a str, &'a [u8])];
        type Found = Option<(Option<u64>, bool)>;
        let cases: [(Attributes<'_>, u64, Found); 12] = [
            (&[], 7, None),
            (&[("user.nextcloud.hydrate_exec", b"nextcloud\0")], 1, Some((None, false))),
            (
                &[("user.openvfs.state", b"virtual"), ("user.openvfs.fsize", b"7")],
                7,
                Some((Some(7), true)),
            ),
            (
                &[("user.openvfs.state", b"virtual"), ("user.openvfs.fsize", b"7")],
                0,
                Some((Some(7), false)),
            ),
            (&[("user.openvfs.state", b"virtual")], 0, Some((None, false))),
            (&[("user.openvfs.state", b"hydrated"), ("user.openvfs.fsize", b"7")], 7, None),
            (&[("user.openvfs.data", away)], 7, Some((Some(7), true))),
            (&[("user.openvfs.data", coming)], 0, Some((Some(7), false))),
            (&[("user.openvfs.data", there)], 0, None),
            (&[("user.onemount.status", b"Cloud")], 7, Some((Some(7), true))),
            (&[("user.onedriver.status", b"Local")], 7, None),
            (
                &[("user.lnxdrive.state", b"online"), ("user.lnxdrive.size", b"7")],
                0,
                Some((Some(7), false)),
            ),
        ];
        for (attributes, size, found) in cases {
            let map = attributes.iter().map(|(name, value)| {
                assert!(is_wanted(name.as_bytes()), "{name}");
                (name.as_bytes().to_vec(), value.to_vec())
            });
            let wanted =
                found.map(|(size, opens)| Away { size, mtime_ns: Some(42), opens, stub: None });
            assert_eq!(
                by_attributes(&facts(size, 0), &map.collect()),
                wanted,
                "{attributes:?} {size}"
            );
        }
    }

    #[test]
    fn a_plain_file_costs_no_call() {
        for (size, allocated, asked) in
            [(0, 0, true), (1, 4096, true), (2, 4096, false), (4096, 4096, false), (4096, 0, true)]
        {
            assert_eq!(may_be_marked(&facts(size, allocated)), asked, "{size} {allocated}");
        }
    }
}
