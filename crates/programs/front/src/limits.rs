//! Bounds on what strangers can make a program do. Knows numbers; where they come from is the program's.

use std::time::Duration;

/// Bounds on what strangers can make a program do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; when all are taken, the host with most of them gives one up.
    pub connections_max: usize,
    /// Bytes of a request's line and headers.
    pub head_bytes_max: usize,
    /// Bytes of a request's body that is read whole, whatever the application allows.
    pub body_bytes_max: usize,
    /// From a connection's or a request's first byte to the end of its headers.
    pub head_timeout: Duration,
    /// Between the headers, each 16 KiB of a body and its end; and between pieces of a streamed answer that the client takes.
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
