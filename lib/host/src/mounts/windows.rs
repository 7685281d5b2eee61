//! The mount table on Windows: drive letters, and the shares that they stand for.

use std::path::PathBuf;

use windows_sys::Win32::Foundation::NO_ERROR;
use windows_sys::Win32::NetworkManagement::WNet::WNetGetConnectionW;
use windows_sys::Win32::Storage::FileSystem::{GetDriveTypeW, GetLogicalDrives};

use super::Mount;
use crate::error::Result;

/// `DRIVE_REMOTE` of GetDriveTypeW.
const REMOTE: u32 = 4;

/// Asks which letters are in use; no server is asked.
pub fn table() -> Result<Vec<Mount>> {
    // SAFETY: the call has no arguments.
    let letters = unsafe { GetLogicalDrives() };
    let used = (0..26_u8).filter(|bit| letters & (1 << bit) != 0);
    Ok(used.map(|bit| mount(char::from(b'A' + bit), u64::from(bit))).collect())
}

fn mount(letter: char, id: u64) -> Mount {
    let share = share(letter);
    Mount {
        id,
        device: format!("{letter}:"),
        root: PathBuf::from("/"),
        point: PathBuf::from(format!("{letter}:\\")),
        // What SMB is called in every other mount table; of a disk nothing is asked.
        fs_type: if share.is_some() { "smbfs" } else { "" }.to_owned(),
        source: share.unwrap_or_else(|| format!("{letter}:")),
        read_only: false,
    }
}

/// The share `\\server\share` of a network drive of this session.
fn share(letter: char) -> Option<String> {
    let wide = |text: String| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    // SAFETY: the path ends in NUL.
    if unsafe { GetDriveTypeW(wide(format!("{letter}:\\")).as_ptr()) } != REMOTE {
        return None;
    }
    let mut name = [0_u16; 1024];
    let mut length = 1024;
    let drive = wide(format!("{letter}:"));
    // SAFETY: the name ends in NUL, and the buffer is as long as is said.
    let told = unsafe { WNetGetConnectionW(drive.as_ptr(), name.as_mut_ptr(), &mut length) };
    let end = name.iter().position(|unit| *unit == 0)?;
    (told == NO_ERROR).then(|| String::from_utf16_lossy(&name[..end]))
}
