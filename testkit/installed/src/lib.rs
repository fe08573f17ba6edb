//! Programs and vectors of others that tests use: finds those that `./test` installs.
//!
//! Knows no crate of this workspace, so that tests of every crate may use it. Everything here panics with a sentence
//! when something is missing: a test that cannot run has failed.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

mod clients;
pub mod crash;
mod soft_hsm;
mod vectors;

pub use clients::{Python, succeed, workspace_root};
pub use soft_hsm::{Outside, SoftHsm};
pub use vectors::{Record, hex, records};
