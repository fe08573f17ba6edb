//! The user that an operation with an optional `UserName` acts on: the named one, or the caller.

use policy::PrincipalKind;
use service::{Call, Need, Resource};

use crate::Iam;
use crate::records::entity::{self, Identity};
use crate::records::user::User;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;

/// The subject of an operation with an optional `UserName`.
pub(crate) enum Subject {
    /// A user, named or the caller itself.
    User(Box<User>),
    /// The account's root user, as the caller.
    Root,
}

impl Subject {
    /// The user, for operations on credentials that the root user does not have.
    ///
    /// # Errors
    /// `ValidationError` for the root user.
    pub(crate) fn user(&self) -> Result<&Identity> {
        match self {
            Self::User(user) => Ok(&user.identity),
            Self::Root => Err(IamError::Validation("Must specify userName when calling as the root user".to_owned())),
        }
    }
}

impl Resource for Subject {
    type Service = Iam;
    type Key<'a> = Option<&'a str>;

    /// Fails with `NoSuchEntity`, and with `ValidationError` when no name is given and the caller is a session.
    async fn find<'a>(name: Option<&'a str>, call: &'a Call<'_, Iam>) -> Result<Self> {
        if let Some(name) = name {
            return Ok(Self::User(Box::new(call.service.entity(call.account(), name).await?)));
        }
        match call.caller.principal.kind {
            PrincipalKind::Root => Ok(Self::Root),
            PrincipalKind::User => {
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

    fn need<'n>(&'n self, name: Option<&'n str>, action: &'static str, call: &'n Call<'_, Iam>) -> Need<'n> {
        match (self, name) {
            (Self::User(user), _) => entity::need(action, call.account(), "", Some(&**user)),
            (Self::Root, Some(name)) => entity::need::<User>(action, call.account(), name, None),
            (Self::Root, None) => Need::identity(action, call.caller.principal.arn.as_str()),
        }
    }

    fn need_of_missing<'n>(name: Option<&'n str>, action: &'static str, call: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(match name {
            Some(name) => entity::need::<User>(action, call.account(), name, None),
            None => Need::identity(action, call.caller.principal.arn.as_str()),
        })
    }
}
