//! The laws of the house that a compiler does not check, read from the
//! project's own text: what may depend on what, where a side effect may be
//! spelled, how long a thing may be, and that documents speak of what is there.
//!
//! Every law is a function from a [`tree::Tree`] to the places that break it,
//! so each is tried twice: on the project, and on a small tree that breaks it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: a broken setup is a failure"
)]

mod code;
mod documents;
mod floors;
mod links;
mod rust;
mod scripts;
mod tree;
