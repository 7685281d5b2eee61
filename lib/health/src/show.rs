//! A status in words, for people.

use jiff::Timestamp;
use model::status::{Component, Level, Status};

/// How old a status may be before that itself wants a look, in hours.
const FRESH_HOURS: i64 = 26;

/// Words for a level, and the colour it has on a terminal (ECMA-48 SGR).
fn level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Ok => ("ok", "32"),
        Level::Unknown => ("unknown", "35"),
        Level::Warn => ("warn", "33"),
        Level::Critical => ("critical", "31"),
    }
}

fn painted(of: Level, width: usize, colour: bool) -> String {
    let (word, code) = level(of);
    let word = format!("{word:width$}");
    if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word }
}

/// A status as a table, with what to do about each problem below it.
pub fn table(status: &Status, now: Timestamp, colour: bool) -> String {
    let age = ago(status.time, now);
    let old = now.duration_since(status.time).as_hours() >= FRESH_HOURS;
    let stale = if old { "; phc-health collect judges anew" } else { "" };
    let overall = painted(status.overall, 0, colour);
    let mut text = format!("{}/{}: {overall}, judged {age}{stale}\n\n", status.host, status.user);
    let width = status.components.iter().map(|c| c.name.len()).max().unwrap_or(0);
    for component in &status.components {
        text.push_str(&row(component, width, now, colour));
    }
    text
}

fn row(component: &Component, width: usize, now: Timestamp, colour: bool) -> String {
    let state = painted(component.state, 8, colour);
    let since =
        component.since.map_or_else(String::new, |since| format!(" (since {})", ago(since, now)));
    let success = component.last_success.map(|time| format!("; last success {}", ago(time, now)));
    let success = success.unwrap_or_default();
    let mut text =
        format!("{state}  {:width$}  {}{success}{since}\n", component.name, component.message);
    for problem in component.problems.iter().filter(|problem| !problem.hint.is_empty()) {
        text.push_str(&format!(
            "{:8}  {:width$}  [{}] {}\n",
            "",
            "",
            problem.code.name(),
            problem.hint
        ));
    }
    text
}

/// How long ago something was, in its largest unit.
fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        i64::MIN..-60 => "in the future".to_owned(),
        -60..60 => "just now".to_owned(),
        60..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, table};
    use model::problem::{Code, Problem};
    use model::status::{Component, Level, Status};
    use serde_json::Map;

    fn status() -> Status {
        let component = |name: &str, state, problems| Component {
            name: name.to_owned(),
            state,
            since: Some("2026-01-02T00:00:00Z".parse().unwrap()),
            last_success: None,
            last_run: None,
            message: "as told".to_owned(),
            figures: Map::new(),
            problems,
        };
        Status {
            schema: 1,
            version: "0".to_owned(),
            host: "h".to_owned(),
            user: "u".to_owned(),
            platform: "linux".to_owned(),
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
            overall: Level::Critical,
            components: vec![
                component("spool", Level::Ok, vec![]),
                component("mount.space", Level::Critical, vec![Problem::new(Code::SpaceAway, "x")]),
            ],
        }
    }

    #[test]
    fn a_table_says_state_age_and_what_to_do() {
        let text = table(&status(), "2026-01-02T03:05:05Z".parse().unwrap(), false);
        let expected = "h/u: critical, judged 1 min ago\n\n\
            ok        spool        as told (since 3 h ago)\n\
            critical  mount.space  as told (since 3 h ago)\n                       \
            [space-away] mount it; the next run goes on where this one ended\n";
        assert_eq!(text, expected);
        let old = table(&status(), "2026-01-09T03:05:05Z".parse().unwrap(), true);
        assert!(old.contains("judged 7 d ago; phc-health collect"), "{old}");
        assert!(old.contains("\u{1b}[31mcritical\u{1b}[0m"), "{old}");
    }

    #[test]
    fn a_clock_that_went_back_is_not_taken_for_now() {
        let then = "2026-01-02T00:00:00Z".parse().unwrap();
        assert_eq!(ago(then, "2026-01-01T00:00:00Z".parse().unwrap()), "in the future");
    }
}
