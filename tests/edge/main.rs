//! What all programs promise at their edge: usage, exit codes, schemas, pages, documents.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: a broken setup is a failure"
)]

mod current;
mod documents;
mod manuals;
mod schemas;
mod streams;
mod usage;
