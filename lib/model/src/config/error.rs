//! What is wrong with a configuration, and where.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;

use crate::problem::{Code, Problem};
use crate::text::Text;

/// The first thing that is wrong with a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The file it stands in.
    pub file: PathBuf,
    /// Its line, counted from 1.
    pub line: usize,
    /// Its column in characters, counted from 1.
    pub column: usize,
    /// What is wrong, one line.
    pub what: String,
    /// What could stand there instead, where that is a short list.
    pub known: Vec<String>,
    /// The one of `known` that was probably meant.
    pub nearest: Option<String>,
}

impl ConfigError {
    /// What to do about it; empty where `what` says it all.
    pub fn hint(&self) -> String {
        match &self.nearest {
            Some(nearest) => format!("did you mean \"{nearest}\"?"),
            None if self.known.is_empty() => String::new(),
            None => format!("known here: {}", self.known.join(", ")),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)?;
        match self.hint() {
            hint if hint.is_empty() => Ok(()),
            hint => write!(f, "; {hint}"),
        }
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Problem {
        let place = format!("{}:{}", error.file.display(), error.line);
        let problem = Problem::new(Code::Config, &error.what).at(Text::from(place));
        match error.hint() {
            hint if hint.is_empty() => problem,
            hint => problem.hint(hint),
        }
    }
}

/// An error whose place is still a position in all texts, one after another.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) what: String,
    pub(super) known: Vec<String>,
    pub(super) nearest: Option<String>,
}

impl Fault {
    pub(super) fn new(span: Range<usize>, what: impl Into<String>) -> Fault {
        Fault { span, what: what.into(), known: Vec::new(), nearest: None }
    }

    /// At the place of a key or value.
    pub(super) fn at<T>(thing: &Spanned<T>, what: impl Into<String>) -> Fault {
        Fault::new(thing.span(), what)
    }

    /// The same fault, with what could stand there instead of the word that does.
    pub(super) fn instead_of(self, word: &str, known: Vec<String>) -> Fault {
        Fault { nearest: nearest(word, &known), known, ..self }
    }
}

/// The candidate that is nearly the same word, if there is one.
fn nearest(word: &str, candidates: &[String]) -> Option<String> {
    let word = word.to_lowercase();
    let scored = candidates.iter().map(|known| (likeness(&word, known), known));
    let best = scored.filter(|(score, _)| *score > 0.8).max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, candidate)| candidate.clone())
}

/// From 0, nothing alike, to 1, the same; one slip in a word of three letters is alike.
fn likeness(word: &str, known: &str) -> f64 {
    let one_slip = word.len() > 2 && strsim::osa_distance(word, known) == 1;
    strsim::jaro_winkler(word, known).max(if one_slip { 0.9 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_understood_and_other_words_are_left_alone() {
        let known = ["host", "user", "path", "exclude", "max_age", "on_gone"].map(str::to_owned);
        for (word, meant) in [
            ("exlude", Some("exclude")),
            ("Exclude", Some("exclude")),
            ("maxage", Some("max_age")),
            ("on-gone", Some("on_gone")),
            ("hsot", Some("host")),
            ("uesr", Some("user")),
            ("pth", Some("path")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known).as_deref(), meant, "{word}");
        }
    }
}
