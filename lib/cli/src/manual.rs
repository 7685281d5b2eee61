//! A program's manual page and completions, from the tables that `--help` reads.
//!
//! The page is mdoc(7), one for a program with all its commands. What all pages share
//! (exit codes, files, references) is written here once.

use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;
use model::exit::Exit;
use model::problem::{Code, Problem};

use crate::mdoc::Page;

/// The day of the release whose pages these are, as mdoc(7) wants it.
const DATE: &str = "November 23, 2026";

/// The toolkit's pages, in the order of SEE ALSO: by section, then by name.
const PAGES: [(&str, &str); 8] = [
    ("phc-health", "1"),
    ("phc-ingest", "1"),
    ("phc-mount", "1"),
    ("phc-spool", "1"),
    ("phc-manifest", "5"),
    ("phc-spool", "5"),
    ("phc.toml", "5"),
    ("phc", "7"),
];

/// What every program reads from the environment.
const VARIABLES: [(&str, &str); 5] = [
    ("PHC_CONFIG", "The configuration, unless --config names it."),
    ("PHC_STATE_DIR", "The folder of the state, unless --state names it."),
    ("PHC_HOST", "This host's name, unless --host gives it."),
    ("PHC_USER", "The user's name, unless --user gives it."),
    ("NO_COLOR", "Set to anything, it keeps colours away."),
];

/// What every program reads or keeps.
const FILES: [(&str, &str); 4] = [
    (
        "~/.config/phc/phc.toml",
        "The user's configuration; ~/Library/Application Support/phc on macOS, %LOCALAPPDATA%\\phc on Windows.",
    ),
    ("/etc/phc/phc.toml", "The system's configuration, where the user has none."),
    ("phc.d/*.toml", "Drop-ins beside the configuration."),
    (
        "~/.local/state/phc",
        "The state; the same folders as the configuration's on macOS and Windows.",
    ),
];

/// The completions of a program for a shell.
///
/// # Errors
/// [`Code::Usage`] for a shell that is not known.
pub fn completions(mut command: Command, shell: &str) -> Result<Vec<u8>, Problem> {
    let shell: Shell = shell.parse().map_err(|_| {
        Problem::new(Code::Usage, format!("no completions for the shell {shell:?}"))
            .hint("known are bash, elvish, fish, powershell and zsh")
    })?;
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    Ok(script)
}

/// The program's page of section 1.
pub fn page(command: Command) -> String {
    let mut command = command;
    command.build();
    let mut page = Page::new(command.get_name(), "1", DATE);
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    page.section("NAME").call("Nm", command.get_name()).call("Nd", &about);
    page.section("SYNOPSIS");
    synopses(&mut page, &command);
    page.section("DESCRIPTION");
    page.text(&described(&command));
    for sub in shown(&command) {
        page.subsection(sub.get_name()).text(&described(sub));
        options(&mut page, sub.get_arguments().filter(|arg| !arg.is_global_set()));
    }
    page.section("OPTIONS");
    options(&mut page, command.get_arguments());
    shared(&mut page);
    examples(&mut page, &command);
    references(&mut page, command.get_name());
    page.finish()
}

/// The long description; for a command that has none the short one.
fn described(command: &Command) -> String {
    let text = command.get_long_about().or(command.get_about());
    text.map(ToString::to_string).unwrap_or_default()
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

fn synopses(page: &mut Page, command: &Command) {
    if !command.has_subcommands() {
        page.call("Nm", "");
        return synopsis(page, command);
    }
    for sub in shown(command) {
        page.call("Nm", "").call("Cm", sub.get_name());
        synopsis(page, sub);
    }
}

fn synopsis(page: &mut Page, command: &Command) {
    let own = command.get_arguments().filter(|arg| !arg.is_global_set() && visible(arg));
    let (places, flags): (Vec<&Arg>, Vec<&Arg>) = own.partition(|arg| arg.is_positional());
    for arg in flags.into_iter().chain(places) {
        let many = if repeats(arg) { " ..." } else { "" };
        let call = format!("{}{many}", spelled(arg, false));
        if arg.is_required_set() {
            page.raw(&call)
        } else {
            page.raw(&format!("Op {call}"))
        };
    }
}

fn visible(arg: &Arg) -> bool {
    !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")
}

fn repeats(arg: &Arg) -> bool {
    let many = arg.get_num_args().is_some_and(|number| number.max_values() > 1);
    many || matches!(arg.get_action(), ArgAction::Append)
}

/// An argument as mdoc's words: `Fl -cloud Ar ID`.
fn spelled(arg: &Arg, both: bool) -> String {
    let short = arg.get_short().filter(|_| both || arg.get_long().is_none());
    let short = short.map(|short| format!("Fl {short}"));
    let long = arg.get_long().map(|long| format!("Fl -{long}"));
    let flag = short.into_iter().chain(long).collect::<Vec<_>>().join(" , ");
    let takes = arg.is_positional() || arg.get_action().takes_values();
    let names = arg.get_value_names().unwrap_or_default().iter().filter(|_| takes);
    let names = names.map(|name| format!("Ar {name}")).collect::<Vec<_>>().join(" ");
    [flag, names].iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}

fn options<'a>(page: &mut Page, args: impl Iterator<Item = &'a Arg>) {
    let items: Vec<(String, String)> =
        args.filter(|arg| visible(arg)).map(|arg| (spelled(arg, true), meaning(arg))).collect();
    page.list(&items);
}

fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = if help.ends_with('.') { help } else { format!("{help}.") };
    let values = arg.get_possible_values();
    if arg.get_action().takes_values() && !values.is_empty() {
        let values = values.iter().filter(|value| !value.is_hide_set());
        let values = values.map(|value| match value.get_help() {
            Some(help) => format!("{} ({help})", value.get_name()),
            None => value.get_name().to_owned(),
        });
        text.push_str(&format!(" One of: {}.", values.collect::<Vec<_>>().join(", ")));
    }
    let usual: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !usual.is_empty() {
        let usual = usual.join(" ");
        // A full stop after a dot would read as the folder above.
        let end = if usual.ends_with('.') { "" } else { "." };
        text.push_str(&format!(" Default: {usual}{end}"));
    }
    text
}

fn shared(page: &mut Page) {
    page.section("ENVIRONMENT");
    page.list(&VARIABLES.map(|(name, what)| (format!("Ev {name}"), what.to_owned())));
    page.section("FILES");
    page.list(&FILES.map(|(path, what)| (format!("Pa {path}"), what.to_owned())));
    page.section("EXIT STATUS");
    page.list(&Exit::ALL.map(|exit| (exit.code().to_string(), exit.meaning().to_owned())));
}

/// The examples, which stand below `--help` as words and, further in, commands.
fn examples(page: &mut Page, command: &Command) {
    let text = command.get_after_long_help().or(command.get_after_help());
    let text = text.map(ToString::to_string).unwrap_or_default();
    let mut lines = text.lines().skip_while(|line| *line != "Examples:").skip(1).peekable();
    if lines.peek().is_none() {
        return;
    }
    page.section("EXAMPLES");
    let mut first = true;
    while let Some(line) = lines.next() {
        if !line.starts_with("    ") {
            if !std::mem::take(&mut first) {
                page.raw("Pp");
            }
            page.text(line.trim());
            continue;
        }
        let mut block = vec![&line[4..]];
        while let Some(next) = lines.next_if(|next| next.starts_with("    ")) {
            block.push(&next[4..]);
        }
        page.literal(&block);
    }
}

fn references(page: &mut Page, own: &str) {
    page.section("SEE ALSO");
    let others: Vec<_> = PAGES.iter().filter(|page| **page != (own, "1")).collect();
    for (at, (name, section)) in others.iter().enumerate() {
        let comma = if at + 1 < others.len() { " ," } else { "" };
        page.raw(&format!("Xr {name} {section}{comma}"));
    }
}

#[cfg(test)]
mod tests {
    use super::{completions, page};
    use clap::{Arg, ArgAction, Command};

    fn command() -> Command {
        let cloud = Arg::new("cloud").long("cloud").value_name("ID").action(ArgAction::Append);
        let run = Command::new("run")
            .about("Brings clouds in")
            .arg(cloud.help("Only this cloud"))
            .arg(Arg::new("dir").value_name("DIR").required(true).help("The folder"));
        let hidden = Command::new("hidden").hide(true);
        Command::new("phc-x")
            .about("Does one thing")
            .after_long_help("Examples:\n  Do it:\n    phc-x run /srv\n    echo \\done\n")
            .arg(Arg::new("state").long("state").global(true).value_name("DIR").help("State"))
            .subcommands([run, hidden])
    }

    #[test]
    fn a_page_has_every_command_and_option_once() {
        let page = page(command());
        for line in [
            ".Dt PHC-X 1",
            ".Nd Does one thing",
            ".Cm run",
            ".Op Fl -cloud Ar ID ...",
            ".Ar DIR",
            ".Ss run",
            ".It Fl -state Ar DIR",
            "phc\\-x run /srv",
            "echo \\edone",
            ".It 75",
            ".Xr phc 7",
        ] {
            assert_eq!(page.lines().filter(|l| *l == line).count(), 1, "{line} in\n{page}");
        }
        assert!(!page.contains("hidden") && !page.contains("help"));
    }

    #[test]
    fn completions_know_the_commands_and_other_shells_are_refused() {
        let script = String::from_utf8(completions(command(), "bash").unwrap()).unwrap();
        assert!(script.contains("--cloud"));
        assert_eq!(completions(command(), "csh").unwrap_err().exit().code(), 2);
    }
}
