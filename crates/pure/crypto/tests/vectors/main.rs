//! Published vectors against every primitive that has some: Project Wycheproof's, which know the mistakes that others
//! made, and NIST's.
//!
//! Each test states how many vectors it ran, by what was expected of them, and how many it passed over and why: a data
//! set that shrinks or a filter that grows fails it.
//!
//! Two primitives meet theirs beside the source: the counter-mode KDF, since its public functions compose the input that
//! NIST's vectors give whole, and ML-DSA under private keys that are no seeds, which nobody can bring. So does Ed25519ph
//! with RFC 8032's. For Shamir's sharing over this field nobody has published any.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod encodings;
mod nist;
mod tally;
mod wycheproof;
