//! Files whose content is only in the cloud, as each system marks them.
//!
//! What a mark means is plain logic over raw numbers, on every system, so that it is
//! tested on any; `Facts::away` is what came of it. Clients on Linux have no mark of the
//! system's: theirs are names and extended attributes, read by [`crate::xattr::of_entry`].

/// `st_flags` of a file or folder whose content is not there (xnu, bsd/sys/stat.h).
pub const SF_DATALESS: u32 = 0x4000_0000;

/// `FILE_ATTRIBUTE_OFFLINE`: the content was moved elsewhere.
pub const OFFLINE: u32 = 0x1000;
/// `FILE_ATTRIBUTE_RECALL_ON_OPEN`: nothing of it is there, opening brings it in.
pub const RECALL_ON_OPEN: u32 = 0x4_0000;
/// `FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS`: reading brings its content in.
pub const RECALL_ON_DATA_ACCESS: u32 = 0x40_0000;
const REPARSE_POINT: u32 = 0x400;
const DIRECTORY: u32 = 0x10;

/// `IO_REPARSE_TAG_CLOUD`; `IO_REPARSE_TAG_CLOUD_1` to `_F` differ in bits 12 to 15.
const TAG_CLOUD: u32 = 0x9000_001A;
const TAG_CLOUD_PROVIDER: u32 = 0x0000_F000;
/// Set in tags that stand for another named thing: links, junctions (`IsReparseTagNameSurrogate`).
const TAG_NAME_SURROGATE: u32 = 0x2000_0000;

/// True where the system itself marks what is away.
pub const SYSTEM_MARKS: bool = cfg!(any(target_os = "macos", windows));

/// True if macOS says that the content of a file or folder is not there.
///
/// Listing such a folder would bring in its entries, as reading such a file its content.
pub fn is_dataless(st_flags: u32) -> bool {
    st_flags & SF_DATALESS != 0
}

/// True if Windows says that opening, reading or listing would bring something in.
///
/// The cloud's tag alone says nothing: files keep it when they are there. A folder is
/// offline in no sense that matters.
pub fn is_recalled(attributes: u32) -> bool {
    let marks = match attributes & DIRECTORY {
        0 => RECALL_ON_DATA_ACCESS | RECALL_ON_OPEN | OFFLINE,
        _ => RECALL_ON_DATA_ACCESS | RECALL_ON_OPEN,
    };
    attributes & marks != 0
}

/// True if a reparse point stands for another place, and so is a link and never followed.
///
/// A cloud's files and folders are reparse points and no links; taking them for links
/// leaves whole clouds out.
pub fn is_link(attributes: u32, tag: u32) -> bool {
    attributes & REPARSE_POINT != 0 && tag & TAG_NAME_SURROGATE != 0
}

/// True for the tags of the Cloud Files API.
pub fn is_cloud_tag(tag: u32) -> bool {
    tag & !TAG_CLOUD_PROVIDER == TAG_CLOUD
}

/// From now on this process brings nothing in by accident: what is away fails to be read.
///
/// macOS: the policy for materialising is switched off (getiopolicy_np(3)), and reading
/// what is dataless fails with EDEADLK. Windows: placeholders show their attributes, which
/// the system hides from most programs, and files are opened without recalling them.
pub fn keep_away() {
    system::fetch(false);
}

/// While the work lasts, opening and reading brings in what is away.
pub fn while_fetching<T>(work: impl FnOnce() -> T) -> T {
    struct KeepAway;
    impl Drop for KeepAway {
        fn drop(&mut self) {
            system::fetch(false);
        }
    }
    system::fetch(true);
    let _after = KeepAway;
    work()
}

#[cfg(target_os = "macos")]
mod system {
    use std::ffi::c_int;

    // xnu, bsd/sys/resource.h
    const IOPOL_TYPE_VFS_MATERIALIZE_DATALESS_FILES: c_int = 3;
    const IOPOL_SCOPE_PROCESS: c_int = 0;
    const IOPOL_MATERIALIZE_DATALESS_FILES_OFF: c_int = 1;
    const IOPOL_MATERIALIZE_DATALESS_FILES_ON: c_int = 2;

    unsafe extern "C" {
        fn setiopolicy_np(kind: c_int, scope: c_int, policy: c_int) -> c_int;
    }

    pub fn fetch(on: bool) {
        let policy = if on {
            IOPOL_MATERIALIZE_DATALESS_FILES_ON
        } else {
            IOPOL_MATERIALIZE_DATALESS_FILES_OFF
        };
        // SAFETY: three numbers, no memory. A system that lacks the policy refuses, and has no dataless files.
        unsafe {
            setiopolicy_np(IOPOL_TYPE_VFS_MATERIALIZE_DATALESS_FILES, IOPOL_SCOPE_PROCESS, policy);
        }
    }
}

#[cfg(windows)]
pub(crate) mod system {
    use std::sync::atomic::{AtomicBool, Ordering};

    /// `PHCM_EXPOSE_PLACEHOLDERS` of ntifs.h.
    const EXPOSE_PLACEHOLDERS: i8 = 2;

    static FETCHES: AtomicBool = AtomicBool::new(false);

    #[link(name = "ntdll")]
    unsafe extern "system" {
        fn RtlSetProcessPlaceholderCompatibilityMode(mode: i8) -> i8;
    }

    pub fn fetch(on: bool) {
        FETCHES.store(on, Ordering::Relaxed);
        // SAFETY: one number, no memory.
        unsafe {
            RtlSetProcessPlaceholderCompatibilityMode(EXPOSE_PLACEHOLDERS);
        }
    }

    /// True while files are opened so that they are brought in.
    pub fn fetches() -> bool {
        FETCHES.load(Ordering::Relaxed)
    }
}

#[cfg(not(any(target_os = "macos", windows)))]
mod system {
    /// Nothing to switch: here opening alone decides.
    pub fn fetch(_on: bool) {}
}

#[cfg(test)]
mod tests {
    use super::{is_cloud_tag, is_dataless, is_link, is_recalled};

    #[test]
    fn flags_of_macos() {
        for (flags, away) in [
            (0, false),
            (0x4000_0000, true),
            // As `ls -lO` shows them: compressed,dataless; hidden; compressed.
            (0x4000_0020, true),
            (0x8000, false),
            (0x20, false),
        ] {
            assert_eq!(is_dataless(flags), away, "{flags:#x}");
        }
    }

    #[test]
    fn attributes_of_windows() {
        for (attributes, away) in [
            (0x20, false),
            // OneDrive: archive, sparse, reparse point, offline, unpinned, recall on data access.
            (0x50_1620, true),
            // The same file brought in, and pinned.
            (0x8_0420, false),
            // Recall on open alone, offline alone.
            (0x4_0000, true),
            (0x1020, true),
            // A synced folder; one whose entries are not there yet; an offline one.
            (0x410, false),
            (0x40_0410, true),
            (0x1410, false),
        ] {
            assert_eq!(is_recalled(attributes), away, "{attributes:#x}");
        }
    }

    #[test]
    fn tags_of_windows() {
        for (tag, cloud, link) in [
            (0x9000_001A, true, false),
            (0x9000_601A, true, false),
            (0x9000_F01A, true, false),
            // Symbolic link, junction, WSL link.
            (0xA000_000C, false, true),
            (0xA000_0003, false, true),
            (0xA000_001D, false, true),
            // Deduplicated, compressed by the system, projected, old OneDrive.
            (0x8000_0013, false, false),
            (0x8000_0017, false, false),
            (0x9000_001C, false, false),
            (0x8000_0021, false, false),
        ] {
            assert_eq!(is_cloud_tag(tag), cloud, "{tag:#x}");
            assert_eq!(is_link(0x400, tag), link, "{tag:#x}");
            assert!(!is_link(0, tag), "{tag:#x}: no reparse point at all");
        }
    }
}
