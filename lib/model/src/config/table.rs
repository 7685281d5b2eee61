//! How tables are read: as tables only.
//!
//! What serde derives for a struct also takes a list, by position; `guard = [5]`
//! would be read as the limit that happens to stand first.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads one table.
pub(super) fn one<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Table::deserialize(deserializer).map(|table| table.0)
}

/// Reads a table of tables, each under a name of its own.
pub(super) fn named<'de, K, T, D>(deserializer: D) -> Result<BTreeMap<K, T>, D::Error>
where
    K: Deserialize<'de> + Ord,
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let tables = BTreeMap::<K, Table<T>>::deserialize(deserializer)?;
    Ok(tables.into_iter().map(|(name, table)| (name, table.0)).collect())
}

struct Table<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Table<T>, D::Error> {
        deserializer.deserialize_map(TableVisitor(PhantomData))
    }
}

struct TableVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for TableVisitor<T> {
    type Value = Table<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Table)
    }
}
