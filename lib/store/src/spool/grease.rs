//! Grease: test builds write what no reader knows, so that one that can't skip it breaks at once.
//!
//! In a test build (feature `failpoints` of `host`) each segment begins with an event of
//! an unknown type that carries an unknown attribute and unknown data. `PHC_GREASE=0` in
//! the environment leaves it out, and this crate's own tests, which say what they write, get
//! none. It is a valid event, and it is the same for the same
//! first event, so that results can be compared.

use model::event::Event;

/// The last words of the unknown event's type.
const UNKNOWN: &str = "grease.spread";

/// The line, with its end, that a segment begins with; empty in builds for use.
pub(super) fn first_line(first: &Event) -> String {
    let spread = host::failpoint::TEST_BUILD
        && !cfg!(test)
        && std::env::var_os("PHC_GREASE").is_none_or(|value| value != "0");
    if spread { unknown(first) } else { String::new() }
}

fn unknown(first: &Event) -> String {
    let mut event = Event {
        id: format!("{}-grease", first.id),
        kind: format!("phc.unknown.{UNKNOWN}"),
        subject: None,
        data: Some(serde_json::json!({ "unknown": [null, { "of": first.kind }] })),
        ..first.clone()
    };
    event.extra.insert("grease".to_owned(), "unknown".into());
    // What is not made is not written: the event that follows is told in any case.
    event.to_line().map(|line| line + "\n").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Event, unknown};

    #[test]
    fn grease_is_a_valid_event_that_nobody_knows() {
        let line = r#"{"specversion":"1.0","id":"1","source":"/x","type":"t","subject":"s"}"#;
        let grease = unknown(&Event::parse(line).unwrap());
        let event = Event::parse(grease.trim_end()).unwrap();
        assert_eq!((event.id.as_str(), event.source.as_str()), ("1-grease", "/x"));
        assert!(event.extra.contains_key("grease"));
    }
}
