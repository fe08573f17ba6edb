//! Trust policies: who may assume a role, and which principals their names stood for when they were written down.

use std::collections::BTreeMap;

use policy::{Kind as Grammar, Policy, PrincipalPattern};
use serde::{Deserialize, Serialize};
use store::ReadTx;

use crate::records::{account, principal};
use crate::values::document;
use crate::values::error::{IamError, Quota, Result};

/// The largest trust policy, in characters without white space.
const SIZE_MAX: usize = 2048;

/// A trust policy as a role's record keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trust {
    pub(crate) document: String,
    /// The unique id of each user and role that it names, by ARN.
    ///
    /// One who is deleted and made again under the same name has another id and is not meant.
    principals: BTreeMap<String, String>,
}

impl Trust {
    /// Checks a trust policy and looks up whom it names.
    ///
    /// # Errors
    /// `MalformedPolicyDocument`, also when it names somebody who does not exist; `LimitExceeded`.
    pub(crate) fn resolve(tx: &ReadTx<'_>, document: String) -> Result<Self> {
        let policy = document::parse(&document, Grammar::Trust)?;
        if document::size(&document) > SIZE_MAX {
            return Err(IamError::LimitExceeded(Quota::Count { name: "ACLSizePerRole", limit: SIZE_MAX }));
        }
        let mut principals = BTreeMap::new();
        for pattern in policy.principals() {
            let (principal, id) = match pattern {
                PrincipalPattern::Named { arn, .. } => (arn.as_str(), principal::unique_id(tx, arn)?),
                PrincipalPattern::Account(id) => (id.as_str(), account::find(tx, id)?.map(|account| account.id)),
                _ => continue,
            };
            let Some(id) = id else { return Err(IamError::InvalidPrincipal { principal: principal.to_owned() }) };
            if matches!(pattern, PrincipalPattern::Named { .. }) {
                principals.insert(principal.to_owned(), id);
            }
        }
        Ok(Self { document, principals })
    }

    /// The policy, with each name tied to whom it stood for when it was written down.
    ///
    /// # Errors
    /// `MalformedPolicyDocument`, which the operations that store it do not let happen.
    pub(crate) fn policy(&self) -> Result<Policy> {
        let mut policy = document::parse(&self.document, Grammar::Trust)?;
        policy.bind_principals(&mut |arn| self.principals.get(arn.as_str()).cloned());
        Ok(policy)
    }
}
