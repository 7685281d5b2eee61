//! The command line of `phc-ingest`.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand};
use cli::Common;
use model::cloud::CloudId;
use model::config::{Share, Size};
use model::device::Device;

/// Brings what OS clouds hold into the space, one way, fast, without loops
#[derive(Parser, Debug)]
#[command(name = "phc-ingest", version, about, after_long_help = EXAMPLES)]
pub struct Args {
    /// What can be typed at every program
    #[command(flatten)]
    pub common: Common,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  Which clouds does this user have?
    phc-ingest discover
  Bring all of them in, or a folder under a name of its own:
    phc-ingest run
    phc-ingest run --source ~/Documents --cloud documents
  What would a run do?
    phc-ingest plan --cloud icloud --format human -v
  A run was refused, and the plan is meant:
    phc-ingest status
    phc-ingest approve PLAN
  What is only in the cloud, and bring 5 GB of it in:
    phc-ingest deferred
    phc-ingest run --hydrate 5GB
  Bring in every change as it is made:
    phc-ingest watch
  What was in that file on Monday?
    phc-ingest history ~/Documents/letter.txt
    phc-ingest restore ~/Documents/letter.txt --at 2026-11-23 --to /tmp
  Which file is this copy of?
    phc-ingest name /space/devices/akira/sam/icloud/what%3F~5e2a7b1c.txt
  Is every copy what was stored?
    phc-ingest verify --sample 10%
";

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Tells which cloud roots this user has on this machine
    Discover,
    /// Brings clouds in, each in a run of its own
    ///
    /// Without --cloud, every cloud that is configured or discovered. A run that would
    /// remove or rewrite too much is refused: exit 3, nothing is touched, and the plan's
    /// id is in the last event.
    Run(Run),
    /// Brings in what changes as it changes, until it is stopped
    ///
    /// Without --cloud, every cloud that is configured or discovered when it starts. It
    /// makes a full run at its start and once a day ([ingest] full_scan), and reports what
    /// it had not been told of in between. A file is brought in once its writer closed it.
    /// Where the system does not tell of changes, it looks every minute ([ingest] poll).
    Watch(Clouds),
    /// Tells what a run would do, and touches nothing
    Plan(Clouds),
    /// Lets a refused plan through, once, within 24 hours
    ///
    /// It passes any plan whose removals and rewrites are among the approved ones.
    Approve {
        /// The plan's id, or its beginning
        #[arg(value_name = "PLAN")]
        plan: String,
    },
    /// Reads copies again and holds them against the digests that were kept
    ///
    /// A copy of this device that is damaged or missing is made again from its source, from
    /// _trash or from an equal copy, and told; the damaged one goes to _trash. Where nothing
    /// has its content, the next run reads its source again.
    Verify(Verify),
    /// Tells what is known of each cloud, from this machine's state alone
    Status {
        /// Only this cloud
        #[arg(long, value_name = "ID")]
        cloud: Vec<CloudId>,
    },
    /// Lists files whose content is only in the cloud, what waited longest first
    ///
    /// They are never opened, unless run --hydrate asks for it. A copy of them that was
    /// stored earlier stays.
    Deferred {
        /// Only this cloud
        #[arg(long, value_name = "ID")]
        cloud: Vec<CloudId>,
    },
    /// Tells a file's life, the newest first: stored, replaced, renamed, gone, and where each version lies now
    ///
    /// PATH is the file in its source, its copy in the space, or a path below a cloud.
    History(Which),
    /// Gives back a file or folder as it was stored last, or as it was at a time
    ///
    /// PATH is as for history. It goes to a folder elsewhere, under its own name, with its
    /// times, permissions and extended attributes (a folder with its last times and
    /// permissions); nothing is ever written below a source.
    Restore(Restore),
    /// Lists equal content across this user's clouds and within each, and what of it is stored once
    Duplicates {
        /// Leave out copies below this size
        #[arg(long, value_name = "SIZE", default_value = "1")]
        min_size: Size,
    },
    /// Tells where a file's copy lies, or which file a copy is of
    ///
    /// PATH is one of the source or of the copy: absolute, or relative to either. A name
    /// that no manifest knows is told as a copy would be called where the target can't
    /// hold all names.
    Name {
        /// Only this cloud
        #[arg(long, value_name = "ID")]
        cloud: Vec<CloudId>,
        /// A path, or a name alone
        #[arg(value_name = "PATH", required = true)]
        path: Vec<PathBuf>,
    },
    /// Destroys former versions in _trash that the policy no longer keeps
    ///
    /// The one command that destroys. It is refused when too much would go at once.
    Expire {
        /// Touch nothing, only tell
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which clouds.
#[derive(Group, Clone, Debug)]
pub struct Clouds {
    /// Only this cloud; with --source, the name it gets
    #[arg(long, value_name = "ID")]
    pub cloud: Vec<CloudId>,
    /// The source root, in place of the configured or discovered one
    #[arg(long, value_name = "DIR", requires = "cloud")]
    pub source: Option<PathBuf>,
}

/// Which file or folder.
#[derive(Group, Clone, Debug)]
pub struct Which {
    /// The file or folder
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Only of this cloud
    #[arg(long, value_name = "ID")]
    pub cloud: Option<CloudId>,
    /// Of another device, by its catalog
    #[arg(long, value_name = "HOST/USER")]
    pub device: Option<Device>,
}

/// What is restored, and where to.
#[derive(Group, Clone, Debug)]
pub struct Restore {
    /// Which file or folder
    #[command(flatten)]
    pub which: Which,
    /// As it was then: a time, a date (its beginning, in UTC), or how long ago, such as 3d
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// The folder that gets it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub to: PathBuf,
    /// Replace files of the same name there
    #[arg(long)]
    pub force: bool,
    /// Touch nothing, only tell
    #[arg(long)]
    pub dry_run: bool,
}

/// How clouds are brought in.
#[derive(Group, Clone, Debug)]
pub struct Run {
    /// Which ones
    #[command(flatten)]
    pub clouds: Clouds,
    /// Touch nothing, only tell; the same as plan
    #[arg(long)]
    pub dry_run: bool,
    /// Bring in up to so many bytes of what is only in the cloud, what waited longest first
    ///
    /// A size such as 5GB; in place of hydrate in phc.toml. What can't be had is reported
    /// and stays deferred. 0 brings in nothing.
    #[arg(long, value_name = "BUDGET")]
    pub hydrate: Option<Size>,
}

/// What is verified.
#[derive(Group, Clone, Debug)]
pub struct Verify {
    /// Only this cloud
    #[arg(long, value_name = "ID")]
    pub cloud: Vec<CloudId>,
    /// Read only such a share of the copies, others each time
    #[arg(long, value_name = "N%", default_value = "100%")]
    pub sample: Share,
    /// Another device's copies, against its catalog; only where the space is local
    #[arg(long, value_name = "HOST/USER", conflicts_with = "all")]
    pub device: Option<Device>,
    /// Every device's copies, against their catalogs; only where the space is local
    #[arg(long)]
    pub all: bool,
    /// Read this device's sources as well: a disk may change a file and none of its facts
    #[arg(long)]
    pub source: bool,
    /// Read today's share, so that each copy is read once within `[verify] period`; only where the space is local
    #[arg(long, conflicts_with_all = ["sample", "source"])]
    pub rolling: bool,
    /// Only tell; damaged and missing copies stay as they are
    #[arg(long)]
    pub no_repair: bool,
}
