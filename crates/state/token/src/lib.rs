//! PKCS#11 tokens: keys that are made in hardware, never leave it, and are used there.
//!
//! Owns modules, logins, sessions and what becomes of them when a token vanishes. The only crate that names the PKCS#11
//! library. Refuses to know what the keys are for, and who may use them.

mod error;
mod key;
mod module;
mod token;
mod token_threads;

pub use error::TokenError;
pub use key::{KeyFacts, SealedParts, TAG_LENGTH};
pub use token::{Identity, Token, TokenConfig};
pub use token_threads::TokenThreads;
