//! Where the configuration's text comes from, and where in it something stands.

use std::path::PathBuf;

use super::error::{ConfigError, Fault};
use crate::text::Text;

/// One configuration file, as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its path, for messages.
    pub name: PathBuf,
    /// Its text, TOML 1.0; a byte-order mark is tolerated.
    pub text: String,
}

/// The sources laid one after another, so that one number is a place in all of them.
///
/// After the merge a value may come from any file; its span, moved by where its
/// source starts, still tells file, line and column.
pub(super) struct Origins<'s> {
    sources: &'s [Source],
}

impl<'s> Origins<'s> {
    pub(super) fn new(sources: &'s [Source]) -> Origins<'s> {
        Origins { sources }
    }

    /// Each source with the position at which it starts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &'s Source)> {
        self.sources.iter().scan(0, |next, source| {
            let start = *next;
            // One more than its length: the end of a file is a place of its own.
            *next += source.text.len() + 1;
            Some((start, source))
        })
    }

    /// The fault with its place as people name it.
    pub(super) fn error(&self, fault: Fault) -> ConfigError {
        let at = fault.span.start;
        let holder = self.iter().take_while(|(start, _)| *start <= at).last();
        let (file, before) = match holder {
            Some((start, source)) => (source.name.clone(), prefix(&source.text, at - start)),
            None => (PathBuf::new(), ""),
        };
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError {
            file,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            // A key may hold anything; a message is one line all the same.
            what: Text::from(fault.what).display().into_owned(),
            known: fault.known,
            nearest: fault.nearest,
        }
    }
}

/// The text up to a position, or to the nearest character border before it.
fn prefix(text: &str, at: usize) -> &str {
    let border = (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i));
    &text[..border.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::{Origins, Source};
    use crate::config::error::Fault;

    #[test]
    fn a_place_in_all_texts_is_a_line_of_one_file() {
        let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
        let sources = [source("a", "x\nyz\n"), source("b", ""), source("c", "äö = 1")];
        let origins = Origins::new(&sources);
        for (at, file, line, column) in [
            (0, "a", 1, 1),
            (3, "a", 2, 2),
            (5, "a", 3, 1),
            (6, "b", 1, 1),
            (7, "c", 1, 1),
            (11, "c", 1, 3),
            (99, "c", 1, 7),
        ] {
            let error = origins.error(Fault::new(at..at, ""));
            let place = (error.file.to_str().unwrap(), error.line, error.column);
            assert_eq!(place, (file, line, column), "{at}");
        }
    }
}
