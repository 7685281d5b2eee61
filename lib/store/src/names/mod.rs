//! Names in the copy: which a file of the source has there, and which file a copy is of.
//!
//! Almost always a copy has its source's own name. Where the target can't hold that, or
//! takes it for a name that another file has already, the copy has another one, and
//! manifest and catalog know which. All rules are here; the scan asks [`choose`] once for
//! each folder, and everything else reads what was chosen from the plan or the rows.

mod choose;
mod escape;
mod fold;
mod mapped;
mod probe;
mod target;
mod windows;

pub use choose::{Chosen, Row, choose};
pub use escape::{escape, of_copy, unescape};
pub use fold::fold;
pub use mapped::Mapped;
pub use probe::target;
pub use target::{Alphabet, Target};
