//! Standard output: buffered, and silent once nobody reads it.

use std::io::{BufWriter, ErrorKind, Write};
use std::time::{Duration, Instant};

/// How long a line may wait for others before it is passed on.
const PATIENCE: Duration = Duration::from_millis(100);

/// A pipe of lines to a reader who may leave.
///
/// A reader that closes the pipe has had enough: that is success, and the work that is
/// being told goes on (ripgrep's rule for broken pipes). Any other failure is kept.
pub(crate) struct Lines<W: Write> {
    to: BufWriter<W>,
    flushed: Instant,
    state: State,
}

enum State {
    Open,
    ReaderGone,
    Failed(std::io::Error),
}

impl<W: Write> Lines<W> {
    pub fn new(to: W) -> Lines<W> {
        Lines {
            to: BufWriter::with_capacity(64 * 1024, to),
            flushed: Instant::now(),
            state: State::Open,
        }
    }

    /// Writes one line; what came before it waits no longer than [`PATIENCE`] after the last flush.
    pub fn line(&mut self, line: &str) {
        let written = self.open().map(|to| {
            to.write_all(line.as_bytes())?;
            to.write_all(b"\n")
        });
        self.note(written);
        self.tick();
    }

    /// Passes on what has waited; called whenever there is a moment.
    pub fn tick(&mut self) {
        if self.flushed.elapsed() >= PATIENCE {
            self.flush();
        }
    }

    /// Passes everything on now.
    pub fn flush(&mut self) {
        let flushed = self.open().map(Write::flush);
        self.note(flushed);
        self.flushed = Instant::now();
    }

    /// True once nobody reads any more.
    pub fn reader_is_gone(&self) -> bool {
        matches!(self.state, State::ReaderGone)
    }

    /// Why lines were lost; `None` when none were, or nobody wanted them.
    pub fn failure(&self) -> Option<&std::io::Error> {
        match &self.state {
            State::Failed(error) => Some(error),
            State::Open | State::ReaderGone => None,
        }
    }

    fn open(&mut self) -> Option<&mut BufWriter<W>> {
        matches!(self.state, State::Open).then_some(&mut self.to)
    }

    fn note(&mut self, written: Option<std::io::Result<()>>) {
        match written {
            None | Some(Ok(())) => {}
            Some(Err(e)) if e.kind() == ErrorKind::BrokenPipe => self.state = State::ReaderGone,
            Some(Err(e)) => self.state = State::Failed(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use std::io::{Error, ErrorKind, Result, Write};

    struct Fails(ErrorKind, u32);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            self.1 += 1;
            Err(Error::from(self.0))
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_arrive_in_order_and_the_first_does_not_wait_for_a_full_buffer() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out);
        lines.line("one");
        lines.line("two");
        lines.flush();
        drop(lines);
        assert_eq!(out, b"one\ntwo\n");
    }

    #[test]
    fn a_reader_that_left_is_no_failure_and_is_not_asked_again() {
        let mut lines = Lines::new(Fails(ErrorKind::BrokenPipe, 0));
        lines.line("one");
        lines.flush();
        lines.line("two");
        lines.flush();
        assert!(lines.reader_is_gone() && lines.failure().is_none());
        assert_eq!(lines.to.get_ref().1, 1);
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let mut lines = Lines::new(Fails(ErrorKind::StorageFull, 0));
        lines.line("one");
        lines.flush();
        assert!(!lines.reader_is_gone());
        assert_eq!(lines.failure().unwrap().kind(), ErrorKind::StorageFull);
    }
}
