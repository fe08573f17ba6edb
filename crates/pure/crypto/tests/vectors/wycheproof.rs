//! Project Wycheproof's vectors.

mod agreement;
mod encryption;
mod hashing;
mod post_quantum;
mod rsa;
mod signatures;
