//! The command line of `phc-mount`.

use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand};
use cli::Common;
use model::sentinel::Pillar;

/// Makes the backplane be where it should be, proves that it is the real one, and says so
#[derive(Parser, Debug)]
#[command(name = "phc-mount", version, about, after_long_help = EXAMPLES)]
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
  Make a folder on this machine's own disk its space:
    mkdir -p ~/space
    phc-mount adopt --local ~/space
  Is everything where it should be?
    phc-mount status
";

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Makes a directory a pillar, and remembers on which volume it is
    ///
    /// A sentinel is written if there is none, and its id is pinned in the state. A
    /// sentinel that is there is never overwritten.
    Adopt(Adopt),
    /// Says what stands in each pillar's place, and whether it is the real one
    ///
    /// With --space it judges that one directory. Nothing is written.
    Status,
}

/// What `adopt` takes.
#[derive(Arguments, Debug)]
pub struct Adopt {
    /// The directory lies on a disk of this machine and need not be a mount
    #[arg(long)]
    pub local: bool,
    /// Pin this volume in place of another one that is pinned
    #[arg(long)]
    pub repin: bool,
    /// Which pillar it is: flux, space or time
    #[arg(long, value_name = "PILLAR", default_value = "space")]
    pub pillar: Pillar,
    /// The pillar's root
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}
