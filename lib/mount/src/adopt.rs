//! Adoption: a directory becomes a pillar, and this device remembers which volume that is.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use host::clock::Clock;
use host::error::Meaning;
use host::lock::{self, Lock, Taken};
use host::{Dir, mounts, publish};
use model::problem::{Code, Problem};
use model::sentinel::{Pillar, SENTINEL_NAME, Sentinel};
use store::state::State;
use uuid::Uuid;

use crate::event::Adopted;
use crate::judge::{self, Answer};
use crate::look::{self, Folder, Look};
use crate::pins::{Pin, Pins};
use crate::probe::Prober;

/// Permission bits of a sentinel: every user of the volume must be able to read it.
pub const SENTINEL_MODE: u32 = 0o644;

const LOCK: &str = "pins.lock";
const WAIT: Duration = Duration::from_secs(5);

/// A directory that is to be a pillar.
#[derive(Clone, Debug)]
pub struct Adoption<'a> {
    /// The directory.
    pub dir: &'a Path,
    /// Which pillar.
    pub pillar: Pillar,
    /// True if it may lie on a disk of this machine, without a mount of its own.
    pub local: bool,
    /// True if it takes the place of another volume that is pinned.
    pub repin: bool,
    /// The id that the configuration demands.
    pub configured: Option<Uuid>,
}

/// Writes the sentinel if there is none, and pins the volume's id in the state.
///
/// Doing it again changes nothing. A sentinel that is there is never overwritten.
///
/// # Errors
/// [`Code::Usage`] when there is no such directory, [`Code::AdoptRefused`] when it is not
/// to be adopted, [`Code::SpaceStale`] when it does not answer, [`Code::Locked`] when
/// another adoption is at work, else what writing met.
pub fn adopt(
    request: &Adoption<'_>,
    state: &State,
    prober: &Prober,
    clock: &dyn Clock,
) -> Result<Adopted, Problem> {
    let path = first_look(request, prober)?;
    let _lock = hold(state)?;
    let mut pins = Pins::load(state.root())?;
    let dir = Dir::open(&path).map_err(store::device::away)?;
    let found = sentinel_in(&dir, request)?;
    let former = pins.get(request.pillar).cloned();
    let pinned = former.as_ref().map(|pin| pin.id).filter(|_| !request.repin);
    check_id(request, found.as_ref(), pinned)?;
    let (sentinel, written) = match found {
        Some(sentinel) => (sentinel, false),
        None => write_sentinel(&dir, request, clock)?,
    };
    let pin = Pin::new(sentinel.id, &path, request.local, clock.now());
    if !former.as_ref().is_some_and(|former| former.same_as(&pin)) {
        pins.set(request.pillar, pin);
        pins.save(state)?;
    }
    Ok(Adopted {
        pillar: request.pillar,
        path: path.as_path().into(),
        id: sentinel.id,
        local: request.local,
        written,
        former: former.map(|pin| pin.id).filter(|id| *id != sentinel.id),
    })
}

/// The directory's path without links, once a child found it there, answering, and a mount where it must be one.
fn first_look(request: &Adoption<'_>, prober: &Prober) -> Result<PathBuf, Problem> {
    let dir = std::path::absolute(request.dir).map_err(|e| usage(request, &e.to_string()))?;
    match prober.look(&dir) {
        Answer::Look(Look::Folder(folder)) => check_mount(request, &folder),
        Answer::Look(Look::Missing) => Err(usage(request, "no such directory")),
        Answer::Look(Look::NotFolder) => Err(usage(request, "not a directory")),
        Answer::Look(Look::Forbidden(why)) => {
            Err(usage(request, &format!("can't be opened: {why}")))
        }
        Answer::Look(Look::Failed(why)) | Answer::Nothing(why) => Err(stale(request, &why)),
        Answer::TimedOut => Err(stale(request, "it does not answer within the deadline")),
    }
}

fn check_mount(request: &Adoption<'_>, folder: &Folder) -> Result<PathBuf, Problem> {
    let path = PathBuf::from(&*host::name::os(folder.path.as_bytes()));
    if request.local {
        return Ok(path);
    }
    let table = mounts::table().map_err(store::device::away)?;
    if !judge::is_mount_point(judge::mount_of(&table, folder), &path) {
        return Err(refused(
            request,
            "it is not a mount point",
            "mount it first; if the directory is on this machine's own disk, say --local",
        ));
    }
    Ok(path)
}

fn sentinel_in(dir: &Dir, request: &Adoption<'_>) -> Result<Option<Sentinel>, Problem> {
    let Look::Folder(folder) = look::of(dir) else {
        return Err(stale(request, "it does not answer well"));
    };
    match judge::parse(&folder.sentinel) {
        None => Ok(None),
        Some(Ok(sentinel)) if sentinel.pillar == request.pillar => Ok(Some(sentinel)),
        Some(Ok(sentinel)) => Err(refused(
            request,
            &format!("it is {}, not {}", sentinel.pillar, request.pillar),
            "choose another directory, or say which --pillar it is",
        )),
        Some(Err(why)) => Err(refused(
            request,
            &format!("its sentinel is broken: {why}"),
            "restore .phc-space.json from a backup or another device's pin; it is never overwritten",
        )),
    }
}

/// Refuses a volume that is not the one that configuration or pin demand.
fn check_id(
    request: &Adoption<'_>,
    found: Option<&Sentinel>,
    pinned: Option<Uuid>,
) -> Result<(), Problem> {
    let seen = found.map_or("it has no sentinel".to_owned(), |s| format!("its volume is {}", s.id));
    let id = found.map(|sentinel| sentinel.id);
    match (request.configured, pinned) {
        (Some(wanted), _) if id != Some(wanted) => Err(refused(
            request,
            &format!("{seen}, but the configuration says {wanted}"),
            "mount the right volume, or mend the pillar's id in phc.toml",
        )),
        (None, Some(wanted)) if id != Some(wanted) => Err(refused(
            request,
            &format!("{seen}, but {wanted} is pinned"),
            "mount the right volume; --repin if the change is meant",
        )),
        _ => Ok(()),
    }
}

/// Writes a fresh sentinel, or takes the one that somebody else wrote meanwhile; true if it is ours.
fn write_sentinel(
    dir: &Dir,
    request: &Adoption<'_>,
    clock: &dyn Clock,
) -> Result<(Sentinel, bool), Problem> {
    let id = host::id::random();
    let sentinel = Sentinel { schema: 1, pillar: request.pillar, id, created: clock.now() };
    let mut text = serde_json::to_vec_pretty(&sentinel).unwrap_or_default();
    text.push(b'\n');
    match publish::create(dir, SENTINEL_NAME.as_bytes(), &text, SENTINEL_MODE) {
        Err(e) if e.meaning() != Meaning::Exists => Err(store::device::away(e)),
        // What counts is what everybody reads there from now on.
        _ => match sentinel_in(dir, request)? {
            Some(sentinel) => Ok((sentinel.clone(), sentinel.id == id)),
            None => Err(stale(request, "the sentinel vanished")),
        },
    }
}

/// The lock on the pins; adoptions are short, so another one is waited for.
fn hold(state: &State) -> Result<Lock, Problem> {
    let path = state.root().join(LOCK);
    let who = format!("phc-mount adopt, process {}", std::process::id());
    let end = Instant::now() + WAIT;
    loop {
        match lock::take(&path, &who).map_err(store::state::unusable)? {
            Taken::Held(lock) => return Ok(lock),
            Taken::Busy(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            Taken::Busy(holder) => {
                let holder = holder.unwrap_or_else(|| "somebody".to_owned());
                let what = format!("{holder} changes the pins");
                return Err(Problem::new(Code::Locked, what).at(path.as_path()));
            }
        }
    }
}

fn usage(request: &Adoption<'_>, what: &str) -> Problem {
    Problem::new(Code::Usage, format!("can't adopt: {what}"))
        .at(request.dir)
        .hint("name the directory that is the pillar's root")
}

fn refused(request: &Adoption<'_>, what: &str, hint: &str) -> Problem {
    Problem::new(Code::AdoptRefused, format!("not adopted: {what}")).at(request.dir).hint(hint)
}

fn stale(request: &Adoption<'_>, what: &str) -> Problem {
    Problem::new(Code::SpaceStale, format!("not adopted: {what}")).at(request.dir)
}
