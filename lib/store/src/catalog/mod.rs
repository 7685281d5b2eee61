//! The catalog: what is stored, as files in the space.
