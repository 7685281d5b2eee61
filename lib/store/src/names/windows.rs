//! Pure: the names that Windows, SMB and exFAT can't hold.

/// True if a name may stand as it is.
pub(super) fn holds(name: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(name) else { return false };
    !text.chars().any(is_forbidden)
        && !text.ends_with(['.', ' '])
        && !begins_badly(name)
        && !is_short_name(name)
}

/// Characters that have a meaning, and those that clients put in their place (Services for
/// Macintosh, `mapposix` of the CIFS client) and read as them again.
pub(super) fn is_forbidden(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' | '\0'..='\x1f')
        || matches!(c, '\u{f000}'..='\u{f0ff}')
}

/// Names that their beginning makes more than a name: devices, and our own temporaries'.
pub(super) fn begins_badly(name: &[u8]) -> bool {
    is_device(name) || is_temporary(name)
}

/// `CON`, `nul.txt`, `COM¹`: devices in every folder, whatever follows the first dot.
fn is_device(name: &[u8]) -> bool {
    let base = name.split(|b| *b == b'.').next().unwrap_or(name);
    let Ok(base) = std::str::from_utf8(base) else { return false };
    let base = base.trim_end_matches(' ').to_ascii_uppercase();
    if matches!(&*base, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let port = base.strip_prefix("COM").or_else(|| base.strip_prefix("LPT"));
    port.is_some_and(|port| {
        let mut digits = port.chars();
        matches!(digits.next(), Some('0'..='9' | '¹' | '²' | '³')) && digits.next().is_none()
    })
}

/// `PROGRA~1`: where short names are made, it may be another file's.
fn is_short_name(name: &[u8]) -> bool {
    let mut parts = name.split(|b| *b == b'.');
    let base = parts.next().unwrap_or_default();
    let extension = parts.next().unwrap_or_default();
    let Some(tilde) = base.iter().rposition(|b| *b == b'~') else { return false };
    let number = &base[tilde + 1..];
    base.len() <= 8
        && extension.len() <= 3
        && parts.next().is_none()
        && !number.is_empty()
        && number.iter().all(u8::is_ascii_digit)
}

fn is_temporary(name: &[u8]) -> bool {
    name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b".phc-"))
}
