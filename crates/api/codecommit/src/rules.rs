//! Constraints that members of several operations share.
//!
//! Source: botocore's model of CodeCommit; AWS CodeCommit User Guide, "Quotas in AWS CodeCommit".

use wire::shape::Rule;

/// A repository's name.
pub(crate) const NAME: Rule = Rule::Length(1, 100);

/// The characters of a repository's name.
pub(crate) const NAME_PATTERN: Rule = Rule::Pattern(r"[\w\.-]+");

/// A repository's description.
pub(crate) const DESCRIPTION: Rule = Rule::Length(0, 1000);

/// The form of a KMS key's name.
pub(crate) const KMS_KEY: Rule = Rule::Pattern("^[a-zA-Z0-9:/_-]+$");

/// How long the names of KMS keys are.
pub(crate) const KMS_KEY_LENGTH: Rule = Rule::Length(1, 2048);

/// A place in a list that a caller hands back.
pub(crate) const TOKEN: Rule = Rule::Length(1, 4096);
