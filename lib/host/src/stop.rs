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
