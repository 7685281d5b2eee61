//! One watched cloud: what is in doubt of it, and what is done about that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use host::{Dir, volume};
use jiff::{SignedDuration, Timestamp};
use model::emit::emit;
use model::exit::Exit;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use model::run::Outcome;
use store::approvals::Plans;
use store::spool;

use super::bell::Bell;
use super::ears::{Ears, HEARS_CLOSE};
use super::pending::{Batch, Heard, Moment, Pending, Timing};
use super::root::RootId;
use super::settling::Settling;
use super::told::{By, Ear, WatchDeferred, WatchEnded, WatchStarted};
use super::{Ground, Voice};
use crate::run::{Ended, Machine, run};
use crate::scope::{Folders, Scope};
use crate::settings::Settings;

const TIMING: Timing = Timing {
    grace: Duration::from_millis(20),
    folder_grace: Duration::from_millis(100),
    gather: Duration::from_millis(500),
    quiet: if HEARS_CLOSE { Duration::from_secs(5) } else { Duration::from_secs(2) },
    longest: Duration::from_secs(60),
};

/// Time between two looks at whether the root is the one that is listened to.
const LOOK: Duration = Duration::from_secs(2);
/// What can't be done is tried again after this, and after twice as long each time,
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// but at least this often.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A refused batch and one that comes so soon after it are judged together: the two ends of
/// a move may have come apart.
const BELONGS_TOGETHER: Duration = Duration::from_secs(60);
/// When files that could not be brought in are tried again, though nothing is heard of them.
const TRIES: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(1500)];
/// A poll takes at most this part of the time.
const POLL_SHARE: u32 = 10;

/// What the notifier's thread writes and the watch reads.
#[derive(Debug)]
struct Shared {
    pending: Pending,
    /// Folders that came, to be listened to before anything is written in them.
    came: Vec<RelPath>,
}

/// A batch that a guard refused.
#[derive(Debug)]
struct Held {
    folders: Folders,
    since: Moment,
    plan: Option<String>,
}

/// One watched cloud.
#[derive(Debug)]
pub(super) struct Post {
    settings: Settings,
    began: Instant,
    bell: Arc<Bell>,
    shared: Arc<Mutex<Shared>>,
    ears: Option<Ears>,
    by: By,
    root: Option<RootId>,
    looked: Option<Moment>,
    /// When everything is to be looked at; `None` for at once.
    full_at: Option<Timestamp>,
    poll_at: Moment,
    /// True until a full scan has made up for what happened unheard.
    is_behind: bool,
    was_watched: bool,
    limit_told: bool,
    pause: Option<(Moment, Duration)>,
    held: Option<Held>,
    again: Option<(Moment, Folders, usize)>,
    settling: Settling,
    unfit: Option<Exit>,
}

impl Post {
    pub fn new(settings: Settings, began: Instant, bell: Arc<Bell>) -> Post {
        let shared = Shared { pending: Pending::new(TIMING), came: Vec::new() };
        Post {
            settings,
            began,
            bell,
            shared: Arc::new(Mutex::new(shared)),
            ears: None,
            by: By::Notification,
            root: None,
            looked: None,
            full_at: None,
            poll_at: Moment::ZERO,
            is_behind: true,
            was_watched: false,
            limit_told: false,
            pause: None,
            held: None,
            again: None,
            settling: Settling::default(),
            unfit: None,
        }
    }

    /// The exit code of a cloud that can't be watched, whatever is waited for.
    pub fn unfit(&self) -> Option<Exit> {
        self.unfit
    }

    /// How long nothing is to be done if nothing is heard.
    pub fn rests(&self) -> Duration {
        let now = self.now();
        let pause = self.pause.map(|(until, _)| until);
        let due = self.shared().pending.wake_at().into_iter().chain(self.settling.wake_at());
        // Without a root, what is in doubt waits for one.
        let due = due.min().filter(|_| self.root.is_some());
        let due = due.map(|at| at.max(pause.unwrap_or_default()));
        let look = self.looked.map_or(now, |at| at + LOOK);
        let pause = pause.filter(|until| *until > now);
        due.into_iter().chain(pause).fold(look, Moment::min).saturating_sub(now)
    }

    /// Tells that the watch ends, and what it leaves to the next.
    pub fn end(&self, voice: &mut dyn Voice) {
        let pending = self.shared().pending.len() as u64;
        emit(voice, &WatchEnded { cloud: self.settings.cloud.to_string(), pending });
    }

    /// Looks whether the root is still the one that is listened to, and listens to what came.
    pub fn look(&mut self, ground: &Ground<'_>, voice: &mut dyn Voice) {
        let now = self.now();
        if self.looked.is_none_or(|at| now >= at + LOOK) {
            self.looked = Some(now);
            self.look_at_root(ground, voice);
            self.look_at_approvals(now);
        }
        let came = std::mem::take(&mut self.shared().came);
        if let Some(ears) = self.ears.as_ref().filter(|_| !came.is_empty())
            && let Ok(root) = Dir::open(&self.settings.source)
        {
            came.iter().for_each(|folder| ears.listen_below(&root, folder));
        }
    }

    fn look_at_root(&mut self, ground: &Ground<'_>, voice: &mut dyn Voice) {
        let here = RootId::now(&self.settings.source);
        if here == self.root {
            return;
        }
        self.ears = None;
        (self.full_at, self.is_behind, self.pause) = (None, true, None);
        self.root = here;
        if let Some(root) = self.root.clone() {
            self.listen(&root, ground, voice);
        }
    }

    fn listen(&mut self, root: &RootId, ground: &Ground<'_>, voice: &mut dyn Voice) {
        let (shared, bell, began) = (self.shared.clone(), self.bell.clone(), self.began);
        let hear = move |heard: Heard| {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if let Heard::Folder(path) = &heard {
                shared.came.push(path.clone());
            }
            shared.pending.hear(heard, began.elapsed());
            drop(shared);
            bell.ring();
        };
        let hears_all = Dir::open(&root.path).is_ok_and(|dir| volume::hears_changes(&dir));
        match Ears::new(&root.path, &self.settings.excludes, hear) {
            Ok(ears) => {
                self.ears = Some(ears);
                self.by = if hears_all { By::Notification } else { By::Both };
            }
            Err(problem) => {
                self.by = By::Polling;
                self.tell_limit(problem, voice);
            }
        }
        self.poll_at = self.now() + ground.poll;
        let told = WatchStarted {
            cloud: self.settings.cloud.to_string(),
            source: root.path.as_path().into(),
            by: self.by,
            again: self.was_watched,
            full_scan_s: ground.full_scan.as_secs(),
            poll_s: (self.by != By::Notification).then_some(ground.poll.as_secs()),
        };
        emit(voice, &told);
        self.was_watched = true;
    }

    fn tell_limit(&mut self, problem: Problem, voice: &mut dyn Voice) {
        if !std::mem::replace(&mut self.limit_told, true) {
            voice.problem(problem);
        }
    }

    /// What was refused is in doubt again once its plan is approved.
    fn look_at_approvals(&mut self, now: Moment) {
        let Some(held) = &self.held else { return };
        let folder = self.settings.state.of_cloud(&self.settings.device, &self.settings.cloud);
        let plans = folder.and_then(|folder| Plans::of(&folder).all()).unwrap_or_default();
        let is_approved =
            plans.iter().any(|p| Some(&p.id) == held.plan.as_ref() && p.approved.is_some());
        if is_approved && let Some(held) = self.held.take() {
            self.shared().pending.doubt(held.folders, now);
        }
    }

    /// Does what is due; true if there was anything.
    pub fn work(&mut self, ground: &Ground<'_>, voice: &mut dyn Voice) -> bool {
        let now = self.now();
        if self.pause.is_some_and(|(until, _)| now < until) {
            return false;
        }
        if self.full_at.is_none_or(|at| ground.clock.now() >= at) {
            self.full(ground, voice);
            return true;
        }
        // Without a root there is nothing to look at; that it is gone was told.
        if self.root.is_none() {
            return false;
        }
        self.doubt_what_is_due(now, ground);
        let is_due = self.shared().pending.is_due(now);
        if is_due && RootId::now(&self.settings.source) != self.root {
            // What was heard is that it left: then there is nothing else to be looked at.
            self.looked = None;
            return true;
        }
        if is_due {
            let batch = self.shared().pending.take(now);
            self.batch(batch, ground, voice);
        }
        is_due
    }

    /// Polls, files that are to be tried again, and those that may be settled by now.
    fn doubt_what_is_due(&mut self, now: Moment, ground: &Ground<'_>) {
        let settled = self.settling.due(now);
        self.shared().pending.doubt(settled, now);
        if let Some((_, folders, _)) = self.again.as_ref().filter(|(at, ..)| *at <= now) {
            let folders = folders.clone();
            self.shared().pending.doubt(folders, now);
            self.again = self.again.take().map(|(_, folders, n)| (Moment::MAX, folders, n));
        }
        if now >= self.poll_at {
            self.poll_at = now + ground.poll;
            let unheard = self.unheard();
            self.shared().pending.doubt(unheard, now);
        }
    }

    /// The folders whose changes are not heard of.
    fn unheard(&self) -> Folders {
        match (&self.ears, self.by) {
            (Some(ears), By::Notification) => ears.deaf(),
            _ => everything(),
        }
    }

    fn full(&mut self, ground: &Ground<'_>, voice: &mut dyn Voice) {
        let batch = self.shared().pending.take(self.now());
        let next = SignedDuration::try_from(ground.full_scan).unwrap_or(SignedDuration::MAX);
        let Some(ended) = self.run(Scope::Everything, &batch, ground, voice) else { return };
        let is_made =
            matches!(ended.finished.outcome, Outcome::Done | Outcome::Partial | Outcome::Refused);
        // A source that comes is looked at whole when it does.
        if is_made || is_missing(&ended) {
            self.full_at = ground.clock.now().checked_add(next).ok();
        }
        self.after(Batch { folders: everything(), ..batch }, true, ended, voice);
        if let Some(count) = self.ears.as_ref().map(Ears::count) {
            ground.service.status(&format!("watching {count} folders of {}", self.settings.cloud));
        }
        let deaf = self.ears.as_ref().map(|ears| ears.deaf().len()).unwrap_or_default();
        if deaf > 0 {
            let what = format!(
                "{deaf} folders can't be listened to, and are looked at every {:?}",
                ground.poll
            );
            self.tell_limit(
                Problem::new(Code::WatchLimit, what).at(self.settings.source.as_path()),
                voice,
            );
        }
    }

    fn batch(&mut self, batch: Batch, ground: &Ground<'_>, voice: &mut dyn Voice) {
        let now = self.now();
        let recent = self.held.take_if(|held| now < held.since + BELONGS_TOGETHER);
        if let Some(held) = recent {
            let mut both = Batch { folders: held.folders.clone(), ..batch.clone() };
            both.folders.merge(batch.folders.clone());
            let Some(ended) = self.run_in(&both, ground, voice) else { return };
            if ended.finished.outcome != Outcome::Refused {
                return self.after(both, false, ended, voice);
            }
            // Together they are refused; what came now may be fine by itself.
            self.held = Some(Held { plan: ended.finished.plan, ..held });
        }
        let held = self.held.take();
        if let Some(ended) = self.run_in(&batch, ground, voice) {
            self.after(batch, false, ended, voice);
        }
        self.held = merged(held, self.held.take());
        self.poll_at = self.poll_at.max(self.now() + (self.now() - now) * POLL_SHARE);
    }

    fn run_in(
        &mut self,
        batch: &Batch,
        ground: &Ground<'_>,
        voice: &mut dyn Voice,
    ) -> Option<Ended> {
        self.run(Scope::Folders(batch.folders.clone()), batch, ground, voice)
    }

    /// One run; `None` if the space is away, and what was to be done is kept.
    fn run(
        &mut self,
        scope: Scope,
        batch: &Batch,
        ground: &Ground<'_>,
        voice: &mut dyn Voice,
    ) -> Option<Ended> {
        let space = match (ground.prove)() {
            Ok(space) => space,
            Err(problem) => {
                self.defer(&scope, batch, problem, voice);
                return None;
            }
        };
        let is_full = scope == Scope::Everything;
        let settings = Settings {
            scope,
            unsettled: batch.unsettled.clone(),
            run: voice.next_run(),
            ..self.settings.clone()
        };
        let listen = |folder: &RelPath| {
            if let Some(ears) = &self.ears {
                ears.listen_to(folder);
            }
        };
        let machine = Machine {
            space: Ok(space),
            clock: ground.clock,
            stop: ground.stop,
            before_listing: Some(&listen),
        };
        let unheard = self.unheard();
        let was_heard = |path: &RelPath| {
            let folder = path.split().map_or_else(RelPath::root, |(folder, _)| folder);
            let known = batch.folders.covers(&folder, false) || unheard.covers(&folder, false);
            known || self.shared().pending.mentions(path)
        };
        let alive = || ground.service.alive();
        let asks = is_full && !self.is_behind;
        let cloud = settings.cloud.as_str();
        let mut ear = Ear::new(voice, cloud, &alive, if asks { Some(&was_heard) } else { None });
        let ended = run(&settings, &machine, &mut ear);
        if let Some(missed) = ear.missed.take() {
            let event = emit(voice, &missed);
            let space = machine.space.as_ref().ok();
            let (state, device) = (&settings.state, &settings.device);
            // It was told here; whoever reads the spool has the run's own figure.
            let _ = spool::publish(&[event], state, device, space, ground.clock);
        }
        voice.flush();
        Some(ended)
    }

    /// Keeps what can't be done now; says so once.
    fn defer(&mut self, scope: &Scope, batch: &Batch, problem: Problem, voice: &mut dyn Voice) {
        if self.pause.is_none() {
            let folders = scope.is_partial().then(|| batch.folders.len() as u64);
            let cloud = self.settings.cloud.to_string();
            emit(voice, &WatchDeferred { cloud, problem, folders });
            voice.flush();
        }
        self.wait_longer();
        self.shared().pending.doubt(batch.folders.clone(), self.now());
    }

    /// What a run could not do is in doubt still.
    fn put_off(&mut self, folders: Folders, ended: &Ended, voice: &mut dyn Voice) {
        // A source that is configured may come yet; one that was just typed is a slip.
        let waits = is_missing(ended) && (self.was_watched || !self.settings.by_hand);
        let is_unfit = ended.exit == Exit::Usage && !waits;
        self.unfit = self.unfit.or(is_unfit.then_some(Exit::Usage));
        let busy = ended.finished.problem.as_ref().filter(|problem| problem.code == Code::Locked);
        if let Some(problem) = busy.filter(|_| self.pause.is_none()) {
            let (cloud, problem) = (self.settings.cloud.to_string(), problem.clone());
            emit(voice, &WatchDeferred { cloud, problem, folders: Some(folders.len() as u64) });
            voice.flush();
        }
        self.wait_longer();
        self.shared().pending.doubt(folders, self.now());
    }

    fn wait_longer(&mut self) {
        let length = self.pause.map_or(FIRST_PAUSE, |(_, length)| length * 2).min(LONGEST_PAUSE);
        self.pause = Some((self.now() + length, length));
    }

    /// Draws the conclusions of a run.
    fn after(&mut self, batch: Batch, is_full: bool, ended: Ended, voice: &mut dyn Voice) {
        match ended.finished.outcome {
            Outcome::Done | Outcome::Partial => {
                self.pause = None;
                if is_full {
                    (self.is_behind, self.held) = (false, None);
                }
                self.wait_if_unsettled(&batch, &ended);
                self.try_again_if_needed(&batch, &ended);
            }
            Outcome::Refused => {
                self.pause = None;
                let (since, plan) = (self.now(), ended.finished.plan);
                self.held = Some(Held { folders: batch.folders, since, plan });
            }
            // A full scan that could not be made stays due by itself.
            Outcome::Deferred | Outcome::Failed | Outcome::Stopped => {
                let folders = if is_full { Folders::new() } else { batch.folders };
                self.put_off(folders, &ended, voice);
            }
        }
    }

    /// What an inbox was left with is looked at again when it may be settled.
    fn wait_if_unsettled(&mut self, batch: &Batch, ended: &Ended) {
        let (Some(inbox), Some(totals)) = (&self.settings.inbox, &ended.finished.totals) else {
            return;
        };
        let brought = totals.stored + totals.consumed > 0;
        let when = (self.now(), inbox.settle.duration());
        self.settling.ran(&batch.folders, totals.unsettled > 0, brought, when);
    }

    /// What failed for single files is tried again a few times, and then left to the full scans.
    fn try_again_if_needed(&mut self, batch: &Batch, ended: &Ended) {
        let failed = ended.finished.totals.as_ref().is_some_and(|totals| totals.failed > 0);
        let before = self.again.take();
        if !failed {
            self.again = before.filter(|(at, ..)| *at != Moment::MAX);
            return;
        }
        let tries = before.as_ref().map_or(0, |(_, _, tries)| *tries);
        let Some(pause) = TRIES.get(tries) else { return };
        let mut folders = before.map(|(_, folders, _)| folders).unwrap_or_default();
        folders.merge(batch.folders.clone());
        self.again = Some((self.now() + *pause, folders, tries + 1));
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The root and all below it.
fn everything() -> Folders {
    std::iter::once((RelPath::root(), true)).collect()
}

/// True if there was no such folder, and nothing known of one.
fn is_missing(ended: &Ended) -> bool {
    ended.finished.problem.as_ref().is_some_and(|problem| problem.code == Code::SourceMissing)
}

/// Two refusals are one.
fn merged(one: Option<Held>, other: Option<Held>) -> Option<Held> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.folders.merge(other.folders);
            Some(Held { folders: one.folders, ..other })
        }
        (one, other) => one.or(other),
    }
}
