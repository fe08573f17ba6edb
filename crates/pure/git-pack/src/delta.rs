//! Deltas: how one object is made of another's bytes and new ones. Knows no entry.
//!
//! Source of the form: git's documentation, gitformat-pack, "Deltified representation".

mod create;
mod form;

pub use create::{DeltaIndex, create};
pub use form::{apply, apply_into, result_bytes};
