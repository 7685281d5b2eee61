//! The engine as a whole, on real trees in temporary folders.

mod faults;
mod house;
mod moves;
mod rolling;
mod safety;
mod scope;
mod seen;
mod stores;
