//! The user that an operation with an optional `UserName` acts on: the named one, or the caller.

use service::{Call, Need};

use crate::Iam;
use crate::records::entity;
use crate::records::user::User;
use crate::values::error::IamError;
use crate::values::kind::Kind;

/// Whom an operation with an optional `UserName` is about.
pub(crate) enum Subject {
    /// A user, named or the caller itself.
    User(Box<User>),
    /// The account's root user, as the caller.
    Root,
}

impl Subject {
    /// The user called `name`, or the caller.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ValidationError` when no name is given and the caller is a session.
    pub(crate) async fn find(name: Option<&str>, call: &Call<'_, Iam>) -> Result<Self, IamError> {
        if let Some(name) = name {
            return Ok(Self::User(Box::new(call.service.entity(call.account(), name).await?)));
        }
        match call.caller.principal.kind {
            policy::PrincipalKind::Root => Ok(Self::Root),
            policy::PrincipalKind::User => {
                let principal = &call.caller.principal;
                let (account, id) = (principal.account.clone(), principal.unique_id.clone());
                let user = call.service.store.read(move |tx| tx.get::<User>(&account, &id)).await?;
                // Deleted since the call was authenticated.
                let gone = || IamError::NoSuchEntity { kind: Kind::User, name: principal.unique_id.clone() };
                user.map(|user| Self::User(Box::new(user))).ok_or_else(gone)
            }
            _ => Err(IamError::Validation("Must specify userName when calling with non-User credentials".to_owned())),
        }
    }

    /// The need of `action` on the subject, found or not.
    pub(crate) fn need(
        action: &'static str,
        name: Option<&str>,
        found: Option<&Self>,
        call: &Call<'_, Iam>,
    ) -> Need<'static> {
        match (found, name) {
            (Some(Self::User(user)), _) => entity::need(action, call.account(), "", Some(&**user)),
            (_, Some(name)) => entity::need::<User>(action, call.account(), name, None),
            (_, None) => Need::identity(action, call.caller.principal.arn.to_string()),
        }
    }
}
