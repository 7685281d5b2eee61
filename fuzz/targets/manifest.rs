//! A manifest of any version and in any state of ruin: it opens, or is called broken, and
//! whatever it says is said without a panic.

#![no_main]

use std::path::Path;

use libfuzzer_sys::{Corpus, fuzz_target};
use model::relpath::RelPath;
use store::manifest::{Manifest, Opened};

/// The first manifest there was, which every version must open for ever.
const FIRST: &[u8] = include_bytes!("../../tests/golden/manifest-v1.sqlite");

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(content) = changed(bytes) else { return Corpus::Reject };
    let folder = Path::new("/dev/shm");
    let folder = if folder.is_dir() { folder.to_owned() } else { std::env::temp_dir() };
    let path = folder.join(format!("phc-fuzz-{}.sqlite", std::process::id()));
    let with = |suffix: &str| std::path::PathBuf::from(format!("{}{suffix}", path.display()));
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(with(suffix));
    }
    std::fs::write(&path, content).expect("a scratch file");
    if let Ok(Opened::Fresh(manifest) | Opened::Existing(manifest)) = Manifest::open(&path) {
        said(manifest);
    }
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with(suffix));
    }
    Corpus::Keep
});

/// The first manifest with bytes changed: each six bytes of the input are a place (four),
/// how many, and what; cut off there when that is 255 of them.
fn changed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut content = FIRST.to_vec();
    for edit in bytes.chunks_exact(6) {
        let at = u32::from_le_bytes(edit[..4].try_into().ok()?) as usize % content.len().max(1);
        if edit[4] == u8::MAX {
            content.truncate(at);
        } else {
            let end = (at + usize::from(edit[4])).min(content.len());
            content[at..end].fill(edit[5]);
        }
    }
    Some(content)
}

/// Asks everything, as a run does; errors are answers too.
fn said(mut manifest: Manifest) {
    let _ = manifest.check_deeply();
    let _ = manifest.runs(10);
    let _ = manifest.inflight();
    let _ = manifest.meta("newest_increment");
    let _ = manifest.unannounced("cloud", 0, 100);
    let Ok(reader) = manifest.reader() else { return };
    let _ = reader.counts();
    let _ = reader.each_folder(&mut |_, _, _, _| {});
    let _ = reader.each_record(&mut |path, record| drop(record.told(path)));
    let mut folders = vec![(0, 0)];
    while let Some((id, depth)) = folders.pop() {
        let _ = reader.folder_path(id);
        for known in reader.entries(id).unwrap_or_default() {
            let _ = reader.record(id, &known.name);
        }
        let below = reader.folders(id).unwrap_or_default();
        folders.extend(below.iter().filter(|_| depth < 8).map(|row| (row.id, depth + 1)));
    }
    let folder = RelPath::new("sub").expect("a path");
    if let Ok(mut batch) = manifest.batch() {
        let _ = batch.trashed_below(&folder, 0);
        let _ = batch.bury(&folder, b"b.txt", 0, true);
        let _ = batch.commit();
    }
}
