//! A terminal of a test's own, to see what a person sees.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A pseudo-terminal (pty(7)) and what was written to it.
#[derive(Debug)]
pub struct Terminal {
    end: OwnedFd,
    screen: JoinHandle<Vec<u8>>,
}

impl Default for Terminal {
    fn default() -> Terminal {
        Terminal::new()
    }
}

impl Terminal {
    /// Opens one; what is written to it is read at once.
    pub fn new() -> Terminal {
        let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&main).expect("a terminal");
        unlockpt(&main).expect("a terminal");
        let size = Winsize { ws_row: 25, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&main, size).expect("a terminal has a size");
        let name = ptsname(&main, Vec::new()).expect("a terminal has a name");
        let end = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty());
        let screen = std::thread::spawn(move || {
            let (mut main, mut seen) = (File::from(main), Vec::new());
            // The read fails once the last program has closed the terminal (pty(7)).
            let _ = main.read_to_end(&mut seen);
            seen
        });
        Terminal { end: end.expect("a terminal"), screen }
    }

    /// The end that a program gets as its stdout or stderr.
    pub fn end(&self) -> OwnedFd {
        self.end.try_clone().expect("a file descriptor")
    }

    /// Everything that was written to it, control sequences included.
    pub fn seen(self) -> String {
        drop(self.end);
        String::from_utf8_lossy(&self.screen.join().expect("reading a terminal")).into_owned()
    }
}
