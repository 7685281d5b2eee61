//! What the facts about a directory mean: a pure function from expectation, mount table and look to a state.

use std::path::Path;

use host::mounts::{self, Mount};
use model::problem::{Code, Problem};
use model::sentinel::Sentinel;
use serde::{Deserialize, Serialize};

use crate::expect::Expected;
use crate::look::{Folder, Found, Look};
use crate::origin::Origin;

macro_rules! states {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal, $hint:literal;)+) => {
        /// What a pillar's directory is found to be; each is a heading in the runbook.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum State {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl State {
            /// Every state, in the order of the runbook.
            pub const ALL: &[State] = &[$(State::$variant),+];

            /// The name that JSON and the runbook use.
            pub fn name(self) -> &'static str {
                match self { $(State::$variant => $name,)+ }
            }

            /// What to do about it.
            pub fn hint(self) -> &'static str {
                match self { $(State::$variant => $hint,)+ }
            }
        }
    };
}

states! {
    /// The real one, and it answers.
    Healthy, "healthy", "";
    /// Nobody said where it is on this host.
    Skipped, "skipped", "phc-mount adopt DIR, or name it in phc.toml, if this host is to have it";
    /// The directory is there, empty, and nothing is mounted on it.
    NotMounted, "not-mounted", "mount it; with --local if the directory is on this machine's own disk";
    /// There is no such directory.
    NoMountPoint, "no-mount-point", "make the directory and mount it there, or mend the path";
    /// Nothing is mounted, but there are files in the bare directory.
    Shadow, "shadow", "look at what was written there while the mount was away, move it aside, then mount";
    /// It does not answer, or only with errors.
    Stale, "stale", "the server is away or hangs; umount -l DIR, then mount it again";
    /// This user may not look into it.
    Forbidden, "forbidden", "give the user access, or run as the user who mounted it";
    /// It can only be read.
    ReadOnly, "read-only", "look at the server's kernel log; a file system that met errors turns read-only";
    /// It is mounted from another server or share than configured.
    WrongSource, "wrong-source", "unmount it and mount the configured share";
    /// It has another file system than configured.
    WrongType, "wrong-type", "unmount it and mount the configured share, or mend fs_type";
    /// Something else is mounted on the same directory as well.
    OverMounted, "over-mounted", "unmount the upper one: findmnt DIR lists both";
    /// It is another pillar's volume.
    WrongVolume, "wrong-volume", "mount the right volume there";
    /// It has no sentinel.
    NoSentinel, "no-sentinel", "phc-mount adopt DIR, if it is the real one and new";
    /// It has a sentinel, and nobody adopted it yet.
    Unadopted, "unadopted", "phc-mount adopt DIR, if it is the real one";
    /// Its sentinel is another volume's, or broken.
    ForeignSentinel, "foreign-sentinel", "mount the right volume; phc-mount adopt --repin DIR if the change is meant";
}

/// The judgement of one pillar's directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// What it is found to be.
    pub state: State,
    /// What was seen, one line.
    pub message: String,
    /// What to do; empty when nothing is to be done.
    pub hint: &'static str,
    /// The kind of problem that keeps it from being used; `None` when it is proven.
    pub code: Option<Code>,
    /// Its sentinel, if it has a good one.
    pub sentinel: Option<Sentinel>,
}

impl Verdict {
    fn new(state: State, code: Code, message: impl Into<String>) -> Verdict {
        let message = message.into();
        Verdict { state, message, hint: state.hint(), code: Some(code), sentinel: None }
    }

    /// The same verdict for who only reads: that it can't be written speaks against nothing.
    pub fn to_read(self) -> Verdict {
        match self.state {
            // Told last, so everything else is proven.
            State::ReadOnly => Verdict { code: None, ..self },
            _ => self,
        }
    }

    /// The problem that keeps the directory from being used; `None` when it is proven.
    pub fn problem(&self, path: &Path) -> Option<Problem> {
        let code = self.code?;
        Some(Problem::new(code, self.message.clone()).at(path).hint(self.hint))
    }
}

/// What a probe brought back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A look at the directory.
    Look(Look),
    /// Nothing within the deadline.
    TimedOut,
    /// No answer at all; why.
    Nothing(String),
}

/// Judges a directory.
///
/// The mount table must have been read after the look, since looking may mount (autofs).
pub fn judge(expected: &Expected, table: &[Mount], answer: &Answer) -> Verdict {
    let folder = match folder_of(answer) {
        Ok(folder) => folder,
        Err(verdict) => return verdict,
    };
    let at = At::new(table, folder);
    let bad = at
        .mount_fault(expected)
        .or_else(|| at.sentinel_fault(expected))
        .or_else(|| at.write_fault());
    let sentinel = parse(&folder.sentinel).and_then(Result::ok);
    let verdict = bad.unwrap_or_else(|| at.good());
    Verdict { sentinel, ..verdict }
}

fn folder_of(answer: &Answer) -> Result<&Folder, Verdict> {
    let (state, code, message) = match answer {
        Answer::Look(Look::Folder(folder)) => return Ok(folder),
        Answer::Look(Look::Missing) => {
            (State::NoMountPoint, Code::SpaceAway, "no such directory".to_owned())
        }
        Answer::Look(Look::NotFolder) => {
            (State::NoMountPoint, Code::SpaceAway, "not a directory".to_owned())
        }
        Answer::Look(Look::Forbidden(why)) => {
            (State::Forbidden, Code::SpaceAway, format!("can't be opened: {why}"))
        }
        Answer::Look(Look::Failed(why)) => {
            (State::Stale, Code::SpaceStale, format!("does not answer well: {why}"))
        }
        Answer::TimedOut => {
            (State::Stale, Code::SpaceStale, "does not answer within the deadline".to_owned())
        }
        Answer::Nothing(why) => {
            (State::Stale, Code::SpaceStale, format!("could not be probed: {why}"))
        }
    };
    Err(Verdict::new(state, code, message))
}

/// What to do with a directory that nobody adopted and that is no mount.
const NEW: &str =
    "mount it; phc-mount adopt --local DIR, if it is a folder of this machine's own disk";

/// A directory and the mount that it lies on.
struct At<'a> {
    folder: &'a Folder,
    path: std::path::PathBuf,
    mount: Option<&'a Mount>,
    /// Another mount on the same directory, of another folder.
    below: Option<&'a Mount>,
}

/// The mount of a directory: by the id that the kernel gave, else by path.
pub fn mount_of<'a>(table: &'a [Mount], folder: &Folder) -> Option<&'a Mount> {
    let path = host::name::os(folder.path.as_bytes());
    match folder.mount_id {
        Some(id) => table.iter().find(|mount| mount.id == id),
        None => mounts::covering(table, Path::new(&*path)),
    }
}

/// True if a directory is the root of a mount, other than the system's own root.
pub fn is_mount_point(mount: Option<&Mount>, path: &Path) -> bool {
    let real = |m: &&Mount| m.point == path && m.fs_type != "autofs";
    path != Path::new("/") && mount.filter(real).is_some()
}

impl<'a> At<'a> {
    fn new(table: &'a [Mount], folder: &'a Folder) -> At<'a> {
        let path = std::path::PathBuf::from(&*host::name::os(folder.path.as_bytes()));
        let mount = mount_of(table, folder);
        let same_folder = |a: &Mount, b: &Mount| a.device == b.device && a.root == b.root;
        let other = |m: &&Mount| {
            m.point == path
                && m.fs_type != "autofs"
                && mount.is_some_and(|top| !same_folder(m, top))
        };
        At {
            folder,
            mount,
            below: table.iter().find(other).filter(|_| is_mount_point(mount, &path)),
            path,
        }
    }

    fn mount_fault(&self, expected: &Expected) -> Option<Verdict> {
        if !expected.local && !is_mount_point(self.mount, &self.path) {
            return Some(self.bare(expected));
        }
        let mount = self.mount?;
        let types = &expected.fs_types;
        if !types.is_empty() && !types.contains(&mount.fs_type) {
            let what = format!("its file system is {}, not {}", mount.fs_type, types.join(" or "));
            return Some(self.wrong(State::WrongType, what));
        }
        let wanted = expected.origin.as_ref()?;
        if Origin::parse(&mount.source).is_some_and(|origin| origin.is(wanted)) {
            return None;
        }
        Some(self.wrong(
            State::WrongSource,
            format!("it is mounted from {}, not {wanted}", mount.source),
        ))
    }

    /// A directory on which nothing is mounted, though something should be.
    fn bare(&self, expected: &Expected) -> Verdict {
        let (empty, whole) =
            ("nothing is mounted there", "nothing is mounted there, but files lie in it");
        let sentinel = matches!(parse(&self.folder.sentinel), Some(Ok(_)));
        let (state, message) = match (expected.id, self.folder.empty) {
            (None, _) if sentinel => (State::Unadopted, "it is no mount, and nobody adopted it"),
            (_, Some(true)) => (State::NotMounted, empty),
            _ => (State::Shadow, whole),
        };
        match expected.id {
            Some(_) => Verdict::new(state, Code::SpaceAway, message),
            None => Verdict { hint: NEW, ..Verdict::new(state, Code::SpaceUnadopted, message) },
        }
    }

    fn wrong(&self, state: State, what: String) -> Verdict {
        match self.below {
            Some(below) => Verdict::new(
                State::OverMounted,
                Code::SpaceWrongMount,
                format!("{what}; {} is mounted beneath", below.source),
            ),
            None => Verdict::new(state, Code::SpaceWrongMount, what),
        }
    }

    fn sentinel_fault(&self, expected: &Expected) -> Option<Verdict> {
        let foreign =
            |what: String| Some(Verdict::new(State::ForeignSentinel, Code::SpaceForeign, what));
        match (parse(&self.folder.sentinel), expected.id) {
            (Some(Ok(s)), _) if s.pillar != expected.pillar => {
                let what = format!("it is {}, not {}", s.pillar, expected.pillar);
                Some(Verdict::new(State::WrongVolume, Code::SpaceForeign, what))
            }
            (Some(Ok(s)), Some(id)) if s.id == id => None,
            (Some(Ok(s)), Some(id)) => foreign(format!("its volume is {}, not {id}", s.id)),
            (Some(Ok(_)), None) => {
                Some(Verdict::new(State::Unadopted, Code::SpaceUnadopted, "nobody adopted it yet"))
            }
            (Some(Err(why)), _) => foreign(format!("its sentinel is broken: {why}")),
            (None, _) => {
                Some(Verdict::new(State::NoSentinel, Code::SpaceUnadopted, "it has no sentinel"))
            }
        }
        .map(|verdict| self.over(verdict))
    }

    /// The same verdict, or that another mount hides what was looked for.
    fn over(&self, verdict: Verdict) -> Verdict {
        match self.below {
            Some(below) => {
                let message = format!("{}; {} is mounted beneath", verdict.message, below.source);
                let state = State::OverMounted;
                Verdict { state, message, hint: state.hint(), ..verdict }
            }
            None => verdict,
        }
    }

    fn write_fault(&self) -> Option<Verdict> {
        let read_only = self.folder.read_only || self.mount.is_some_and(|mount| mount.read_only);
        read_only.then(|| Verdict::new(State::ReadOnly, Code::SpaceReadOnly, "it can only be read"))
    }

    fn good(&self) -> Verdict {
        let (state, message) = match self.below {
            Some(below) => {
                (State::OverMounted, format!("it is the real one, mounted over {}", below.source))
            }
            None => (State::Healthy, "it is the real one".to_owned()),
        };
        Verdict { state, message, hint: state.hint(), code: None, sentinel: None }
    }
}

/// The sentinel that was found; `None` where there is none, an error where it is broken.
pub fn parse(found: &Found) -> Option<Result<Sentinel, String>> {
    match found {
        Found::Nothing => None,
        Found::Text(text) => Some(Sentinel::parse(text)),
        Found::Unreadable(why) => Some(Err(why.clone())),
    }
}

#[cfg(test)]
mod tests;
