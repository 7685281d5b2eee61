//! `phc-mount` through its command line, and proof through the library: adoption, every
//! state that can be had on one machine, and mounts that go away, hang or are not what they were.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test program: a broken setup is a failure"
)]

mod adopt;
mod bench;
mod configured;
mod hang;
mod mounted;
mod prove;
mod status;
