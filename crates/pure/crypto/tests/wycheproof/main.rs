//! Project Wycheproof's vectors, which know the mistakes that others made, against every primitive that has some.
//!
//! Each test states how many vectors it ran, by what was expected of them, and how many it passed over and why: a data
//! set that shrinks or a filter that grows fails it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod agreement;
mod encryption;
mod hashing;
mod post_quantum;
mod rsa;
mod signatures;
mod tally;
