//! ARNs of managed policies as callers give them.

use wire::Arn;
use wire::shape::Rule;

use crate::values::error::{IamError, Result};

/// The rule of every ARN among the parameters.
pub(crate) const LENGTH: Rule = Rule::Length(20, 2048);

/// The account in the ARNs of AWS-managed policies.
pub(crate) const AWS: &str = "aws";

/// Reads an ARN.
///
/// # Errors
/// `ValidationError`.
pub(crate) fn check(text: &str) -> Result<Arn> {
    text.parse().map_err(|_| IamError::Validation("Invalid ARN:  Could not be parsed!".to_owned()))
}

/// Whether an ARN is that of an AWS-managed policy.
pub(crate) fn is_aws_managed(arn: &str) -> bool {
    arn.starts_with("arn:aws:iam::aws:policy/")
}
