//! The server process: configuration, data directory, background jobs, and how the parts are joined behind the front.
//!
//! Refuses to know what any request means: that is the services' behind the gateway.

pub mod admin;
mod anchor_file;
pub mod application;
mod authority;
pub mod aws_profile;
pub mod backup;
pub mod blob_place;
mod blob_transport;
mod clock;
pub mod config;
mod continuity;
mod core;
pub mod data_dir;
mod disk;
pub mod durable_state;
mod error;
pub mod explain;
pub mod exports;
mod file_size;
mod first_start;
mod gate;
mod host_key;
mod host_names;
mod key_stores;
mod kms_seal;
pub mod log;
mod metrics;
mod modules;
pub mod operator;
pub mod prompt;
pub mod repositories;
pub mod rollback;
mod root_seal;
mod rows;
mod seed;
mod server;
mod steady;
mod triggers;
mod wiring;

pub use error::{ConfigError, ServerError};
pub use file_size::fail_writes_over_the_limit;
pub use first_start::FirstStart;
pub use server::{Server, run};
pub use steady::ClockJump;
