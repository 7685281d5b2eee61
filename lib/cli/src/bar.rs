//! Progress on a terminal.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::emit::Progress;

use crate::figures;

/// How often the spinner turns while nothing is told.
const TURN: Duration = Duration::from_millis(120);

/// While nobody knows how much there is to do.
const OPEN: &str = "{spinner} {msg}";
/// Once that is planned.
const PLANNED: &str = "{spinner} {msg} [{bar:24}] {decimal_bytes_per_sec}, {eta} left";

/// What the work is doing, drawn on stderr; nothing at all where that is no terminal.
pub(crate) struct Bar {
    allowed: bool,
    drawn: Option<ProgressBar>,
}

impl Bar {
    /// A bar that is drawn from the first progress on, if it may be drawn.
    pub fn new(allowed: bool) -> Bar {
        Bar { allowed, drawn: None }
    }

    /// Draws the newest figures.
    pub fn show(&mut self, progress: &Progress) {
        if !self.allowed {
            return;
        }
        draw(self.drawn.get_or_insert_with(|| begun(ProgressDrawTarget::stderr())), progress);
    }

    /// Takes the bar away while something else is printed.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.drawn {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away; the next progress begins a new one.
    pub fn clear(&mut self) {
        if let Some(bar) = self.drawn.take() {
            bar.finish_and_clear();
        }
    }
}

fn begun(on: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, on);
    bar.set_style(style(OPEN));
    bar.enable_steady_tick(TURN);
    bar
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    if bar.length() != progress.bytes_planned {
        match progress.bytes_planned {
            Some(planned) => bar.set_length(planned),
            None => bar.unset_length(),
        }
        let planned = progress.bytes_planned.is_some();
        bar.set_style(style(if planned { PLANNED } else { OPEN }));
    }
    bar.set_position(progress.bytes);
    bar.set_message(words(progress));
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
    use super::{Bar, begun, draw, words};
    use indicatif::{ProgressDrawTarget, ProgressStyle, TermLike};
    use model::emit::Progress;
    use std::io::Result;
    use std::sync::{Arc, Mutex};

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

    /// A terminal that remembers what it was given.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> Result<()> {
            self.write_str("<cleared>")
        }
        fn flush(&self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_planned_is_drawn_with_a_bar_and_taken_away_at_the_end() {
        let paper = Paper::default();
        let bar = begun(ProgressDrawTarget::term_like(Box::new(paper.clone())));
        let looking = Progress { doing: "looking", files: 3, ..Progress::default() };
        let copying = Progress {
            doing: "copying",
            bytes: 5_000,
            bytes_planned: Some(10_000),
            ..Progress::default()
        };
        for progress in [looking, copying] {
            draw(&bar, &progress);
            bar.force_draw();
        }
        bar.finish_and_clear();
        let drawn = paper.0.lock().unwrap().clone();
        assert!(drawn.contains("looking: 3 files, 0 B"), "{drawn}");
        assert!(drawn.contains("copying: 0 files, 5.0 kB of 10.0 kB [===="), "{drawn}");
        assert!(drawn.contains(" left") && drawn.ends_with("<cleared>"), "{drawn}");
    }

    #[test]
    fn where_it_may_not_be_drawn_there_is_no_bar() {
        let mut bar = Bar::new(false);
        bar.show(&Progress::default());
        assert!(bar.drawn.is_none());
    }

    #[test]
    fn the_templates_are_right() {
        for template in [super::OPEN, super::PLANNED] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
