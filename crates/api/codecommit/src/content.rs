//! A repository's content at one time: commits, folders and files, read on threads that may block.

mod ancestry;
pub(crate) mod edit;
mod mode;
mod reader;
mod specifier;

pub(crate) use ancestry::{leads_to, merge_base};
pub(crate) use mode::FileMode;
pub(crate) use reader::{COMPARED_BYTES_MAX, CommitParts, Made, Reader, blocking};
pub(crate) use specifier::{branch_name, check_branch_name, full_branch, object_id, resolve, resolve_or_head};
