//! The answer to a request, and which statement of which policy gave it.

use std::fmt;
use std::sync::Arc;

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The request may proceed.
    Allowed(By),
    /// The request is refused.
    Denied(Reason),
}

impl Decision {
    /// Whether the request may proceed.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

/// Grounds for allowing a request. Several may hold: a key policy that delegates to the account and an identity policy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct By {
    /// The statement of the resource's policy.
    pub resource: Option<Cited>,
    /// The statement of an identity policy.
    pub identity: Option<Cited>,
    /// The caller is its account's root user, which needs no identity policy.
    pub root: bool,
    /// The resource allows the caller by other means than its policy, such as a KMS grant.
    pub grant: bool,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A statement denies it.
    ExplicitDeny(Cited),
    /// No policy of this kind allows it.
    NoAllow(PolicyLayer),
}

/// A statement that decided, by the name of its policy, its position and its Sid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cited {
    /// Kind of policy.
    pub source: PolicyLayer,
    /// The policy's name, as the caller of [`evaluate`](crate::evaluate) gave it.
    pub policy: String,
    /// The statement's position in the policy, counted from 0.
    pub statement: usize,
    /// The statement's Sid, if it has one.
    pub sid: Option<Arc<str>>,
}

/// Kind of policy, by how it bears on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyLayer {
    /// Limits an account.
    ServiceControl,
    /// Belongs to the resource.
    Resource,
    /// Says who may assume a role.
    Trust,
    /// Attached to the caller.
    Identity,
    /// Limits what identity policies can give the caller.
    Boundary,
    /// Limits a session.
    Session,
}

impl Reason {
    /// The end of AWS's message: `User: … is not authorized to perform: … on resource: … <phrase>`.
    ///
    /// Source: IAM User Guide, "Troubleshoot access denied error messages".
    #[must_use]
    pub fn phrase(&self, action: &str) -> String {
        match self {
            Self::ExplicitDeny(cited) => format!("with an explicit deny in {}", cited.source.with_article()),
            Self::NoAllow(source) => format!("because no {source} allows the {action} action"),
        }
    }

    /// The kind of policy that refused.
    #[must_use]
    pub const fn source(&self) -> PolicyLayer {
        match self {
            Self::ExplicitDeny(cited) => cited.source,
            Self::NoAllow(source) => *source,
        }
    }
}

impl PolicyLayer {
    const fn with_article(self) -> &'static str {
        match self {
            Self::ServiceControl => "a service control policy",
            Self::Resource => "a resource-based policy",
            Self::Trust => "the role trust policy",
            Self::Identity => "an identity-based policy",
            Self::Boundary => "a permissions boundary",
            Self::Session => "a session policy",
        }
    }
}

impl fmt::Display for PolicyLayer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::ServiceControl => "service control policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
        })
    }
}

impl fmt::Display for Cited {
    /// `Statement[2] (DenyDeletes) of the identity-based policy arn:aws:iam::111122223333:policy/limits`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Statement[{}]", self.statement)?;
        if let Some(sid) = &self.sid {
            write!(out, " ({sid})")?;
        }
        write!(out, " of the {} {}", self.source, self.policy)
    }
}

impl fmt::Display for Reason {
    /// The statement that denies, which the phrase omits, or the kind of policy that lacks an allow.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExplicitDeny(cited) => write!(out, "denied by {cited}"),
            Self::NoAllow(source) => write!(out, "no {source} allows it"),
        }
    }
}

impl fmt::Display for By {
    /// Everything that allowed the request, joined with `and`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("allowed")?;
        let mut joint = " by ";
        for cited in [&self.resource, &self.identity].into_iter().flatten() {
            write!(out, "{joint}{cited}")?;
            joint = " and ";
        }
        if self.grant {
            write!(out, "{joint}a grant")?;
            joint = " and ";
        }
        if self.root {
            write!(out, "{joint}being the account's root user")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
