//! CodeCommit: repositories, branches, commits, merges and pull requests under IAM.
//!
//! Owns what its calls mean. Refuses to know how objects are stored.
