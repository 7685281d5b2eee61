//! The current user's part of the Windows registry, read only.

use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::Registry as sys;

/// The names of a key's subkeys; none if there is no such key.
pub fn keys(path: &str) -> Vec<String> {
    let mut key = std::ptr::null_mut();
    let path = wide(path);
    // SAFETY: the path ends in NUL and the out pointer is valid.
    let opened = unsafe {
        sys::RegOpenKeyExW(sys::HKEY_CURRENT_USER, path.as_ptr(), 0, sys::KEY_READ, &mut key)
    };
    if opened != ERROR_SUCCESS {
        return Vec::new();
    }
    let names = (0..).map_while(|index| subkey(key, index)).collect();
    // SAFETY: the key was opened above and is used no more.
    unsafe { sys::RegCloseKey(key) };
    names
}

fn subkey(key: sys::HKEY, index: u32) -> Option<String> {
    // A key's name has at most 255 characters.
    let mut name = [0_u16; 256];
    let mut length = 256;
    // SAFETY: the buffer is as long as is said; the pointers that are null may be.
    let told = unsafe {
        sys::RegEnumKeyExW(
            key,
            index,
            name.as_mut_ptr(),
            &mut length,
            std::ptr::null(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    };
    let name = name.get(..usize::try_from(length).ok()?)?;
    (told == ERROR_SUCCESS).then(|| String::from_utf16_lossy(name))
}

/// A text value of a key; `None` if there is none, or one of another type.
pub fn text(path: &str, value: &str) -> Option<String> {
    let (path, value) = (wide(path), wide(value));
    let mut units = vec![0_u16; 32 * 1024];
    let mut bytes = 64 * 1024;
    // SAFETY: both names end in NUL, and the buffer has as many bytes as is said.
    let told = unsafe {
        sys::RegGetValueW(
            sys::HKEY_CURRENT_USER,
            path.as_ptr(),
            value.as_ptr(),
            sys::RRF_RT_REG_SZ,
            std::ptr::null_mut(),
            units.as_mut_ptr().cast(),
            &mut bytes,
        )
    };
    let end = units.iter().position(|unit| *unit == 0)?;
    (told == ERROR_SUCCESS).then(|| String::from_utf16_lossy(&units[..end]))
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
