//! The work of a run: facts, plan, guard, apply, announce.

mod approve;
mod hydrate;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use host::Dir;
use host::barrier::Barrier;
use host::clock::Clock;
use host::error::Meaning;
use jiff::{SignedDuration, Timestamp};
use model::emit::{Emit, Progress};
use model::event::Draft;
use model::ingest::{Action, FilePlanned, Totals};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::approvals::{EntryDigest, KeptPlan, Plans};
use store::catalog::Catalog;
use store::manifest::{Applied as WasApplied, Manifest};
use store::space::SpaceRoot;
use store::{device, layout};
use uuid::Uuid;

use crate::announce::{self, Announced};
use crate::apply::{self, Applied, Counters, CutOff, Ground, Trash};
use crate::attributes::Attributes;
use crate::guard;
use crate::inbox::{self, Arrivals};
use crate::known::{self, Known};
use crate::patience::Patience;
use crate::plan::{PlanLog, Reading, Tally, refine};
use crate::run::{Done, Machine, point};
use crate::scan::{Found, Racy, Scan, scan};
use crate::scope::Scope;
use crate::settings::Settings;
use crate::share::Sharing;
use crate::source::{self, Source};
use crate::teller::Teller;
use crate::{parallel, recover, rollback};

/// What is to be done once the run's events are safe.
#[derive(Debug)]
pub(crate) struct After {
    manifest: Manifest,
    announced: Announced,
}

impl After {
    /// Forgets what was announced.
    pub fn forget(
        mut self,
        settings: &Settings,
        space: &SpaceRoot,
        clock: &dyn Clock,
    ) -> Result<(), Problem> {
        let cloud = settings.cloud.as_str();
        let catalog =
            Catalog::open(space, &settings.device, &settings.cloud).map_err(device::away)?;
        let keep = settings.keep_increments;
        announce::forget(&mut self.manifest, &catalog, cloud, &self.announced, keep, clock)
    }
}

/// Does the work; whatever ends it is in the result.
pub(crate) fn work(
    settings: &Settings,
    machine: &Machine<'_>,
    folder: &Path,
    started: Timestamp,
    teller: &mut Teller<'_>,
) -> Done {
    let work = Work { settings, machine, folder, started, distrusted: false };
    let done = work.once(teller);
    let unusable = done.problem.as_ref().is_some_and(|p| p.code == Code::StateUnusable);
    if unusable && known::is_broken(folder) {
        // Damage inside a manifest shows when it is met; what was done until then is in the copies.
        return Work { distrusted: true, ..work }.once(teller);
    }
    done
}

struct Work<'a> {
    settings: &'a Settings,
    machine: &'a Machine<'a>,
    folder: &'a Path,
    started: Timestamp,
    /// True if the manifest was found broken in mid-run.
    distrusted: bool,
}

/// Both sides of a run; there is no copy yet in a cloud's first dry run.
#[derive(Clone, Copy)]
struct Sides<'a> {
    source: &'a Source,
    copy: Option<&'a Dir>,
}

/// A plan that was made and judged.
struct Judged {
    log: PlanLog,
    tally: Tally,
    approval: Option<KeptPlan>,
}

impl Work<'_> {
    fn once(&self, teller: &mut Teller<'_>) -> Done {
        let mut done = Done::default();
        if let Err(problem) = self.all(&mut done, teller) {
            done.problem = Some(problem);
        }
        done
    }

    fn all(&self, done: &mut Done, teller: &mut Teller<'_>) -> Result<(), Problem> {
        let settings = self.settings;
        let source =
            source::open(&settings.source).map_err(|problem| self.of_known_root(problem))?;
        let space = self.machine.space.as_ref().map_err(Clone::clone)?;
        let source = inbox::without_loops(source, space, settings)?;
        if !settings.dry_run {
            device::claim(space, &settings.device, &settings.state, self.machine.clock)?;
        }
        let copy = self.copy_root(space)?;
        let folder = self.folder;
        let mut known = known::open(
            settings,
            folder,
            self.distrusted,
            space,
            copy.as_ref(),
            self.started,
            teller,
        )?;
        if !settings.dry_run {
            known.manifest.begin_run(settings.run, self.started)?;
            if let Some(copy) = &copy {
                let cut_off = self.cut_off(space, &known.manifest)?;
                inbox::remember(&known.manifest, settings)?;
                recover::recover(&mut known.manifest, copy, &cut_off, self.machine.stop)?;
                if known.reconcile && source.arrivals.is_none() {
                    rollback::explain(&mut known, copy, self.started, self.machine.stop)?;
                }
            }
        }
        point("ingest.recovered")?;
        let result = self.with_known(&source, space, copy.as_ref(), &mut known, done, teller);
        if settings.dry_run {
            return result;
        }
        let finished = self.finish(space, known, &source, done, teller, result.is_ok());
        // What ended the work outranks what its end met.
        result.and(finished)
    }

    /// A root that can't be opened is a refusal when files of it are known, and wrong usage when none are.
    fn of_known_root(&self, problem: Problem) -> Problem {
        let code = match problem.code {
            Code::SourceMissing => Code::RootGone,
            Code::SourceUnreadable => Code::RootUnreadable,
            _ => return problem,
        };
        let is_known =
            known::anything(self.settings, self.folder, self.machine.space.as_ref().ok());
        // A hint that knows which grant is missing is the better one.
        let is_usual = problem.hint == problem.code.hint();
        let hint = if is_usual { code.hint().to_owned() } else { problem.hint.clone() };
        if is_known { Problem { code, hint, ..problem } } else { problem }
    }

    /// The cloud's folder in the space; in a dry run it is not made.
    fn copy_root(&self, space: &SpaceRoot) -> Result<Option<Dir>, Problem> {
        let path = layout::cloud(&self.settings.device, &self.settings.cloud);
        match space.dir().beneath(&path) {
            Ok(dir) => Ok(Some(dir)),
            Err(e) if e.meaning() == Meaning::Missing && self.settings.dry_run => Ok(None),
            Err(e) if e.meaning() == Meaning::Missing => {
                space.dir().make_beneath(&path, layout::FOLDER_MODE).map(Some).map_err(device::away)
            }
            Err(e) => Err(device::away(e)),
        }
    }

    fn with_known(
        &self,
        source: &Source,
        space: &SpaceRoot,
        copy: Option<&Dir>,
        known: &mut Known,
        done: &mut Done,
        teller: &mut Teller<'_>,
    ) -> Result<(), Problem> {
        let log = PlanLog::new(self.folder);
        let began_ns = i64::try_from(self.machine.clock.now().as_nanosecond()).unwrap_or(i64::MAX);
        let found = self.scan(Sides { source, copy }, known, &log, teller)?;
        let totals = done.totals.insert(found.totals.clone());
        for problem in &found.problems {
            teller.problem(problem.clone());
        }
        if !self.settings.dry_run && !found.seen.is_empty() {
            known.manifest.remember_seen(&found.seen)?;
        }
        point("ingest.scanned")?;
        if self.machine.stop.asked() {
            return Ok(());
        }
        let mut judged =
            self.judge(Sides { source, copy }, known, &found, log, &mut done.plan, teller)?;
        point("ingest.planned")?;
        if self.settings.dry_run {
            return Ok(());
        }
        let Some(copy) = copy else { return Ok(()) };
        let place = Place { source, space, copy, began_ns, fetches: false };
        self.apply(&mut judged, place, known, totals, teller)?;
        self.hydrate(place, known, totals, teller)?;
        inbox::empty(source, copy, &known.manifest, (self.settings, self.machine), totals, teller)?;
        match judged.approval {
            Some(plan) if !self.machine.stop.asked() => Plans::of(self.folder).spend(&plan),
            _ => Ok(()),
        }
    }

    fn scan(
        &self,
        sides: Sides<'_>,
        known: &Known,
        log: &PlanLog,
        teller: &mut Teller<'_>,
    ) -> Result<Found, Problem> {
        let readers = known.manifest.readers();
        let looked_at = AtomicU64::new(0);
        let what = Scan {
            source: &sides.source.dir,
            manifest: &readers,
            scope: self.scope(sides.source, known)?,
            unsettled: &self.settings.unsettled,
            target: known.target,
            excludes: &self.settings.excludes,
            before_listing: self.machine.before_listing,
            reconcile: sides.copy.filter(|_| {
                known.reconcile && !sides.source.arrivals.is_some_and(Arrivals::in_place)
            }),
            wants_copies: sides.source.arrivals.is_some_and(|a| !a.in_place()),
            threads: parallel::threads(!sides.source.fine_stamps),
            stop: self.machine.stop,
            looked_at: &looked_at,
        };
        scan(&what, log, &mut || {
            let files = looked_at.load(Ordering::Relaxed);
            teller.progress(&Progress { doing: "looking", files, ..Progress::default() });
        })
    }

    /// What is looked at: everything, where folders in doubt alone would leave out what must be seen.
    fn scope(&self, source: &Source, known: &Known) -> Result<&Scope, Problem> {
        let whole = known.reconcile || known.is_new || self.other_root(source, known)?.is_some();
        Ok(if whole { &Scope::Everything } else { &self.settings.scope })
    }

    fn judge(
        &self,
        sides: Sides<'_>,
        known: &Known,
        found: &Found,
        mut log: PlanLog,
        plan: &mut Option<String>,
        teller: &mut Teller<'_>,
    ) -> Result<Judged, Problem> {
        let applied = self.applied(known)?;
        let moved = known.volume.is_some()
            && sides.source.volume.is_some()
            && known.volume != sides.source.volume;
        let arrivals = sides.source.arrivals;
        if arrivals.is_some_and(|arrivals| !arrivals.in_place()) {
            log = inbox::only_arrivals(log)?;
        }
        // An inbox ends empty by design: only another volume is a reason to ask.
        let other_root = match arrivals {
            Some(_) => None,
            None => self.other_root(sides.source, known)?,
        };
        let judged = |log: &PlanLog| arrivals.map_or_else(|| log.tally(), |_| Tally::default());
        let tally = judged(&log);
        let mut known_files = 0;
        let root_is_empty = found.root_is_empty && arrivals.is_none();
        let facts = |tally, known_files| guard::Facts {
            tally,
            known_files,
            applied,
            root_is_empty,
            moved,
            other_root: other_root.as_ref(),
        };
        if guard::asks_how_many(&facts(&tally, known_files), &self.settings.guard) {
            (known_files, ..) = known.manifest.reader()?.counts()?;
        }
        // What another root has in common with the former one, only its content tells.
        let read_candidates = (other_root.is_some() && tally.rewrites > 0)
            || guard::exceeds_caps(&facts(&tally, known_files), &self.settings.guard);
        let reader = known.manifest.reader()?;
        let buried = Some(&reader).filter(|_| tally.stores > 0);
        let buried = if reader.has_buried()? { buried } else { None };
        let may_be_renamed = tally.stores > 0 && (tally.gone > 0 || buried.is_some());
        if read_candidates || tally.with_links > 0 || may_be_renamed {
            let how = Reading {
                source: &sides.source.dir,
                copy: sides.copy,
                threads: parallel::threads(!sides.source.fine_stamps),
                stop: self.machine.stop,
                read_candidates,
            };
            log = refine(log, &how, buried, &mut || {
                teller.progress(&Progress { doing: "reading", ..Progress::default() });
            })?;
        }
        if self.settings.dry_run {
            // A plan that is refused is the one to look at.
            self.print(&mut log, teller)?;
        }
        let tally = log.tally();
        let verdict = guard::judge(&facts(&judged(&log), known_files), &self.settings.guard);
        let volume = sides.source.volume.as_deref().filter(|_| moved).map(approve::volume_digest);
        let root = other_root.is_some().then(|| self.root_identity(sides.source).digest());
        let moves: Vec<EntryDigest> = volume.into_iter().chain(root).collect();
        let approval = self.let_through(verdict, &mut log, &moves, plan)?;
        Ok(Judged { log, tally, approval })
    }

    /// What runs of the guard's window destroyed, this one's included.
    fn applied(&self, known: &Known) -> Result<WasApplied, Problem> {
        let window = SignedDuration::try_from(self.settings.guard.window.duration())
            .unwrap_or(SignedDuration::MAX);
        let since = self.started.saturating_sub(window).unwrap_or(Timestamp::MIN);
        Ok(known.manifest.applied_since(since)?)
    }

    fn apply(
        &self,
        judged: &mut Judged,
        place: Place<'_>,
        known: &mut Known,
        totals: &mut Totals,
        teller: &mut Teller<'_>,
    ) -> Result<(), Problem> {
        if judged.tally.is_nothing() {
            return Ok(());
        }
        let settings = self.settings;
        let barrier = Barrier::for_writes_in(place.copy).map_err(device::away)?;
        let counters = Counters::default();
        let trash = |run| self.trash_of(run, self.started);
        if judged.approval.is_some() {
            known.manifest.note_outcome(settings.run, recover::APPROVED)?;
        }
        let attributes = Attributes::new(&settings.keep_xattrs);
        let ground = Ground {
            source: &place.source.dir,
            copy: place.copy,
            trash: Trash {
                root: place.space.dir(),
                of_run: trash(settings.run),
                of_run_again: trash(apply::again(settings.run)),
                of_cut_off: self.cut_off(place.space, &known.manifest)?,
                sync_each: barrier.is_each(),
            },
            barrier: &barrier,
            readers: known.manifest.readers(),
            attributes: &attributes,
            racy: Racy::window(place.source.fine_stamps),
            began_ns: place.began_ns,
            run: settings.run,
            arrivals: place.source.arrivals,
            on_gone: settings.on_gone,
            stop: self.machine.stop,
            clock: self.machine.clock,
            counters: &counters,
            patience: &Patience::default(),
            fetches: place.fetches,
            temporaries: AtomicU64::new(0),
            threads: parallel::threads(barrier.is_each()),
        };
        let how = Applied {
            cloud: settings.cloud.as_str(),
            approved: judged.approval.is_some(),
            min_free: settings.min_free,
            tally: judged.tally.clone(),
            sharing: Sharing::new(place.space, &settings.state, &settings.device, &settings.cloud),
        };
        let applied =
            apply::apply(&ground, &how, &mut judged.log, &mut known.manifest, totals, teller);
        totals.unsettled += counters.unsettled();
        if let Some(dropped) = attributes.told(settings.cloud.as_str()) {
            teller.tell(Draft::of(&dropped));
        }
        applied
    }

    /// Where a run that began then puts things away.
    fn trash_of(&self, run: Uuid, since: Timestamp) -> RelPath {
        layout::trash_of_run(&self.settings.device, since, run, &self.settings.cloud)
    }

    fn cut_off<'s>(
        &self,
        space: &'s SpaceRoot,
        manifest: &Manifest,
    ) -> Result<CutOff<'s>, Problem> {
        recover::cut_off(manifest, space, &self.settings.device, &self.settings.cloud)
    }

    /// Announces what is committed, also when the work ended early, and notes the run's end.
    fn finish(
        &self,
        space: &SpaceRoot,
        known: Known,
        source: &Source,
        done: &mut Done,
        teller: &mut Teller<'_>,
        went_well: bool,
    ) -> Result<(), Problem> {
        let settings = self.settings;
        let manifest = known.manifest;
        // A run that was stopped may not have judged what is another volume or root.
        if went_well && !self.machine.stop.asked() {
            if let Some(volume) = &source.volume {
                manifest.set_meta("volume", volume)?;
            }
            self.root_identity(source).remember(&manifest)?;
        }
        manifest.set_meta("space", &space.id().to_string())?;
        known::remember_owner(&manifest, settings)?;
        known::remember_root(&manifest, settings)?;
        let outcome = if went_well { recover::WORKED } else { "ended early" };
        manifest.end_run(settings.run, self.machine.clock.now(), outcome)?;
        let catalog =
            Catalog::open(space, &settings.device, &settings.cloud).map_err(device::away)?;
        let place = inbox::place(source, layout::cloud(&settings.device, &settings.cloud));
        let announced =
            announce::publish(&manifest, &catalog, settings.cloud.as_str(), place.as_ref())?;
        if known.reconcile && went_well && !self.machine.stop.asked() {
            announce::tell_all_again(&manifest, &catalog, settings.cloud.as_str())?;
        }
        for event in &announced.events {
            teller.tell(Draft::of(event));
        }
        for event in &announced.arrived {
            teller.tell(Draft::of(event));
        }
        done.after = Some(After { manifest, announced });
        Ok(())
    }

    /// A dry run's plan, as events.
    fn print(&self, log: &mut PlanLog, teller: &mut Teller<'_>) -> Result<(), Problem> {
        let cloud = self.settings.cloud.as_str();
        for part in log.read()? {
            let part = part?;
            for item in &part.items {
                let planned = FilePlanned {
                    cloud: cloud.to_owned(),
                    path: part.path.join(&item.name),
                    action: item.action(),
                    size: Some(item.size),
                    from: item.from().cloned(),
                };
                teller.event(Draft::of(&planned));
            }
            for deferral in &part.deferrals {
                let Some(what) = &deferral.what else { continue };
                let planned = FilePlanned {
                    cloud: cloud.to_owned(),
                    path: part.path.join(&deferral.name),
                    action: Action::Defer,
                    size: what.size,
                    from: None,
                };
                teller.event(Draft::of(&planned));
            }
        }
        Ok(())
    }
}

/// Where a plan is applied.
#[derive(Clone, Copy)]
struct Place<'a> {
    source: &'a Source,
    space: &'a SpaceRoot,
    copy: &'a Dir,
    began_ns: i64,
    /// True if opening brings in what is only in the cloud.
    fetches: bool,
}
