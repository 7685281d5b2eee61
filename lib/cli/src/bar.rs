//! Progress on a terminal.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::emit::Progress;

use crate::figures;

/// How often the spinner turns while nothing is told.
const TURN: Duration = Duration::from_millis(120);

/// What the work is doing, drawn on stderr; nothing at all where that is no terminal.
pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar that is drawn from the first progress on, if it may be drawn.
    pub fn new(drawn: bool) -> Bar {
        Bar(drawn.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style("{spinner} {msg}"));
            bar
        }))
    }

    /// Draws the newest figures.
    pub fn show(&self, progress: &Progress) {
        let Some(bar) = &self.0 else { return };
        if bar.length() != progress.bytes_planned {
            match progress.bytes_planned {
                Some(planned) => {
                    bar.set_style(style(
                        "{spinner} {msg} [{bar:24}] {decimal_bytes_per_sec}, {eta} left",
                    ));
                    bar.set_length(planned);
                }
                None => {
                    bar.unset_length();
                    bar.set_style(style("{spinner} {msg}"));
                }
            }
            bar.enable_steady_tick(TURN);
        }
        bar.set_position(progress.bytes);
        bar.set_message(words(progress));
    }

    /// Takes the bar away while something else is printed.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away; the next progress begins a new one.
    pub fn clear(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
            *self = Bar::new(true);
        }
    }
}

/// A template of our own; one that is wrong would be found by the test below.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

/// `copying: 12 of 90 files, 3.1 MB of 1.2 GB`.
fn words(progress: &Progress) -> Cow<'static, str> {
    let of = |part: String, whole: Option<String>| match whole {
        Some(whole) => format!("{part} of {whole}"),
        None => part,
    };
    let planned = progress.files_planned;
    let files = match planned {
        Some(planned) => format!("{} of {}", progress.files, figures::count(planned, "file")),
        None => figures::count(progress.files, "file"),
    };
    let bytes = of(figures::bytes(progress.bytes), progress.bytes_planned.map(figures::bytes));
    Cow::Owned(format!("{}: {files}, {bytes}", progress.doing))
}

#[cfg(test)]
mod tests {
    use super::words;
    use indicatif::ProgressStyle;
    use model::emit::Progress;

    #[test]
    fn the_words_tell_what_is_known_and_no_more() {
        let known = Progress {
            doing: "copying",
            files: 1,
            files_planned: Some(90),
            bytes: 3_100_000,
            bytes_planned: Some(1_200_000_000),
        };
        assert_eq!(words(&known), "copying: 1 of 90 files, 3.1 MB of 1.2 GB");
        let unknown = Progress { doing: "looking", files: 1, ..Progress::default() };
        assert_eq!(words(&unknown), "looking: 1 file, 0 B");
    }

    #[test]
    fn the_templates_are_right() {
        for template in
            ["{spinner} {msg}", "{spinner} {msg} [{bar:24}] {decimal_bytes_per_sec}, {eta} left"]
        {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
