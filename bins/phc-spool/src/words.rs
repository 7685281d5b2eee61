//! What `phc-spool` tells, in words.

use cli::figures;
use model::event::Event;
use model::spool::{
    ConsumerListed, EventsPublished, OutboxFlushed, Place, SegmentDied, SegmentFinished,
    SegmentListed, SpoolsPruned,
};

/// Says one of the tool's events in words.
pub fn words(event: &Event) -> Option<String> {
    match event.kind.as_str() {
        "phc.spool.events.published" => event.data_as().map(|told| published(&told)),
        "phc.spool.outbox.flushed" => event.data_as().map(|told| flushed(&told)),
        "phc.spool.segment.listed" => event.data_as().map(|told| listed(&told)),
        "phc.spool.segment.finished" => event.data_as().map(|told| finished(&told)),
        "phc.spool.segment.died" => event.data_as().map(|told| died(&told)),
        "phc.spool.spools.pruned" => event.data_as().map(|told| pruned(&told)),
        "phc.spool.consumer.listed" => event.data_as().map(|told| consumer(&told)),
        _ => None,
    }
}

/// Any event in one line: when, what, of whom, about what.
pub fn any(event: &Event) -> String {
    let time = event.time.map(|time| time.strftime("%F %T").to_string()).unwrap_or_default();
    let subject = event.subject.as_deref().unwrap_or_default();
    format!("{time:19}  {}  {}  {subject}", event.kind, event.source).trim_end().to_owned()
}

fn published(told: &EventsPublished) -> String {
    let events = figures::count(told.events, "event");
    format!("{events} stored{}", waits(told.waiting))
}

fn flushed(told: &OutboxFlushed) -> String {
    format!("{} delivered{}", figures::count(told.delivered, "segment"), waits(told.waiting))
}

fn waits(waiting: u64) -> String {
    match waiting {
        0 => String::new(),
        number => format!(", {} waiting in the outbox", figures::count(number, "segment")),
    }
}

/// `2026-11-23 21:56:01  spool   bench/sam/0193…    1.2 kB`.
fn listed(told: &SegmentListed) -> String {
    let place = match told.place {
        Place::Outbox => "outbox",
        Place::Spool => "spool",
    };
    let bytes = told.bytes.map_or("?".to_owned(), figures::bytes);
    let made = told.made.strftime("%F %T");
    format!("{made}  {place:6}  {}/{}  {bytes:>9}", told.device, told.segment)
}

fn finished(told: &SegmentFinished) -> String {
    let how = told.exit.map_or("acknowledged".to_owned(), |exit| format!("exit {exit}"));
    format!("finished {}/{} ({how})", told.device, told.segment)
}

fn died(told: &SegmentDied) -> String {
    let attempts = figures::count(told.attempts, "attempt");
    let again = if told.retried { "; it is tried again" } else { "" };
    let (consumer, device, segment) = (&told.consumer, &told.device, told.segment);
    format!("{consumer}  {device}/{segment}  after {attempts}: {}{again}", told.reason)
}

fn pruned(told: &SpoolsPruned) -> String {
    let removed = if told.dry_run { "would be removed" } else { "removed" };
    let bytes = figures::bytes(told.bytes);
    let orphans = figures::count(told.orphans, "orphan");
    format!(
        "{} of {} segments {removed} ({bytes}), {} held, {orphans}",
        told.removed, told.segments, told.held
    )
}

/// `log  bench/sam  2026-11-23 21:56  3 to do, 1 dead`.
fn consumer(told: &ConsumerListed) -> String {
    let record = &told.record;
    let only = record.only.as_ref().map(|only| format!(" (only {only})")).unwrap_or_default();
    let seen = record.time.strftime("%F %R");
    let dead = match record.dead.len() {
        0 => String::new(),
        number => format!(", {number} dead"),
    };
    let idle = if told.idle { "; not seen for long, holds nothing" } else { "" };
    let (name, device, open) = (&record.consumer, &record.device, record.unfinished);
    format!("{name}  {device}{only}  {seen}  {open} to do{dead}{idle}")
}
