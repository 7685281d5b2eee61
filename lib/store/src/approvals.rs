//! Plans that were refused, and the approvals that let them through.
