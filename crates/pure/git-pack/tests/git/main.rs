//! Packs compared with the real git: what it makes, what it says of what we make.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has to stop, saying why"
)]

mod hostile;
mod indexes;
mod repacking;
mod repository;
mod thin;
mod writing;
