//! Starts a real `sealstack serve` on a directory of its own and drives real clients against it.
//!
//! Used by end-to-end tests only. Everything here panics with a sentence when something is missing: a test that
//! cannot run has failed.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

mod calls;
mod git;
mod load;
mod moto;
mod server;

pub use calls::Calls;
pub use git::{GitWorld, gits, noise};
pub use installed::{Outside, Python, Record, SoftHsm, hex, records, workspace_root};
pub use load::{Outcome, while_calling};
pub use moto::{Moto, MotoWorld};
pub use server::{Server, Stopped};
