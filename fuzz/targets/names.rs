//! Names and paths: any bytes come back as they were, by every way they are written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::relpath::RelPath;
use model::text::Text;
use store::names::{Target, escape, fold, of_copy, unescape};

/// The longest name that file systems hold, in bytes.
const LONGEST: usize = 255;
/// A name of up to so many bytes is spelled whole, however each has to be written.
const WHOLE: usize = 60;

fuzz_target!(|bytes: &[u8]| {
    let text = Text::new(bytes);
    let json = serde_json::to_string(&text).expect("a text is JSON");
    let back: Text = serde_json::from_str(&json).expect("its own JSON is a text");
    assert_eq!(back.as_bytes(), bytes);
    if let Ok(path) = RelPath::new(bytes) {
        assert_eq!(path.as_bytes(), bytes);
        let again = path.names().fold(RelPath::root(), |path, name| path.join(name));
        assert_eq!(again, path);
        if let Some((above, name)) = path.split() {
            assert!(path.is_within(&above));
            assert_eq!(above.join(name), path);
            assert!(!name.is_empty() && name != b"." && name != b".." && !name.contains(&b'/'));
        }
        let json = serde_json::to_string(&path).expect("a path is JSON");
        assert_eq!(serde_json::from_str::<RelPath>(&json).expect("its own JSON is a path"), path);
    } else if let Ok(json) = serde_json::to_string(&text) {
        // What is no path does not become one by being written down.
        assert!(serde_json::from_str::<RelPath>(&json).is_err());
    }
    spelled(bytes);
    // What others wrote may be anything.
    if let Ok(Ok(path)) = std::str::from_utf8(bytes).map(serde_json::from_str::<RelPath>) {
        assert!(RelPath::new(path.as_bytes()).is_ok());
    }
});

/// What the narrowest target can't hold is spelled so that it can, and is told back.
fn spelled(name: &[u8]) {
    let _ = (unescape(name), fold(name), of_copy(&Target::NARROWEST, name));
    let is_name = !name.is_empty() && name.len() <= LONGEST && name != b"." && name != b"..";
    if !is_name || name.contains(&b'/') || name.contains(&0) {
        return;
    }
    let Some(copy) = escape(&Target::NARROWEST, name) else {
        assert!(std::str::from_utf8(name).is_ok() && unescape(name).is_none());
        return;
    };
    assert!(copy.len() <= LONGEST && copy != name);
    let text = std::str::from_utf8(&copy).expect("every target holds UTF-8");
    assert!(!text.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|', '\0']), "{text}");
    assert!(!text.ends_with(['.', ' ']), "{text}");
    match unescape(&copy) {
        Some(back) => assert_eq!(back, name),
        None => assert!(name.len() > WHOLE, "{text} is not told back"),
    }
}
