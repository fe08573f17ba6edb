//! A key's part in a decision, for explanations without a call.

use std::collections::BTreeMap;

use service::{Caller, Need, Side};
use wire::Arn;

use crate::Kms;
use crate::access::{self, guard};
use crate::error::KmsError;
use crate::record::{GrantOperation, GrantUse, domain};

impl Kms {
    /// The part of the key at `arn` in a decision about `caller`: its policy, its grants that allow the action with
    /// this encryption context, and its condition keys. `None` if there is no such key.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn side(
        &self,
        arn: &Arn,
        caller: &Caller,
        action: &str,
        encryption_context: &BTreeMap<String, String>,
    ) -> Result<Option<Side>, KmsError> {
        let Some(id) = arn.resource().strip_prefix("key/").filter(|_| arn.service() == "kms") else { return Ok(None) };
        let Some(key) = self.keys.get(&domain(arn.account(), arn.region()), id).await? else { return Ok(None) };
        let granted = self.grants.get(&key.record.path()).await?;
        let name = action.split_once(':').map_or(action, |(_, name)| name);
        let usage = GrantOperation::from_text(name).map(|operation| match operation {
            GrantOperation::DescribeKey | GrantOperation::GetPublicKey | GrantOperation::RetireGrant => {
                GrantUse::Plain(operation)
            }
            operation => GrantUse::Crypto(operation, encryption_context),
        });
        let guard = guard(&key, Some(&granted), usage.as_ref(), caller, action);
        let need = Need::identity("", &*key.arn).guarded(guard);
        let need = access::describe_key_to(need, &key.record, &caller.principal.account);
        Ok(Some(Side::from(access::describe_context(need, encryption_context).into_owned())))
    }
}
