//! Git over HTTP and SSH, in front of CodeCommit's transfers.
//!
//! Owns how clients of Git authenticate, and the form of requests and answers on either transport. Refuses to know what
//! a transfer says, and what callers may.
//!
//! Source: gitprotocol-http, gitprotocol-pack; AWS CodeCommit User Guide, "Setting up".

mod http;
pub mod ssh;
mod tokens;

pub use crate::http::{GitHttp, is_git_path};
pub use tokens::Tokens;
