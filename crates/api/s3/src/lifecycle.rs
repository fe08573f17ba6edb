//! Rules of what happens to objects as they grow old: when which one is due, and how they are carried out.
//!
//! Source: Amazon S3 User Guide, "Lifecycle configuration elements" and "Expiring objects".

mod carry_out;
mod due;

#[allow(unused_imports, reason = "for operations on objects, which come next")]
pub(crate) use due::{Aged, expiration};
