//! `[verify]`: how often copies are read again.

use serde::Deserialize;
use toml::Spanned;

use super::error::Fault;
use super::period::Period;
use super::size::Size;

/// What `phc-ingest verify --rolling` promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verify {
    /// Length of time within which every copy is read once. Default 90 days.
    pub period: Period,
    /// Bytes that are read in a second at most. Default 50 MB.
    pub rate: Size,
}

impl Default for Verify {
    fn default() -> Verify {
        Verify { period: Period::days(90), rate: Size::new(50_000_000) }
    }
}

/// The same as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VerifyFragment {
    period: Option<Spanned<Period>>,
    rate: Option<Spanned<Size>>,
}

impl VerifyFragment {
    /// A period or a rate of nothing could never be kept.
    pub(super) fn checked(self) -> Result<Verify, Fault> {
        let default = Verify::default();
        if let Some(period) = self.period.as_ref().filter(|p| p.as_ref().as_secs() < 3600) {
            return Err(Fault::new(period.span(), "a period is an hour at least"));
        }
        if let Some(rate) = self.rate.as_ref().filter(|rate| rate.as_ref().bytes() < 1000) {
            return Err(Fault::new(rate.span(), "a rate is 1kB a second at least"));
        }
        Ok(Verify {
            period: self.period.map_or(default.period, Spanned::into_inner),
            rate: self.rate.map_or(default.rate, Spanned::into_inner),
        })
    }
}
