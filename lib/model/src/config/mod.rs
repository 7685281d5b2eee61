//! Configuration: the fleet as data.
