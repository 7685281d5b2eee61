//! Stopping in order: SIGINT and SIGTERM become a flag that work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use model::exit::Exit;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Says whether, and by which signal, the program was asked to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicUsize>);

const INTERRUPT: usize = 1;
const TERMINATE: usize = 2;

impl Stop {
    /// A flag that no signal sets; for tests and for work that is never stopped.
    pub fn never() -> Stop {
        Stop::default()
    }

    /// Catches SIGINT and SIGTERM from now on; the work is expected to look at the flag.
    ///
    /// A second signal ends the process at once, as if nothing had caught it.
    ///
    /// # Errors
    /// When the handlers can't be installed.
    pub fn on_signals() -> std::io::Result<Stop> {
        let stop = Stop::default();
        let again = Arc::new(AtomicBool::new(false));
        for (signal, number) in [(SIGINT, INTERRUPT), (SIGTERM, TERMINATE)] {
            // In this order: the first signal finds the flag down, the second finds it up.
            flag::register_conditional_default(signal, again.clone())?;
            flag::register(signal, again.clone())?;
            flag::register_usize(signal, stop.0.clone(), number)?;
        }
        Ok(stop)
    }

    /// Calls `wake` soon after a signal came, from a thread of its own, so that who waits
    /// for something else looks at the flag.
    ///
    /// # Errors
    /// When the handlers can't be installed.
    #[cfg(unix)]
    pub fn wake_on_signals(wake: impl Fn() + Send + 'static) -> std::io::Result<()> {
        use std::io::Read;
        let (mut read, write) = std::os::unix::net::UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM] {
            // Registered after the flag, the byte comes when that is up.
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let mut byte = [0];
            while read.read_exact(&mut byte).is_ok() {
                wake();
            }
        })?;
        Ok(())
    }

    /// Calls `wake` several times a second: here no signal wakes anybody.
    ///
    /// # Errors
    /// When no thread can be made.
    #[cfg(not(unix))]
    pub fn wake_on_signals(wake: impl Fn() + Send + 'static) -> std::io::Result<()> {
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            loop {
                std::thread::sleep(std::time::Duration::from_millis(250));
                wake();
            }
        })?;
        Ok(())
    }

    /// True once a stop was asked for.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// The exit code of a run that was stopped; `None` if it was not.
    pub fn exit(&self) -> Option<Exit> {
        match self.0.load(Ordering::Relaxed) {
            INTERRUPT => Some(Exit::Interrupted),
            TERMINATE => Some(Exit::Terminated),
            _ => None,
        }
    }

    /// Asks for a stop, as SIGTERM would; for tests.
    pub fn ask(&self) {
        self.0.store(TERMINATE, Ordering::Relaxed);
    }
}
