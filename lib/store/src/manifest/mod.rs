//! The manifest: the SQLite database of one cloud.
