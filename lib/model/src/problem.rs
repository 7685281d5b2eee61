//! Problems: what went wrong, where, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::text::Text;

/// Something that went wrong, as a value.
///
/// Survivable ones are emitted and the run goes on; one that ends a run is its error.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Problem {
    /// Its kind; the heading in the runbook.
    pub code: Code,
    /// What was attempted and what is wrong, one line.
    pub what: String,
    /// The file, share or program it happened to.
    #[serde(rename = "where")]
    pub place: Option<Text>,
    /// What to do.
    pub hint: String,
}

impl Problem {
    /// A problem with its code's usual hint.
    pub fn new(code: Code, what: impl Into<String>) -> Problem {
        Problem { code, what: what.into(), place: None, hint: code.hint().to_owned() }
    }

    /// The same problem, at a place.
    pub fn at(self, place: impl Into<Text>) -> Problem {
        Problem { place: Some(place.into()), ..self }
    }

    /// The same problem with a hint of its own.
    pub fn hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: hint.into(), ..self }
    }

    /// The exit code of a run that this problem ended.
    pub fn exit(&self) -> Exit {
        self.code.exit()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(place) = &self.place {
            write!(f, ": {place}")?;
        }
        write!(f, " [{}]", self.code.name())?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal, $exit:ident, $hint:literal;)+) => {
        /// The kinds of problems; each is a heading in the runbook.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Code {
            /// Every code, in the order of the runbook.
            pub const ALL: &[Code] = &[$(Code::$variant),+];

            /// The name that JSON and the runbook use.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// The exit code of a run that a problem of this kind ended.
            pub fn exit(self) -> Exit {
                match self { $(Code::$variant => Exit::$exit,)+ }
            }

            /// What to do about it, as far as the kind alone tells.
            pub fn hint(self) -> &'static str {
                match self { $(Code::$variant => $hint,)+ }
            }
        }
    };
}

codes! {
    /// A flag, argument or combination that makes no sense.
    Usage, "usage", Usage, "see --help";
    /// The configuration can't be read or contradicts itself.
    Config, "config", Usage, "mend the configuration; phc-health config --check tells where";
    /// The source root does not exist.
    SourceMissing, "source-missing", Usage, "check the path, or that the cloud client is signed in";
    /// The source root exists and may not be read.
    SourceUnreadable, "source-unreadable", Usage, "grant the user read access to it";
    /// Source and target contain each other, or the source is itself a copy or the toolkit's own state.
    Loop, "loop", Usage, "choose a source that lies outside the space and outside the state";
    /// A file or folder below the source may not be read.
    EntryUnreadable, "entry-unreadable", Partial, "grant the user read access; nothing below it is taken for deleted";
    /// Another program holds a file of the source, or is writing it.
    EntryBusy, "entry-busy", Partial, "close the program that holds it; the next run tries it again";
    /// The content of a file is elsewhere, and its cloud's client did not bring it in.
    EntryNotDelivered, "entry-not-delivered", Partial, "look whether its client is signed in and online; the next run tries it again";
    /// Reading a file of the source failed.
    EntryFailing, "entry-failing", Partial, "look at the kernel's messages: the source's disk, or its client's file system, fails";
    /// The space refuses one file or folder, though not others.
    EntryUnstorable, "entry-unstorable", Partial, "look at what lies under that name in the space, and who may write there";
    /// A file changed each time it was read.
    ChangedWhileRead, "changed-while-read", Partial, "it is tried again by the next run; close the program that writes it";
    /// A name that the target can't hold.
    NameUnrepresentable, "name-unrepresentable", Partial, "rename it in the source";
    /// A copy's content is not what the manifest says.
    CopyDamaged, "copy-damaged", Partial, "the next run stores it anew from its source; if its source is gone, restore it from a backup";
    /// A copy that the manifest knows is gone from the space.
    CopyMissing, "copy-missing", Partial, "the next run stores it again from its source; if its source is gone, restore it from a backup";
    /// A copy was damaged or missing and could be made again.
    CopyRepaired, "copy-repaired", Done, "nothing; look after the disk if it happens again";
    /// A file of the source has another content under unchanged facts.
    SourceRot, "source-rot", Partial, "compare it with the copy: phc-ingest history PATH; look after the disk that holds the source";
    /// Copies were not read within the period that is promised.
    VerifyBehind, "verify-behind", Partial, "run phc-ingest verify --rolling more often, or raise [verify] rate or period";
    /// Something has the name that is to be restored.
    TargetExists, "target-exists", Partial, "give another folder with --to, or replace it with --force";
    /// A version that was asked for is not there any more.
    VersionGone, "version-gone", Partial, "phc-ingest history PATH tells which versions there are; look in a backup for this one";
    /// A file in the copy that the manifest does not know.
    CopyStranger, "copy-stranger", Partial, "move it out of the devices folder; only the toolkit writes there";
    /// A line of the catalog can't be read.
    CatalogDamaged, "catalog-damaged", Partial, "the next run announces what the manifest knows; restore the catalog from a backup if the manifest is lost too";
    /// The manifest could not be used and was rebuilt.
    ManifestRebuilt, "manifest-rebuilt", Done, "nothing; every file is read once again";
    /// The space does not hold what this device published last.
    SpaceRolledBack, "space-rolled-back", Done, "nothing, if /space was restored from a backup; every copy is compared again";
    /// The source root is empty although files of it are known.
    RootEmpty, "root-empty", Refused, "check that the cloud client is signed in; if it is meant, approve the plan";
    /// The source root is gone although files of it are known.
    RootGone, "root-gone", Refused, "check that the cloud client is signed in and its folder is where it was";
    /// The source root may not be read although files of it are known.
    RootUnreadable, "root-unreadable", Refused, "grant the user read access to it";
    /// The source root lies on another volume than before.
    RootOtherVolume, "root-other-volume", Refused, "mount the right volume; if the move is meant, approve the plan";
    /// The source root is another account's than before.
    RootOtherAccount, "root-other-account", Refused, "sign in to the former account, or set enabled = false for this cloud where the new one has its own; if it is meant, approve the plan";
    /// Another folder stands in the source root's place, with next to nothing of the files that are known.
    RootReplaced, "root-replaced", Refused, "check that the cloud client is signed in to the right account; if it is meant, approve the plan";
    /// The plan removes or rewrites more than a guard lets through.
    GuardExceeded, "guard-exceeded", Refused, "look at the plan; if it is meant: phc-ingest approve PLAN, then run again";
    /// Another machine owns the device folder of this name.
    DeviceTaken, "device-taken", Refused, "give this machine another name with --host, or remove the other's _device.json if the machine is gone";
    /// A directory that is not to be adopted: no mount, another volume, a broken sentinel.
    AdoptRefused, "adopt-refused", Refused, "adopt the directory that is the pillar's real root";
    /// The space is not there.
    SpaceAway, "space-away", TryLater, "mount it; the next run goes on where this one ended";
    /// The directory has no sentinel or was never adopted by this device.
    SpaceUnadopted, "space-unadopted", TryLater, "phc-mount adopt DIR, if it is the real one";
    /// The directory carries another volume's sentinel.
    SpaceForeign, "space-foreign", TryLater, "mount the right volume; phc-mount adopt --repin DIR if the change is meant";
    /// The space is mounted from elsewhere, or with another file system, than configured.
    SpaceWrongMount, "space-wrong-mount", TryLater, "mount the configured share there";
    /// The space can't be written.
    SpaceReadOnly, "space-read-only", TryLater, "look at the server's kernel log; a file system that met errors turns read-only";
    /// The space answers no longer within the deadline.
    SpaceStale, "space-stale", TryLater, "the server is away or hangs; unmount and mount again";
    /// The space is full, or fuller than `min_free` allows.
    SpaceFull, "space-full", TryLater, "make room: phc-ingest expire --dry-run shows what _trash holds";
    /// Another run of the same job is at work.
    Locked, "locked", TryLater, "wait for it to end";
    /// Changes of some folders, or of all, can't be heard of.
    WatchLimit, "watch-limit", Done, "nothing is missed: what can't be heard is looked at now and then; on Linux raise fs.inotify.max_user_watches";
    /// The state folder can't be used.
    StateUnusable, "state-unusable", Failed, "make the state folder writable, or name another with --state";
    /// The device's clock can't be right.
    ClockWrong, "clock-wrong", Refused, "set the clock";
    /// A read, write or system call failed.
    Io, "io", Failed, "look at the disk's and the kernel's messages";
    /// A program that was run failed.
    Child, "child", Failed, "look at its message";
    /// An event is not valid.
    EventInvalid, "event-invalid", Usage, "mend the program that wrote it; phc-spool(5) has the form";
    /// A segment failed too often for one consumer.
    SegmentDead, "segment-dead", Partial, "phc-spool dead shows why; phc-spool dead --retry gives it another try";
    /// Events wait in the outbox for the space to come back.
    OutboxWaiting, "outbox-waiting", Partial, "nothing; they are delivered when the space is back";
    /// Something is older than was promised.
    Overdue, "overdue", Partial, "look at the job's last run";
    /// A former version or plan that was asked for is not there.
    NotFound, "not-found", Usage, "check the name";
}

#[cfg(test)]
mod tests {
    use super::{Code, Problem};

    #[test]
    fn json_names_and_code_names_are_the_same() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }

    #[test]
    fn a_problem_reads_as_one_line_with_its_place_and_what_to_do() {
        let p = Problem::new(Code::SourceMissing, "no such source").at("/home/u/iCloud");
        assert_eq!(
            p.to_string(),
            "no such source: /home/u/iCloud [source-missing]; check the path, or that the cloud client is signed in"
        );
    }
}
