//! Floor 3: what all programs share at their edge.
//!
//! [`args`] is what was typed and [`settings`] what it means here; [`output`] is the one
//! place that prints; [`program`] turns what came of it into an exit code; [`manual`]
//! writes the program's page from the same tables that `--help` reads. A program is
//!
//! ```text
//! fn main() -> ExitCode {
//!     cli::main(run)
//! }
//!
//! fn run(args: Args) -> Result<Exit, Problem> {
//!     let settings = cli::Settings::resolve(&args.common)?;
//!     let mut output = cli::Output::new(&settings, "spool", cli::words::plain);
//!     let exit = engine::work(&mut output)?;
//!     Ok(output.end(exit))
//! }
//! ```

pub mod args;
mod bar;
mod configs;
pub mod figures;
pub mod manual;
mod mdoc;
pub mod output;
pub mod program;
pub mod settings;
mod stdout;
pub mod words;

pub use args::Common;
pub use output::Output;
pub use program::{main, stop_on_signals};
pub use settings::{Environment, Settings};
