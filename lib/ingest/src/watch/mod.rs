//! Watching: what changes in a source is in the space a moment later.
//!
//! The system tells what changed (`ears`), a state machine tells when it is settled
//! ([`pending`]), and a run that looks at just those folders brings it in, under every rule
//! of a full run. A full scan at the start and once a day makes up for what nobody told.
//! Each run takes the cloud's lock for itself, and between runs nothing of the space is open.

mod bell;
mod ears;
mod heard;
pub mod pending;
mod post;
mod root;
mod settling;
mod told;

pub use told::{By, WatchDeferred, WatchEnded, WatchMissed, WatchStarted};

use std::sync::Arc;
use std::time::{Duration, Instant};

use host::clock::Clock;
use host::service::Service;
use host::stop::Stop;
use model::emit::Emit;
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::run::RunId;
use store::space::SpaceRoot;

use crate::settings::Settings;
use bell::Bell;
use post::Post;

/// What a watch needs of the machine.
pub struct Ground<'a> {
    /// Proves the space, each time anew.
    pub prove: &'a dyn Fn() -> Result<SpaceRoot, Problem>,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Asked to stop.
    pub stop: &'a Stop,
    /// Who started the program as a service.
    pub service: &'a Service,
    /// Time between two looks at everything.
    pub full_scan: Duration,
    /// Time between two looks at what can't be heard of.
    pub poll: Duration,
}

impl std::fmt::Debug for Ground<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("full_scan", &self.full_scan).finish_non_exhaustive()
    }
}

/// Takes what many runs tell, one after the other.
pub trait Voice: Emit {
    /// Begins another run, with a fresh id.
    fn next_run(&mut self) -> RunId;

    /// Passes on what waits.
    fn flush(&mut self);
}

/// Watches the sources of some clouds until it is asked to stop.
///
/// The settings are a template: each run gets an id and a scope of its own.
///
/// # Errors
/// [`Code::Io`] when signals can't be waited for, and what makes all the clouds unfit to be watched.
pub fn watch(
    clouds: Vec<Settings>,
    ground: &Ground<'_>,
    voice: &mut dyn Voice,
) -> Result<Exit, Problem> {
    let bell = Arc::new(Bell::default());
    let wake = bell.clone();
    Stop::wake_on_signals(move || wake.ring())
        .map_err(|e| Problem::new(Code::Io, format!("can't wait for signals: {e}")))?;
    let began = Instant::now();
    let mut posts: Vec<Post> =
        clouds.into_iter().map(|cloud| Post::new(cloud, began, bell.clone())).collect();
    let mut worst = Exit::Done;
    for post in &mut posts {
        post.look(ground, voice);
    }
    ground.service.ready();
    while !ground.stop.asked() && !posts.is_empty() {
        ground.service.alive();
        let worked = one_round(&mut posts, ground, voice);
        posts.retain(|post| {
            worst = post.unfit().map_or(worst, |exit| worst.worst(exit));
            post.unfit().is_none()
        });
        voice.flush();
        if !worked {
            let waits = posts.iter().map(Post::rests).min().unwrap_or_default();
            bell.wait(ground.service.watchdog().map_or(waits, |often| waits.min(often)));
        }
    }
    ground.service.stopping();
    for post in &posts {
        post.end(voice);
    }
    voice.flush();
    Ok(ground.stop.exit().unwrap_or(worst))
}

/// Gives every cloud its turn; true if there was anything to do.
fn one_round(posts: &mut [Post], ground: &Ground<'_>, voice: &mut dyn Voice) -> bool {
    let mut worked = false;
    for post in posts {
        if ground.stop.asked() {
            break;
        }
        post.look(ground, voice);
        worked |= post.work(ground, voice);
    }
    worked
}
