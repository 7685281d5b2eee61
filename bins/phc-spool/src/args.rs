//! The command line of `phc-spool`.

use std::ffi::OsString;

use clap::{Args as Arguments, Parser, Subcommand};
use cli::Common;
use model::config::Period;
use model::device::Device;
use store::spool::SegmentId;
use store::spool::consumer::ConsumerName;

const ABOUT: &str = "\
Carries the events by which the other programs know of each other. An event is made safe in the \
outbox, in this machine's state, and delivered from there into the device's spool below /space as \
soon as that is there and proven to be the real one. With /space away nothing is lost and nobody \
has to wait for it.

Who reads is a named consumer. Each takes every segment at least once and at its own pace, so what \
it does must do no harm when it is done twice. phc-spool(5) describes the files.";

const EXAMPLES: &str = "\
Examples:
  Say something, and see where it lies:
    echo '{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/me\",\"type\":\"me.said\"}' | phc-spool put
    phc-spool list
  Give every new segment to a program, from a timer:
    phc-spool read --consumer log --exec sh -c 'cat >> \"$HOME/events.jsonl\"'
  Take events through a pipe, and say afterwards that they are done:
    phc-spool read --consumer mail --expand > new.jsonl && phc-spool ack --consumer mail
  See what could not be done, and try it again:
    phc-spool dead
    phc-spool dead --consumer log --retry
";

/// Carries the events by which the other programs know of each other
#[derive(Parser, Debug)]
#[command(name = "phc-spool", version, about, long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct Args {
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
    /// Stores events from stdin, one JSON object a line; all of them or none
    Put,
    /// Lists the segments in the outbox and in the spools
    ///
    /// With -v, files that are no segments are named as well; nothing ever reads them.
    List(List),
    /// Takes the segments that a consumer has not finished
    ///
    /// With --exec, the command gets a segment's events on stdin. Its exit 0 or 1 finishes
    /// the segment, 75 and 3 let it wait, anything else is a failure and tried again later;
    /// after some failures the segment is dead for this consumer. Without --exec, the
    /// events go to stdout, each with the attribute "segment", and "phc-spool ack"
    /// finishes them.
    Read(Read),
    /// Finishes what a consumer read
    Ack(Ack),
    /// Delivers what waits in the outbox
    Flush,
    /// Removes segments that are old and that every consumer finished
    ///
    /// It runs on the server, for all devices. A consumer that was not seen for a month
    /// holds nothing any more.
    Prune(Prune),
    /// Lists the consumers and how far they are
    Consumers,
    /// Lists what is dead for the consumers on this machine, with the reason
    Dead(Dead),
}

/// What `list` takes.
#[derive(Arguments, Debug)]
pub struct List {
    /// Only this device's spool
    #[arg(long, value_name = "HOST/USER")]
    pub device: Option<Device>,
}

/// What `read` takes.
#[derive(Arguments, Debug)]
pub struct Read {
    /// Who reads
    #[arg(long, value_name = "NAME")]
    pub consumer: ConsumerName,
    /// Go on until stopped by a signal
    #[arg(long)]
    pub follow: bool,
    /// Turn the event of a batch into those of its files, from the catalog
    #[arg(long)]
    pub expand: bool,
    /// Only this device's events; a consumer keeps to what it began with
    #[arg(long, value_name = "HOST/USER")]
    pub device: Option<Device>,
    /// How long a segment stays taken; a command that runs longer is killed
    #[arg(long, value_name = "PERIOD", default_value = "15m", value_parser = lease)]
    pub lease: Period,
    /// How long to wait after a first failure; longer after each further one
    #[arg(long, value_name = "PERIOD", default_value = "10s")]
    pub backoff: Period,
    /// Give each segment to this command; all that follows belongs to it
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true)]
    pub exec: Vec<OsString>,
}

/// What `ack` takes.
#[derive(Arguments, Debug)]
pub struct Ack {
    /// Who read
    #[arg(long, value_name = "NAME")]
    pub consumer: ConsumerName,
    /// What to finish, dead ones included; by default all that is taken at the moment
    #[arg(value_name = "SEGMENT")]
    pub segments: Vec<SegmentId>,
}

/// What `prune` takes.
#[derive(Arguments, Debug)]
pub struct Prune {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

/// What `dead` takes.
#[derive(Arguments, Debug)]
pub struct Dead {
    /// Only for this consumer
    #[arg(long, value_name = "NAME")]
    pub consumer: Option<ConsumerName>,
    /// Give what is listed another try
    #[arg(long)]
    pub retry: bool,
}

fn lease(text: &str) -> Result<Period, String> {
    let period: Period = text.parse().map_err(|e| format!("{e}"))?;
    let sane = Period::seconds(1)..=Period::hours(24);
    if sane.contains(&period) {
        Ok(period)
    } else {
        Err("it is 1s at least and 24h at most".into())
    }
}
