//! Background jobs of a program: values that say what runs how often and where, and the tasks that run them.
//!
//! Knows time and outcomes; what a job does is its owner's.

mod history;
mod job;
mod running;

pub use history::{History, Run};
pub use job::{Job, Scope};
pub use running::Jobs;
