//! Where the pillars are, and whether each is the real one (safety laws 2 and 11).
//!
//! [`probe`] asks a directory from a child that may be abandoned, [`judge`] says what
//! the answer means, [`prove()`] opens what was judged good, [`adopt()`] makes a directory
//! a pillar in the first place, [`status()`] tells all of it.

pub mod adopt;
pub mod event;
pub mod expect;
pub mod judge;
pub mod look;
pub mod origin;
pub mod pins;
pub mod probe;
pub mod prove;
pub mod status;

pub use adopt::{Adoption, adopt};
pub use expect::Wanted;
pub use judge::{State, Verdict};
pub use probe::Prober;
pub use prove::{prove, prove_to_read};
pub use status::{Report, status};
