//! Names and paths: any bytes come back as they were, by every way they are written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::relpath::RelPath;
use model::text::Text;

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
    // What others wrote may be anything.
    if let Ok(Ok(path)) = std::str::from_utf8(bytes).map(serde_json::from_str::<RelPath>) {
        assert!(RelPath::new(path.as_bytes()).is_ok());
    }
});
