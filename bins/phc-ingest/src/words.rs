//! What `phc-ingest` tells, in words.

use cli::figures;
use cli::words::{finished, plain};
use ingest::attributes::AttributesDropped;
use ingest::deferred::FileDeferred;
use ingest::discover::CloudFound;
use ingest::duplicates::{Counted, Duplicated};
use ingest::expire::{Expired, VersionExpired};
use ingest::name::NameTold;
use ingest::past::{FileRestored, FilesRestored, VersionTold};
use ingest::status::{Approved, CloudTold};
use ingest::verify::Verified;
use ingest::watch::{By, WatchDeferred, WatchMissed, WatchStarted};
use model::event::Event;
use model::ingest::{FileNews, FilePlanned, Totals};
use model::run::RunFinished;

/// Says one of the tool's events in words.
pub fn words(event: &Event) -> Option<String> {
    match event.kind.strip_prefix("phc.ingest.")? {
        "run.finished" => event.data_as().map(|run| run_finished(&run)),
        "file.planned" => event.data_as().map(|item| planned(&item)),
        "file.stored" | "file.gone" => event.data_as().map(|news| file(&news)),
        "name.told" => event.data_as().map(|told| name_told(&told)),
        "file.deferred" => event.data_as().map(|told| deferred(&told)),
        "cloud.found" => event.data_as().map(|found| cloud_found(&found)),
        "cloud.told" => event.data_as().map(|told| cloud_told(&told)),
        "copies.verified" => event.data_as().map(|told| verified(&told)),
        "trash.expired" => event.data_as().map(|told| expired(&told)),
        "version.expired" => event.data_as().map(|told| version(&told)),
        "version.told" => event.data_as().map(|told| version_told(&told)),
        "file.restored" => event.data_as().map(|told| file_restored(&told)),
        "files.restored" => event.data_as().map(|told| files_restored(&told)),
        "content.duplicated" => event.data_as().map(|told| duplicated(&told)),
        "duplicates.counted" => event.data_as().map(|told| counted(&told)),
        "plan.approved" => event.data_as().map(|told| approved(&told)),
        "attributes.dropped" => event.data_as().map(|told| attributes_dropped(&told)),
        "watch.started" => event.data_as().map(|told| watch_started(&told)),
        "watch.deferred" => event.data_as().map(|told| watch_deferred(&told)),
        "watch.missed" => event.data_as().map(|told| watch_missed(&told)),
        "run.started" | "batch.stored" | "watch.ended" => None,
        _ => plain(event),
    }
}

fn attributes_dropped(told: &AttributesDropped) -> String {
    let names = told.names.iter().map(|of| format!("{} ({})", of.name, of.files));
    format!(
        "{}: extended attributes that copies don't have, and only the catalog keeps: {}",
        told.cloud,
        names.collect::<Vec<_>>().join(", ")
    )
}

fn run_finished(run: &RunFinished<Totals>) -> String {
    let mut text = finished(run);
    let Some(t) = &run.totals else { return text };
    let parts = [
        (t.unchanged, "unchanged"),
        (t.stored, "stored"),
        (t.replaced, "replaced"),
        (t.adopted, "adopted"),
        (t.renamed, "renamed"),
        (t.hard_links, "linked"),
        (t.touched, "touched"),
        (t.repaired, "repaired"),
        (t.deferred, "deferred"),
        (t.deferred_folders, "folders deferred"),
        (t.hydrated, "hydrated"),
        (t.pointers, "pointers to documents"),
        (t.gone, "gone"),
        (t.consumed, "removed from the inbox"),
        (t.unsettled, "left to settle"),
        (t.symlinks, "symlinks not followed"),
        (t.specials, "special files not opened"),
        (t.mount_points, "mount points not entered"),
        (t.excluded, "excluded"),
        (t.failed, "failed"),
    ];
    let named = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    let files = format!("{} ({})", figures::count(t.files, "file"), figures::bytes(t.bytes));
    let all: Vec<String> = std::iter::once(files).chain(named).collect();
    text.push_str(&format!("\n  {}", all.join(", ")));
    if t.bytes_stored > 0 {
        text.push_str(&format!("\n  {} copied", figures::bytes(t.bytes_stored)));
    }
    if t.deferred + t.deferred_folders > 0 {
        let captured = t.bytes.saturating_sub(t.deferred_bytes);
        text.push_str(&format!("\n  captured {}", figures::part(captured, t.bytes)));
        text.push_str(&unknown(t.deferred_unsized, t.deferred_folders));
    }
    if t.bytes_shared > 0 {
        text.push_str(&format!(
            "\n  {} of it shared with equal copies",
            figures::bytes(t.bytes_shared)
        ));
    }
    if let Some(plan) = &run.plan {
        text.push_str(&format!("\n  plan {plan}"));
    }
    text
}

/// What is in no figure of a completeness.
fn unknown(files: u64, folders: u64) -> String {
    let parts =
        [(files, "file of unknown size", "files of unknown size"), (folders, "folder", "folders")];
    let named = parts.iter().filter(|(n, ..)| *n > 0);
    let named: Vec<String> =
        named.map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many })).collect();
    if named.is_empty() { String::new() } else { format!(", not counting {}", named.join(" and ")) }
}

fn name_told(told: &NameTold) -> String {
    let NameTold { cloud, path, copy, live } = told;
    let arrow = if path == copy { String::new() } else { format!(" -> {copy}") };
    match cloud {
        Some(cloud) if *live == Some(false) => format!("{cloud}: {path}{arrow} (left its source)"),
        Some(cloud) => format!("{cloud}: {path}{arrow}"),
        None => format!("not known: {path}{arrow}"),
    }
}

fn deferred(told: &FileDeferred) -> String {
    let size = told.size.map_or_else(|| "?".to_owned(), figures::bytes);
    let folder = if told.folder { "/" } else { "" };
    let notes = [
        (told.stale, "a former version is stored"),
        (!told.hydratable, "only its client can bring it in"),
        (told.tries > 0, "bringing it in failed before"),
    ];
    let notes: Vec<&str> = notes.iter().filter(|(is, _)| *is).map(|(_, note)| *note).collect();
    let notes = if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) };
    format!("deferred {size:>9}  {}{folder}{notes}", told.path)
}

fn planned(item: &FilePlanned) -> String {
    let action = format!("{:?}", item.action).to_lowercase();
    let from = item.from.as_ref().map(|from| format!(" (from {from})")).unwrap_or_default();
    let size = item.size.map(figures::bytes).unwrap_or_default();
    format!("{action:8} {size:>9}  {}{from}", item.path)
}

fn file(news: &FileNews) -> String {
    let change = format!("{:?}", news.change).to_lowercase();
    let from = news.from.as_ref().map(|from| format!(" (from {from})")).unwrap_or_default();
    format!("{change:8} {}{from}", news.file.path)
}

fn cloud_found(found: &CloudFound) -> String {
    let id = found.cloud.as_ref().map_or("-", |id| id.as_str());
    let path = found.path.as_ref().map_or_else(|| "not found".to_owned(), ToString::to_string);
    let taken = if found.taken { "" } else { "  (not taken)" };
    let note = if found.note.is_empty() { String::new() } else { format!("  {}", found.note) };
    let problem = found.problem.as_ref().map(|p| format!("\n  {p}")).unwrap_or_default();
    format!("{id:24} {path}{taken}{note}{problem}")
}

fn cloud_told(told: &CloudTold) -> String {
    let count = |n: Option<u64>, noun: &str| {
        n.map_or_else(|| format!("? {noun}s"), |n| figures::count(n, noun))
    };
    let mut text = format!(
        "{}: {}, {}, {}",
        told.cloud,
        count(told.files, "file"),
        told.bytes.map_or_else(|| "? bytes".to_owned(), figures::bytes),
        count(told.tombstones, "tombstone")
    );
    if let Some(c) = told.completeness.as_ref().filter(|c| c.deferred + c.deferred_folders > 0) {
        text.push_str(&format!(
            "\n  captured {}; {} deferred{}",
            figures::part(c.captured_bytes, c.of_bytes),
            figures::count(c.deferred, "file"),
            unknown(c.deferred_unsized, c.deferred_folders)
        ));
    }
    match &told.last_run {
        Some(run) => {
            text.push_str(&format!(
                "\n  last run {}: {}",
                seconds(run.started),
                run.outcome.name()
            ));
            if let Some(problem) = &run.problem {
                text.push_str(&format!(": {problem}"));
            }
        }
        None => text.push_str("\n  no run ended yet"),
    }
    if let Some(time) = told.last_success {
        text.push_str(&format!("\n  last success {}", seconds(time)));
    }
    if let Some(time) = told.unfinished_since {
        text.push_str(&format!("\n  a run that began {} never told its end", seconds(time)));
    }
    if let Some(pending) = told.pending.filter(|pending| *pending > 0) {
        text.push_str(&format!("\n  {} not announced yet", figures::count(pending, "change")));
    }
    for refusal in &told.refusals {
        let state = if refusal.approved { "approved" } else { "refused" };
        text.push_str(&format!("\n  {state} plan {}: {}", refusal.plan, refusal.why));
    }
    text
}

/// A time without what is below a second.
fn seconds(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn copies(number: u64) -> String {
    format!("{number} {}", if number == 1 { "copy" } else { "copies" })
}

fn verified(told: &Verified) -> String {
    let state = if told.is_good() { "good" } else { "not good" };
    let ended = if told.complete { "" } else { " (stopped before its end)" };
    let mut text = format!(
        "{}/{}: {state}{ended}: {} read ({}) against the {}, {} damaged, {} missing, {} strangers, {} left out, {} not known yet",
        told.device,
        told.cloud,
        told.checked,
        figures::bytes(told.bytes),
        told.against,
        told.damaged,
        told.missing,
        told.strangers,
        told.left_out,
        told.unknown
    );
    let more = [
        (told.repaired, "repaired"),
        (told.sources, "sources read"),
        (told.source_rot, "of them rotten"),
    ];
    for (n, what) in more.iter().filter(|(n, _)| *n > 0) {
        text.push_str(&format!(", {n} {what}"));
    }
    if let Some(rolled) = &told.rolling {
        let oldest = rolled.oldest.map_or_else(|| "never".to_owned(), seconds);
        text.push_str(&format!(
            "\n  of {}, the longest unread since {oldest}; {} overdue, {} behind",
            copies(rolled.copies),
            rolled.overdue,
            figures::bytes(rolled.behind_bytes)
        ));
    }
    text
}

fn expired(told: &Expired) -> String {
    let what = match (told.refused, told.dry_run) {
        (true, _) => "refused",
        (false, true) => "would be destroyed",
        (false, false) => "destroyed",
    };
    let plan = told.plan.as_ref().map(|plan| format!("; plan {plan}")).unwrap_or_default();
    format!(
        "_trash: {} of {} {what} ({} of {}){plan}",
        told.destroyed,
        figures::count(told.versions, "version"),
        figures::bytes(told.destroyed_bytes),
        figures::bytes(told.bytes)
    )
}

fn version(told: &VersionExpired) -> String {
    format!("{:?} {:>9} {}  {}", told.why, figures::bytes(told.size), told.put_away, told.path)
        .to_lowercase()
}

fn watch_started(told: &WatchStarted) -> String {
    let how = match (told.by, told.poll_s) {
        (By::Polling, Some(s)) => format!("by looking every {s} s"),
        (_, Some(s)) => format!("by what the system tells, and by looking every {s} s"),
        (_, None) => "by what the system tells".to_owned(),
    };
    let again = if told.again { "again " } else { "" };
    format!("{}: {again}watching {} {how}", told.cloud, told.source)
}

fn watch_deferred(told: &WatchDeferred) -> String {
    format!("{}: waiting: {}", told.cloud, told.problem)
}

fn watch_missed(told: &WatchMissed) -> String {
    let changes = figures::count(told.files, "change");
    let mut text = format!("{}: nothing had been heard of {changes}", told.cloud);
    told.paths.iter().for_each(|path| text.push_str(&format!("\n  {path}")));
    text
}

fn version_told(told: &VersionTold) -> String {
    let time = told
        .time
        .map_or_else(|| "?".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    let step = format!("{:?}", told.step).to_lowercase();
    let size = told.size.map(figures::bytes).unwrap_or_default();
    let digest = told.digest.as_ref().map_or("-", |digest| &digest[..digest.len().min(12)]);
    let other = told.other.as_ref().map(|other| format!("  ({other})")).unwrap_or_default();
    let lies = match (&told.target, &told.lies) {
        (Some(target), _) => format!("-> {target}"),
        (None, Some(lies)) => lies.to_string(),
        (None, None) => "nowhere".to_owned(),
    };
    format!("{time:20}  {step:8} {size:>9}  {digest:12}  {}{other}  {lies}", told.path)
}

fn file_restored(told: &FileRestored) -> String {
    let what = if told.dry_run { "would restore" } else { "restored" };
    let size = told.size.map(figures::bytes).unwrap_or_default();
    let from = told.from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    format!("{what} {size:>9}  {}{from}", told.to)
}

fn files_restored(told: &FilesRestored) -> String {
    let dry = if told.dry_run { " (nothing was touched)" } else { "" };
    let mut text = format!(
        "{} restored ({}), {} failed{dry}",
        figures::count(told.files, "file"),
        figures::bytes(told.bytes),
        told.failed
    );
    if told.unchecked > 0 {
        text.push_str(&format!(", {} without a digest to hold them against", told.unchecked));
    }
    text
}

fn duplicated(told: &Duplicated) -> String {
    let (size, shared) = (figures::bytes(told.size), figures::bytes(told.shared_bytes));
    let digest = &told.digest[..told.digest.len().min(12)];
    let mut text = format!("{} of {size}, {shared} shared  {digest}", copies(told.copies));
    told.paths.iter().for_each(|p| text.push_str(&format!("\n  {}/{}", p.cloud, p.path)));
    text
}

fn counted(told: &Counted) -> String {
    let one = told.contents == 1;
    format!(
        "{} {} {}: {} are shared, {} more could be",
        figures::count(told.contents, "content"),
        if one { "has" } else { "have" },
        copies(told.copies),
        figures::bytes(told.shared_bytes),
        figures::bytes(told.unshared_bytes)
    )
}

fn approved(told: &Approved) -> String {
    format!("plan {} of {} is approved for 24 hours: {}", told.plan, told.job, told.why)
}
