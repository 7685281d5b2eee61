//! What can be typed at every program. Nothing here looks at the host.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The options of all programs, as they were typed.
///
/// What they mean on this host is [`Settings::resolve`](crate::Settings::resolve)'s to say.
#[derive(Args, Clone, PartialEq, Eq, Debug, Default)]
#[command(next_help_heading = "Options of all programs")]
pub struct Common {
    /// Read this configuration instead of the user's or the system's
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The directory that is /space on this machine
    #[arg(long, global = true, value_name = "DIR")]
    pub space: Option<PathBuf>,

    /// The folder of the toolkit's own state on this machine
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// This host's name, in place of the system's
    #[arg(long, global = true, value_name = "NAME")]
    pub host: Option<String>,

    /// The user's name, in place of the system's; services are "system"
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,

    /// How stdout speaks
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,

    /// Say more; per file once, more with each repetition
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Say nothing but what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// How stdout speaks, as it was typed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Words on a terminal, JSON lines elsewhere
    #[default]
    Auto,
    /// Words for people
    Human,
    /// Events as JSON lines
    Json,
}
