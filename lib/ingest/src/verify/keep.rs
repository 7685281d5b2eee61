//! What a verify found is published, and kept where `phc-health` looks for it.

use std::path::Path;

use host::publish;
use model::device::Device;
use model::emit::Emit;
use model::event::Draft;
use model::problem::Problem;
use store::spool;
use store::state::{self, State, open_folder};

use super::{Verified, Verify};
use crate::teller::Teller;

/// The event of the last verify that was no sample, beside the scrub's book.
const LAST: &[u8] = b"last-verify.json";

/// Who verifies, and remembers it.
#[derive(Debug)]
pub struct By<'a> {
    /// The device that the program runs on.
    pub device: &'a Device,
    /// Its state.
    pub state: &'a State,
    /// Where what was found is kept.
    pub folder: &'a Path,
}

/// Does a verify and tells its outcome last; all but single copies' good news goes into the spool as well.
///
/// # Errors
/// What ended the verify, and when its events can't be kept.
pub fn kept(
    what: &Verify<'_>,
    by: &By<'_>,
    emit: &mut dyn Emit,
    work: impl FnOnce(&mut dyn Emit) -> Result<Verified, Problem>,
) -> Result<Verified, Problem> {
    let mut teller = Teller::new(emit, &|_| false);
    let verified = work(&mut teller)?;
    teller.tell(Draft::of(&verified));
    spool::publish(&teller.frame, by.state, by.device, Some(what.space), what.clock)?;
    if let Some(event) = teller.frame.last().filter(|_| verified.left_out == 0) {
        let text = serde_json::to_vec(&serde_json::json!({ "event": event })).unwrap_or_default();
        publish::replace(&open_folder(by.folder)?, LAST, &text, state::FILE_MODE)
            .map_err(state::unusable)?;
    }
    Ok(verified)
}
