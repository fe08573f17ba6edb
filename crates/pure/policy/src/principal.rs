//! Who makes a request, and what the request context says of them.

use wire::Arn;

use crate::Context;

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// ARN that `Principal` elements name and refusals show: the user's ARN, the session's ARN, the account's root ARN.
    /// For services, federated identities and anonymous callers it is only for show.
    pub arn: Arn,
    /// The account the principal belongs to; empty for a service, a federated identity and an anonymous caller.
    pub account: String,
    /// The user's or role's unique id (`AIDA…`, `AROA…`). A role session may add `:` and its session name. A federated
    /// user has the id of the IAM user who federated it. The root user has the account id. Others have none.
    pub unique_id: String,
    /// Kind of principal.
    pub kind: PrincipalKind,
}

/// The kinds of principal that policies distinguish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The account's root user, which needs no identity policy.
    Root,
    /// An IAM user, by access key or `GetSessionToken`.
    User,
    /// A session of a role.
    Role {
        /// The role, with its path: `arn:aws:iam::111122223333:role/path/Name`.
        role_arn: Arn,
    },
    /// A session that an IAM user made with `GetFederationToken`.
    FederatedUser {
        /// The IAM user who made it.
        user_arn: Arn,
    },
    /// An identity that an identity provider has authenticated, as it assumes a role.
    Federated {
        /// As trust policies write it: the provider's ARN, or a well-known name such as `accounts.google.com`.
        provider: String,
    },
    /// A service.
    Service {
        /// As policies write it, such as `codedeploy.amazonaws.com`.
        name: String,
    },
    /// Nobody in particular.
    Anonymous,
}

impl Principal {
    /// The root user of an account.
    #[must_use]
    pub fn root(account: &str) -> Self {
        Self {
            arn: Arn::new("iam", "", account, "root"),
            account: account.to_owned(),
            unique_id: account.to_owned(),
            kind: PrincipalKind::Root,
        }
    }

    /// An IAM user.
    #[must_use]
    pub fn user(arn: Arn, unique_id: impl Into<String>) -> Self {
        Self { account: arn.account().to_owned(), arn, unique_id: unique_id.into(), kind: PrincipalKind::User }
    }

    /// A session of a role: `arn` is the session's (`arn:aws:sts::…:assumed-role/Name/session`), `unique_id` the role's.
    #[must_use]
    pub fn role_session(arn: Arn, role_arn: Arn, unique_id: impl Into<String>) -> Self {
        Self {
            account: arn.account().to_owned(),
            arn,
            unique_id: unique_id.into(),
            kind: PrincipalKind::Role { role_arn },
        }
    }

    /// A federated user's session: `arn` is the session's (`arn:aws:sts::…:federated-user/Name`), `unique_id` that of
    /// the IAM user at `user_arn`.
    #[must_use]
    pub fn federated_user(arn: Arn, user_arn: Arn, unique_id: impl Into<String>) -> Self {
        Self {
            account: arn.account().to_owned(),
            arn,
            unique_id: unique_id.into(),
            kind: PrincipalKind::FederatedUser { user_arn },
        }
    }

    /// An identity of `provider`: the provider's ARN or well-known name.
    #[must_use]
    pub fn federated(provider: &str) -> Self {
        Self {
            arn: provider.parse().unwrap_or_else(|_| Arn::new("sts", "", "", provider)),
            account: String::new(),
            unique_id: String::new(),
            kind: PrincipalKind::Federated { provider: provider.to_owned() },
        }
    }

    /// A service, such as `codedeploy.amazonaws.com`.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self {
            arn: Arn::new("iam", "", "", name),
            account: String::new(),
            unique_id: String::new(),
            kind: PrincipalKind::Service { name: name.to_owned() },
        }
    }

    /// Nobody in particular.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            arn: Arn::new("iam", "", "", "anonymous"),
            account: String::new(),
            unique_id: String::new(),
            kind: PrincipalKind::Anonymous,
        }
    }

    /// Sets the condition keys that follow from who calls: `aws:PrincipalArn` (the role's for a session),
    /// `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:PrincipalIsAWSService`, `aws:PrincipalServiceName`,
    /// `aws:userid` and, for IAM users, `aws:username`.
    ///
    /// Tags, organisation, MFA and the token's age are the caller's to add.
    ///
    /// Source: IAM User Guide, "AWS global condition context keys" and "IAM policy elements: variables and tags".
    pub fn describe<'a>(&'a self, context: &mut Context<'a>) {
        if !self.account.is_empty() {
            context.insert("aws:PrincipalAccount", &self.account);
        }
        context.insert("aws:PrincipalIsAWSService", matches!(self.kind, PrincipalKind::Service { .. }));
        let last = self.arn.resource().rsplit('/').next().unwrap_or_default();
        match &self.kind {
            PrincipalKind::Root => {
                context.insert("aws:PrincipalArn", &self.arn);
                context.insert("aws:PrincipalType", "Account");
                context.insert("aws:userid", &self.account);
            }
            PrincipalKind::User => {
                context.insert("aws:PrincipalArn", &self.arn);
                context.insert("aws:PrincipalType", "User");
                context.insert("aws:userid", &self.unique_id);
                context.insert("aws:username", last);
            }
            PrincipalKind::Role { role_arn } => {
                context.insert("aws:PrincipalArn", role_arn);
                context.insert("aws:PrincipalType", "AssumedRole");
                if self.unique_id.contains(':') {
                    context.insert("aws:userid", &self.unique_id);
                } else {
                    context.insert("aws:userid", format!("{}:{last}", self.unique_id));
                }
            }
            PrincipalKind::FederatedUser { .. } => {
                context.insert("aws:PrincipalArn", &self.arn);
                context.insert("aws:PrincipalType", "FederatedUser");
                context.insert("aws:userid", format!("{}:{last}", self.account));
            }
            PrincipalKind::Federated { .. } => {}
            PrincipalKind::Service { name } => context.insert("aws:PrincipalServiceName", name),
            PrincipalKind::Anonymous => {
                context.insert("aws:PrincipalType", "Anonymous");
                context.insert("aws:userid", "anonymous");
            }
        }
    }

    /// Whether the principal belongs to an account, whose identity policies can then allow it things.
    pub(crate) const fn has_account(&self) -> bool {
        match self.kind {
            PrincipalKind::Root
            | PrincipalKind::User
            | PrincipalKind::Role { .. }
            | PrincipalKind::FederatedUser { .. } => true,
            PrincipalKind::Federated { .. } | PrincipalKind::Service { .. } | PrincipalKind::Anonymous => false,
        }
    }

    /// The unique id without the session name that a role session may add: the id under which policies are stored.
    #[must_use]
    pub fn bare_id(&self) -> &str {
        match self.kind {
            PrincipalKind::Role { .. } => self.unique_id.split(':').next().unwrap_or_default(),
            _ => &self.unique_id,
        }
    }
}

#[cfg(test)]
mod tests;
