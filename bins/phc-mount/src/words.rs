//! What `phc-mount` tells, in words.

use cli::figures;
use model::event::Event;
use mount::Report;
use mount::event::{Adopted, Refused};

/// Says one of the tool's events in words.
pub fn words(event: &Event) -> Option<String> {
    match event.kind.as_str() {
        "phc.mount.pillar.judged" => event.data_as().map(|report| judged(&report)),
        "phc.mount.pillar.adopted" => event.data_as().map(|adopted| told(&adopted)),
        "phc.mount.refused" => event.data_as::<Refused>().map(|refused| {
            format!("{} is pinned, but not to be used: {}", refused.pillar, refused.problem)
        }),
        _ => None,
    }
}

/// `space  healthy  /space: it is the real one (cifs //akira/space, 1.2 TB free)`, and what to do below it.
fn judged(report: &Report) -> String {
    let place = report.path.as_ref().map_or(String::new(), |path| format!("{path}: "));
    let mount = report.fs_type.as_deref().zip(report.source.as_deref());
    let mount = mount.map(|(fs_type, source)| format!("{fs_type} {source}"));
    let free = report.free_bytes.map(|free| format!("{} free", figures::bytes(free)));
    let about: Vec<String> = mount.into_iter().chain(free).collect();
    let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
    let hint =
        if report.hint.is_empty() { String::new() } else { format!("\n       {}", report.hint) };
    format!(
        "{:5}  {:16} {place}{}{about}{hint}",
        report.pillar.name(),
        report.state.name(),
        report.message
    )
}

fn told(adopted: &Adopted) -> String {
    let how = if adopted.written { "its sentinel is new" } else { "its sentinel was there" };
    let former = adopted.former.map(|id| format!("; before it was {id}")).unwrap_or_default();
    format!("{} is {}, volume {} ({how}{former})", adopted.pillar, adopted.path, adopted.id)
}
