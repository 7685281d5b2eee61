//! Laying drop-ins over a file: scalars and lists are replaced, tables are merged.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The table with every place moved by where its source starts.
pub(super) fn moved(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    table
        .into_iter()
        .map(|(key, value)| (moved_by(by, key, |k| k), moved_value(value, by)))
        .collect()
}

fn moved_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    moved_by(by, value, |value| match value {
        DeValue::Table(table) => DeValue::Table(moved(table, by)),
        DeValue::Array(items) => {
            DeValue::Array(items.into_iter().map(|item| moved_value(item, by)).collect())
        }
        scalar => scalar,
    })
}

fn moved_by<T, U>(by: usize, thing: Spanned<T>, inner: impl FnOnce(T) -> U) -> Spanned<U> {
    let span = thing.span();
    Spanned::new(span.start + by..span.end + by, inner(thing.into_inner()))
}

/// Lays one table over another.
pub(super) fn overlay<'s>(base: &mut DeTable<'s>, over: DeTable<'s>) {
    for (key, value) in over {
        let below = base.get_mut(&key).map(Spanned::get_mut);
        match (below, value) {
            (Some(DeValue::Table(below)), value)
                if matches!(value.get_ref(), DeValue::Table(_)) =>
            {
                if let DeValue::Table(above) = value.into_inner() {
                    overlay(below, above);
                }
            }
            (_, value) => drop(base.insert(key, value)),
        }
    }
}

/// The dotted path of the key or value that stands at a position, and whether it is the key.
pub(super) fn key_at(table: &DeTable<'_>, at: usize) -> Option<(Vec<String>, bool)> {
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref().to_string();
        if key.span().contains(&at) {
            return Some((vec![name], true));
        }
        let inner = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, at),
            _ => None,
        };
        match inner {
            Some((path, is_key)) => Some(([name].into_iter().chain(path).collect(), is_key)),
            None => value.span().contains(&at).then(|| (vec![name], false)),
        }
    })
}
