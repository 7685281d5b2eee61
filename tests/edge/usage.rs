//! What was typed: understood, or refused in one line, whatever the state of the machine.

use tests::Sandbox;

/// The programs, each with a command that takes no arguments and looks at the configuration.
pub const PROGRAMS: [(&str, &str); 4] = [
    ("phc-health", "collect"),
    ("phc-ingest", "discover"),
    ("phc-mount", "status"),
    ("phc-spool", "list"),
];

#[test]
fn help_and_version_are_told_on_a_broken_machine() {
    let sandbox = Sandbox::new();
    sandbox.configure("this is not TOML");
    for (program, command) in PROGRAMS {
        for arguments in [&["--help"][..], &["-h"], &["--version"], &[command, "--help"]] {
            let run =
                sandbox.run(program).args(arguments).without("HOME").env("PHC_CONFIG", "gone");
            let ended =
                run.env("PHC_STATE_DIR", "/dev/null/state").env("PHC_HOST", "no/host").end();
            assert_eq!(ended.ok().stderr, "");
        }
        let version = sandbox.run(program).arg("--version").end().ok().stdout;
        assert_eq!(version, format!("{program} {}\n", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn what_is_not_understood_is_one_line_with_a_hint() {
    let sandbox = Sandbox::new();
    for (program, command) in PROGRAMS {
        let help = format!("see {program} --help");
        for (arguments, words) in [
            (&[][..], "a command is missing"),
            (&["no-such-command"], "no-such-command"),
            (&[command, "--no-such-flag"], "--no-such-flag"),
            (&[command, "--format", "xml"], "[possible values: auto, human, json]"),
            (&[command, "--quiet", "--verbose"], "cannot be used with"),
            (&[command, "--space"], "--space <DIR>"),
        ] {
            let ended = sandbox.run(program).args(arguments).end();
            assert_eq!(ended.refused(2, &[words, "[usage]", &help]).stdout, "");
        }
    }
}

#[test]
fn a_wrong_configuration_or_name_ends_every_command_with_2() {
    let sandbox = Sandbox::new();
    for (program, command) in PROGRAMS {
        let run = || sandbox.run(program).arg(command);
        run().args(["--host", "a/b"]).end().refused(2, &["\"a/b\"", "[usage]", "--host"]);
        run().args(["--config", "gone.toml"]).end().refused(2, &["gone.toml", "[config]"]);
        sandbox.configure("[ingest]\nexlude = []\n");
        run().end().refused(2, &["exlude", "phc.toml:2", "[config]", "did you mean \"exclude\"?"]);
        std::fs::remove_file(sandbox.config()).unwrap();
    }
}

#[test]
fn a_state_that_can_not_be_made_ends_with_4() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("file", "");
    let run = sandbox.run("phc-health").arg("collect").arg("--state").arg(file.join("state"));
    run.end().refused(4, &["[state-unusable]", "file/state", "--state"]);
}

#[test]
fn every_shell_gets_its_completions() {
    let sandbox = Sandbox::new();
    for (program, command) in PROGRAMS {
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            let script = sandbox.run(program).args(["--completions", shell]).end().ok().stdout;
            assert!(script.contains(command), "{program} {shell}");
        }
        sandbox.run(program).args(["--completions", "csh"]).end().refused(2, &["csh", "zsh"]);
    }
}
