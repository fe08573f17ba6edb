//! A bucket's policy as it is stored: which documents are accepted, and what they mean.

use std::collections::BTreeMap;

use policy::{Kind, Policy, PrincipalPattern};
use serde::{Deserialize, Serialize};
use service::ports::Principals;
use store::Record;
use wire::Arn;

use super::document::{Document, malformed};
use crate::error::S3Error;

/// The longest policy in bytes.
const POLICY_BYTES_MAX: usize = 20 * 1024;

/// A bucket's policy, stored under the bucket's id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    /// The document as it was given.
    pub(crate) text: String,
    /// The unique ids that the users and roles in it had when it was given.
    bound: BTreeMap<String, String>,
}

impl Record for PolicyRecord {
    const COLLECTION: &'static str = "s3-bucket-policy";
}

impl PolicyRecord {
    /// Takes in a policy that a caller gave for the bucket `bucket`: it must be well-formed, concern this bucket alone, and
    /// the principals in it must exist.
    ///
    /// # Errors
    /// [`Refusal::MalformedPolicy`]; those of the store.
    pub(crate) async fn accept(text: String, bucket: &str, principals: &dyn Principals) -> Result<Self, S3Error> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(malformed(format!("Policies must be at most {POLICY_BYTES_MAX} bytes")));
        }
        if !text.trim_start().starts_with('{') {
            return Err(malformed("Policies must be valid JSON and the first byte must be '{'"));
        }
        let policy = Policy::parse(&text, Kind::Resource).map_err(|wrong| malformed(wrong.to_string()))?;
        let mut bound = BTreeMap::new();
        for principal in policy.principals() {
            let exists = match principal {
                PrincipalPattern::Named { arn, .. } => match principals.unique_id(arn).await? {
                    Some(id) => {
                        bound.insert(arn.as_str().to_owned(), id);
                        true
                    }
                    None => false,
                },
                PrincipalPattern::Account(account) => principals.unique_id(&root(account)).await?.is_some(),
                PrincipalPattern::Session(arn) => principals.unique_id(&root(arn.account())).await?.is_some(),
                // Stands for a principal that was deleted.
                PrincipalPattern::UniqueId(_) => false,
                _ => true,
            };
            if !exists {
                return Err(malformed("Invalid principal in policy"));
            }
        }
        Document::read(&text)?.check_scope(bucket)?;
        Ok(Self { text, bound })
    }

    /// Whether it lets anybody in, as far as public access blocks are concerned.
    pub(crate) fn is_public(&self) -> bool {
        // One that cannot be read lets nobody in, but is not for that reason harmless.
        Document::read(&self.text).map_or(true, |document| document.is_public())
    }

    /// The policy, ready for use.
    ///
    /// # Errors
    /// The stored policy no longer parses.
    pub(crate) fn parse(&self) -> Result<Policy, policy::Malformed> {
        let mut policy = Policy::parse(&self.text, Kind::Resource)?;
        policy.bind_principals(&mut |arn| self.bound.get(arn.as_str()).cloned());
        Ok(policy)
    }
}

/// The ARN of an account's root user.
fn root(account: &str) -> Arn {
    Arn::new("iam", "", account, "root")
}
