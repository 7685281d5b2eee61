//! Each mistake, and the one line that answers it.

use super::layers;
use crate::problem::{Code, Problem};

#[track_caller]
fn refused(text: &str, words: &str) {
    assert_eq!(layers(&[text]).unwrap_err().to_string(), words);
}

#[test]
fn a_misspelt_key_is_named_with_the_nearest_known_one() {
    refused(
        "[cloud.icloud]\nexlude = []\n",
        "0.toml:2: unknown key \"exlude\" in [cloud.icloud]; did you mean \"exclude\"?",
    );
    refused("\n[clouds.x]\n", "0.toml:2: unknown key \"clouds\"; did you mean \"cloud\"?");
    refused(
        "[trash.guard]\nzzz = 1",
        "0.toml:2: unknown key \"zzz\" in [trash.guard]; known here: files, share",
    );
    refused(
        "[pillar.spaces]\n",
        "0.toml:1: unknown key \"spaces\" in [pillar]; did you mean \"space\"?",
    );
    refused(
        "[pillar.space.on.x]\npaht = '/x'",
        "0.toml:2: unknown key \"paht\" in [pillar.space.on.x]; did you mean \"path\"?",
    );
    refused(
        "host = { anchor = { rols = [] } }",
        "0.toml:1: unknown key \"rols\" in [host.anchor]; did you mean \"roles\"?",
    );
}

#[test]
fn a_value_of_the_wrong_form_says_which_form_is_right() {
    refused(
        "[ingest]\nmin_free = 'much'",
        "0.toml:2: ingest.min_free: \"much\" is not a size or a share, such as \"5GB\" or \"1%\"",
    );
    refused(
        "[spool]\n\nretention = 30",
        "0.toml:3: spool.retention: invalid type: integer `30`, expected a length of time with its unit (s, m, h, d or w), such as \"26h\" or \"30d\"",
    );
    refused(
        "[trash]\nkeep_versions = -1",
        "0.toml:2: trash.keep_versions: invalid value: integer `-1`, expected a whole number",
    );
    refused(
        "[spool]\nattempts = 0",
        "0.toml:2: spool.attempts: invalid value: integer `0`, expected a whole number from 1",
    );
    refused(
        "[ingest]\nexclude = [\n  'fine',\n  'a/b',\n]",
        "0.toml:4: ingest.exclude: \"a/b\" is not a base name such as \"Thumbs.db\" or \"~$*\", or a path from the source root such as \"/Archive/old\"",
    );
    refused(
        "[cloud.x]\non_gone = 'trsh'",
        "0.toml:2: cloud.x.on_gone can't be \"trsh\"; did you mean \"trash\"?",
    );
    refused(
        "[host.x]\nkind = 'toaster'",
        "0.toml:2: host.x.kind can't be \"toaster\"; known here: server, workstation, laptop",
    );
    refused(
        "[cloud.x]\npath = 'Documents'",
        "0.toml:2: cloud.x.path: \"Documents\" is not an absolute folder or one below the home, such as \"/space\", \"~/Dropbox\" or \"S:\"",
    );
}

#[test]
fn a_list_is_never_taken_for_a_table_nor_the_reverse() {
    for text in ["trash = ['90d']", "ingest.guard = [5]", "cloud.x.guard = []", "cloud.x = []"] {
        let error = layers(&[text]).unwrap_err().to_string();
        assert!(error.ends_with("invalid type: list, expected a table"), "{error}");
    }
    refused("[[cloud.x]]", "0.toml:1: cloud.x: invalid type: list, expected a table");
    refused(
        "[ingest]\nexclude = 'a'",
        "0.toml:2: ingest.exclude: invalid type: string \"a\", expected a list",
    );
    refused("[host.x]\nkind = 1", "0.toml:2: host.x.kind: invalid type, expected a string");
    refused(
        "[spool]\n'a`b' = 1",
        "0.toml:2: unknown key \"a`b\" in [spool]; known here: retention, consumer_idle, attempts",
    );
}

#[test]
fn broken_toml_is_one_line_with_its_place() {
    refused(
        "\"a\\nb\" = 1",
        "0.toml:1: unknown key \"a\\nb\"; known here: host, pillar, cloud, ingest, trash, verify, spool, health",
    );
    for text in ["a = ", "[cloud\n", "a = 1\na = 2", "x = \"\u{1}\"", "[ingest]\n[ingest]\n"] {
        let error = layers(&[text]).unwrap_err();
        assert!(error.line >= 1 && !error.what.is_empty() && !error.what.contains('\n'), "{error}");
    }
    assert_eq!(layers(&["[spool]\nattempts = \n"]).unwrap_err().line, 2);
}

#[test]
fn a_promise_of_nothing_is_refused() {
    refused("[verify]\nperiod = '5m'", "0.toml:2: verify.period: a period is an hour at least");
    refused("[verify]\nrate = 0", "0.toml:2: verify.rate: a rate is 1kB a second at least");
}

#[test]
fn addresses_are_refused_unless_allowed_beside_them() {
    for address in ["192.168.1.5", "0x7f.1", "2130706433", "0177.0.0.1", "fe80::1%eth0", "[::1]"] {
        let text = format!("[pillar.space]\nshare = 'space'\nserver = '{address}'\n");
        refused(
            &text,
            &format!(
                "0.toml:3: pillar.space.server: \"{address}\" is an IP address; give the server's name, or set allow_ip = true beside it"
            ),
        );
        layers(&[&text, "[pillar.space]\nallow_ip = true"]).unwrap();
    }
    refused("[host.'10.0.0.1']", "0.toml:1: host \"10.0.0.1\" is an IP address; give its name");
    refused(
        "[pillar.space]\nserver = '//anchor'\nshare = 'space'\nallow_ip = true",
        "0.toml:2: pillar.space.server: \"//anchor\" is not a host's name",
    );
}

#[test]
fn half_a_pillar_is_refused() {
    refused(
        "[pillar.space]\nserver = 'anchor'",
        "0.toml:2: pillar.space.server: the share beside it is missing",
    );
    refused(
        "[pillar.time]\nshare = 'time'",
        "0.toml:2: pillar.time.share: the server beside it is missing",
    );
    refused(
        "[pillar.time]\nserver = 'anchor'\nshare = '/time'",
        "0.toml:3: pillar.time.share: \"/time\" is not a share's name",
    );
    refused(
        "[pillar.time.path]\nwindows = '/time'",
        "0.toml:2: pillar.time.path.windows: \"/time\" is no path on windows",
    );
    refused(
        "[pillar.space]\nid = 'abc'",
        "0.toml:2: pillar.space.id: UUID parsing failed: invalid length: found 3",
    );
    refused(
        "[pillar.space]\nid = '018f4a52-7c1e-7d3a-9b1c-2f6e5d4c3b2a'\n[pillar.time]\nid = '018f4a52-7c1e-7d3a-9b1c-2f6e5d4c3b2a'",
        "0.toml:4: pillar.time.id: volume 018f4a52-7c1e-7d3a-9b1c-2f6e5d4c3b2a is space's already",
    );
}

#[test]
fn a_host_or_user_that_nobody_described_is_refused() {
    refused(
        "[host.meadow]\n[cloud.x]\nhost = 'Meadw'",
        "0.toml:3: cloud.x.host: there is no [host.meadw]; did you mean \"meadow\"?",
    );
    refused("[pillar.space.on.nowhere]\nlocal = true", "0.toml:1: there is no [host.nowhere]");
    refused(
        "[host.meadow]\nusers = ['sam']\n[cloud.x]\nhost = 'meadow'\nuser = 'sma'",
        "0.toml:5: cloud.x.user: host meadow has no user sma; did you mean \"sam\"?",
    );
    refused(
        "[host.Meadow]\n[host.meadow]\n",
        "0.toml:2: host meadow stands here twice, in another case",
    );
    refused(
        "[host.'a b']",
        "0.toml:1: host \"a b\" is not a name of letters, digits, '.', '-' and '_' that starts with a letter or digit",
    );
    refused(
        "[cloud.Sam_x]",
        "0.toml:1: cloud id \"Sam_x\" is not lower-case letters, digits, '.' and '-', starting with a letter or digit; rename [cloud.NAME], or set id in it",
    );
    refused(
        "[host.m]\nos = 'windows'\n[cloud.x]\nhost = 'm'\npath = '/x'",
        "0.toml:5: cloud.x.path: \"/x\" is no path on windows",
    );
}

#[test]
fn a_warning_that_comes_after_the_alarm_is_refused() {
    refused(
        "[health]\nfree_critical = '20%'",
        "0.toml:2: health.free_critical: critical at 20% is above the warning at 10%",
    );
    refused(
        "[health]\nfree_warn = '1%'",
        "0.toml:2: health.free_warn: critical at 3% is above the warning at 1%",
    );
    layers(&["[health]\nfree_warn = '5GB'"]).unwrap();
}

#[test]
fn an_error_tells_the_drop_in_that_holds_it() {
    let main = "[host.meadow]\n[cloud.x]\npath = '~/x'\n";
    for (text, place) in [
        ("# new\n[cloud.x]\nhost = 'nobody'", "1.toml:3:"),
        ("[cloud.x]\npath = '/space/y'", "1.toml:2:"),
        ("\n\n[cloud.y]\npath = '~/x/y'", "1.toml:4:"),
        ("[cloud]\nx = 3", "1.toml:2:"),
        ("[cloud.a]\nid = 'x'", "1.toml:2: cloud.a.id: "),
        ("[cloud.w]\n\n[cloud.x]\nid = 'w'", "1.toml:4:"),
    ] {
        let error = layers(&[main, text]).unwrap_err().to_string();
        assert!(error.starts_with(place), "{error}");
    }
}

#[test]
fn what_a_drop_in_hides_must_be_right_all_the_same() {
    let error = layers(&["[spool]\nretention = 'long'", "[spool]\nretention = '9d'"]).unwrap_err();
    assert_eq!((error.file.to_str(), error.line, error.column), (Some("0.toml"), 2, 13));
}

#[test]
fn an_error_is_a_problem_of_the_configuration() {
    let problem = Problem::from(layers(&["[ingest]\nexlude = []"]).unwrap_err());
    assert_eq!(problem.code, Code::Config);
    assert_eq!(
        problem.to_string(),
        "unknown key \"exlude\" in [ingest]: 0.toml:2 [config]; did you mean \"exclude\"?"
    );
}
