//! The server process: configuration, data directory, port, TLS, HTTP, background jobs, and how the parts are joined.
//!
//! Refuses to know what any request means: that is the services' behind the gateway.

pub mod admin;
mod anchor_file;
mod application;
mod authority;
pub mod aws_profile;
pub mod backup;
pub mod blob_place;
mod blob_transport;
mod clock;
pub mod config;
mod connection;
mod connection_limiter;
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
mod jobs;
mod key_stores;
mod kms_seal;
mod listener;
pub mod log;
mod metrics;
pub mod operator;
mod private_file;
pub mod prompt;
pub mod rollback;
mod root_seal;
mod rows;
mod seed;
mod server;
mod site;
mod steady;
mod tls;
mod wiring;
mod workers;
pub mod xks_proxy;

pub use error::{ConfigError, ServerError};
pub use file_size::fail_writes_over_the_limit;
pub use first_start::FirstStart;
pub use server::{Server, run};
pub use steady::ClockJump;
