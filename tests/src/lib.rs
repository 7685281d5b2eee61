//! Support for the suites.
