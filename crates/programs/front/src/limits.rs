//! Bounds on what strangers can make a program do. Knows numbers; where they come from is the program's.

use std::time::Duration;

/// Bounds on what strangers can make a program do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; when all are taken, the host with most of them gives one up.
    pub connections_max: usize,
    /// Bytes of a request's line and headers.
    pub head_bytes_max: usize,
    /// Bytes of a request's body, whatever the application allows.
    pub body_bytes_max: usize,
    /// From a connection's or a request's first byte to the end of its headers.
    pub head_timeout: Duration,
    /// From the end of the headers to the end of the body.
    pub body_timeout: Duration,
    /// Between two requests of a connection.
    pub idle_timeout: Duration,
    /// From the signal to stop until requests that are still running are dropped.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4096,
            head_bytes_max: 32 * 1024,
            body_bytes_max: 1024 * 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(90),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}
