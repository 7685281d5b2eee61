//! Events and catalog lines: anything is taken or refused; what is taken survives being written again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::event::Event;
use model::ingest::FileNews;
use store::manifest::Record;

fuzz_target!(|line: &str| {
    if let Ok(event) = Event::parse(line)
        && let Ok(written) = event.to_line()
    {
        let again = Event::parse(written.trim_end()).expect("a line of our own");
        assert_eq!(again, event);
    }
    if let Ok(news) = serde_json::from_str::<FileNews>(line) {
        let written = serde_json::to_string(&news).expect("news are JSON");
        assert_eq!(serde_json::from_str::<FileNews>(&written).expect("our own"), news);
        if let Some(record) = Record::from_told(&news.file) {
            let told = record.told(news.file.path.clone());
            assert_eq!(Record::from_told(&told).expect("a record of a record"), record);
        }
    }
});
