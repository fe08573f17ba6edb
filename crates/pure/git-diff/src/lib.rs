//! Differences of Git's trees and files, renames, and merges as git makes them.
//!
//! Owns what differs and how two changes become one. Refuses to know where objects lie and what references point to them.

mod ancestors;
mod binary;
mod error;
pub mod lines;
pub mod merge;
pub mod renames;
mod similarity;
mod source;
pub mod text_merge;
mod tree_diff;

pub use ancestors::Ancestors;
pub use binary::is_binary;
pub use error::DiffError;
pub use source::{Item, Source, item_at};
pub use tree_diff::{Change, TreeDiff};
