//! References moved, with all that follows: pull requests of the branches, triggers, and the time of the last change.

mod follow;
mod moves;
mod queue;

/// Where references of the server's own lie. Clients neither see them nor push to them.
pub(crate) const HIDDEN: &str = "refs/codecommit/";

pub(crate) use moves::{Besides, Move, moved, publish, publish_with};
pub(crate) use queue::queue_test;
