//! Stopping in order: SIGINT and SIGTERM become a flag that work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::exit::Exit;

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
    /// # Errors
    /// When the handlers can't be installed.
    pub fn on_signals() -> std::io::Result<Stop> {
        let stop = Stop::default();
        signal_hook::flag::register_usize(signal_hook::consts::SIGINT, stop.0.clone(), INTERRUPT)?;
        signal_hook::flag::register_usize(signal_hook::consts::SIGTERM, stop.0.clone(), TERMINATE)?;
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
