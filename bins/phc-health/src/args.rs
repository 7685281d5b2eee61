//! The command line of `phc-health`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use cli::Common;

const ABOUT: &str = "\
Gathers what is known of this device: whether its pillars are the real ones, when its clouds were \
brought in, what waits in its outbox. Judges that against the promises in phc.toml(5), and keeps \
the judgement in the state and, when /space is there, in the device's folder as _status.json.

Each part is ok, warn (wants a look), critical (wants a hand) or unknown. What could not be asked \
is unknown, and unknown is never ok.";

const EXAMPLES: &str = "\
Examples:
  Judge this device, and look at the judgement:
    phc-health collect
    phc-health show
  Bring clouds in, and let the outcome be judged at once:
    phc-ingest run --format json | phc-health record -
  Validate a configuration before it is rolled out:
    phc-health config --check --config phc.toml
";

/// Judges this device against what the configuration promises, and shows it
#[derive(Parser, Debug)]
#[command(name = "phc-health", version, about, long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// The options of all programs.
    #[command(flatten)]
    pub common: Common,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Gathers what is, judges it, and replaces the device's status
    Collect,
    /// Shows the latest status; with --format json the file as it is
    Show,
    /// Reads events, keeps how runs of phc-ingest ended, then collects
    Record(Record),
    /// Validates the configuration, on any machine
    Config(Config),
}

/// What `record` takes.
#[derive(Args, Debug)]
pub struct Record {
    /// A file of events, one a line; - is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    pub input: PathBuf,
}

/// What `config` takes.
#[derive(Args, Debug)]
pub struct Config {
    /// Tell each error with its file and line, or the files that were read
    #[arg(long, required = true)]
    pub check: bool,
}
