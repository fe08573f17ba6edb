//! A principal as a grant names it: by its ARN for people, and by what it was when the grant was made for the server.

use policy::{Principal, PrincipalKind};
use serde::{Deserialize, Serialize};
use service::ports::Principals;
use wire::Arn;

use crate::error::KmsError;
use crate::record::{account_arn, is_account_id};

/// The grantee or the retiring principal of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Party {
    /// As it was given.
    pub(crate) name: String,
    /// Whom it means: an account id, the unique id of a user or role, or the ARN of a session.
    pub(crate) bound: String,
}

/// How a caller comes to be a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the user, the root user, or a session of the role.
    Principal,
    /// It is the session.
    Session,
    /// It belongs to the account, whose identity policies decide.
    Account,
}

impl Party {
    /// Resolves a principal's ARN.
    ///
    /// # Errors
    /// [`KmsError::InvalidArn`] when it names no principal that exists.
    pub(crate) async fn resolve(name: &str, principals: &dyn Principals) -> Result<Self, KmsError> {
        let party = |bound: String| Self { name: name.to_owned(), bound };
        let unknown = || KmsError::InvalidArn { reason: format!("ARN does not refer to a valid principal: {name}") };
        let arn: Arn = if is_account_id(name) { account_arn(name) } else { name.parse().map_err(|_| unknown())? };
        let resource = arn.resource();
        match (arn.service(), resource) {
            ("iam", _) if resource == "root" || resource.starts_with("user/") || resource.starts_with("role/") => {
                principals.unique_id(&arn).await?.map(party)
            }
            // A session is gone before its ARN could be anybody else's, as long as its role is the same.
            ("sts", _) if resource.starts_with("assumed-role/") || resource.starts_with("federated-user/") => {
                let account = principals.unique_id(&account_arn(arn.account())).await?;
                account.map(|_| party(arn.as_str().to_owned()))
            }
            _ => None,
        }
        .ok_or_else(unknown)
    }

    /// The account that it is, if it is one.
    pub(crate) fn account(&self) -> Option<&str> {
        is_account_id(&self.bound).then_some(self.bound.as_str())
    }

    /// How `caller` is this party, if at all.
    pub(crate) fn standing(&self, caller: &Principal) -> Option<Standing> {
        names_of(caller).into_iter().flatten().find(|(name, _)| *name == self.bound).map(|(_, standing)| standing)
    }
}

/// The names by which a caller can be a party, the strongest first.
pub(crate) fn names_of(caller: &Principal) -> [Option<(&str, Standing)>; 3] {
    let bare_id = caller.unique_id.split(':').next().unwrap_or_default();
    let account = (!caller.account.is_empty()).then_some((caller.account.as_str(), Standing::Account));
    match caller.kind {
        PrincipalKind::Root => [Some((caller.account.as_str(), Standing::Principal)), None, None],
        PrincipalKind::User => [Some((bare_id, Standing::Principal)), account, None],
        PrincipalKind::Role { .. } => {
            [Some((bare_id, Standing::Principal)), Some((caller.arn.as_str(), Standing::Session)), account]
        }
        // The id is that of the user who federated it, to whom it is not equal.
        PrincipalKind::FederatedUser { .. } => [Some((caller.arn.as_str(), Standing::Session)), account, None],
        _ => [None, None, None],
    }
}
