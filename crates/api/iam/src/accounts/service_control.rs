//! Service control policies: what everybody in an account may do at most, its root user included.
//!
//! Set by the server's operator on its host, by nobody else. An account without any is not limited.

use policy::Kind as Grammar;
use serde_json::json;
use service::Operator;
use store::Store;

use crate::records::account;
use crate::records::service_control::{PARENT, ServiceControl};
use crate::values::document;
use crate::values::error::{IamError, Quota, Result};

/// How many characters a policy can have.
///
/// Source: AWS Organizations User Guide, "Quotas".
const SIZE_MAX: usize = 10_240;

/// Limits an account, given by its id or name: each call of anyone in it has to be allowed by this policy as well.
///
/// # Errors
/// [`IamError::MalformedPolicy`], [`IamError::LimitExceeded`], [`IamError::NoSuchAccount`], [`IamError::Store`].
pub async fn set_service_control(store: &Store, account: &str, document: String, by: Operator) -> Result<()> {
    document::parse(&document, Grammar::ServiceControl)?;
    if document::size(&document) > SIZE_MAX {
        return Err(IamError::LimitExceeded(Quota::Count { name: "PolicySize", limit: SIZE_MAX }));
    }
    let account = account.to_owned();
    store
        .write(move |tx| {
            let account = account::named(tx, &account)?;
            let parameters = json!({"account": account.id, "policyDocument": document});
            tx.record(&by.event("SetServiceControlPolicy", &parameters))?;
            Ok(tx.put(PARENT, &account.id, &ServiceControl { document })?)
        })
        .await
}

/// The policy that limits an account, if one does.
///
/// # Errors
/// [`IamError::NoSuchAccount`], [`IamError::Store`].
pub async fn service_control(store: &Store, account: &str) -> Result<Option<String>> {
    let account = account.to_owned();
    store
        .read(move |tx| {
            let account = account::named(tx, &account)?;
            Ok(tx.get::<ServiceControl>(PARENT, &account.id)?.map(|control| control.document))
        })
        .await
}

/// Takes the limits of an account away. Returns whether there were any.
///
/// # Errors
/// [`IamError::NoSuchAccount`], [`IamError::Store`].
pub async fn clear_service_control(store: &Store, account: &str, by: Operator) -> Result<bool> {
    let account = account.to_owned();
    store
        .write(move |tx| {
            let account = account::named(tx, &account)?;
            let cleared = tx.delete::<ServiceControl>(PARENT, &account.id)?;
            if cleared {
                tx.record(&by.event("ClearServiceControlPolicy", &json!({"account": account.id})))?;
            }
            Ok(cleared)
        })
        .await
}
