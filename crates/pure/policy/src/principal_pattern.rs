//! One entry of a `Principal` or `NotPrincipal` element, and how it reaches a caller.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".

use std::fmt;

use wire::Arn;

use crate::{Principal, PrincipalKind};

/// One entry of a `Principal` or `NotPrincipal` element.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalPattern {
    /// `"*"` or `{"AWS": "*"}`: everybody, anonymous callers included.
    Anyone,
    /// An account id or its root ARN: everybody in the account whom its own policies allow.
    Account(String),
    /// An IAM user or role.
    Named {
        /// Its ARN, with its path.
        arn: Arn,
        /// Which user or role it is, whoever bears the name now.
        bound: Bound,
    },
    /// One session: `arn:aws:sts::…:assumed-role/Name/session` or `…:federated-user/Name`.
    Session(Arn),
    /// A user or role by its unique id, as a policy shows it once the name is gone.
    UniqueId(String),
    /// A service, such as `codedeploy.amazonaws.com`.
    Service(String),
    /// An identity provider, by ARN or well-known name.
    Federated(String),
    /// An account by its canonical user id. It matches nobody until it is replaced by the account, see
    /// [`Policy::bind_canonical_users`](crate::Policy::bind_canonical_users).
    CanonicalUser(String),
}

/// Which user or role an ARN in a policy stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Whoever bears the name: the policy was not tied yet.
    Name,
    /// The one with this unique id.
    Id(String),
    /// Nobody: there was none of that name when the policy was tied.
    Nobody,
}

/// How an entry reaches a caller, weakest first. It decides which other policies still limit what is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Through the caller's account, whose identity policies decide.
    Account,
    /// Through the role, or the user who federated: the session's limits apply.
    Holder,
    /// The very caller.
    Direct,
}

impl PrincipalPattern {
    /// Reads an entry under `AWS`.
    pub(crate) fn aws(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Anyone);
        }
        if is_account(text) {
            return Some(Self::Account(text.to_owned()));
        }
        if is_unique_id(text) {
            return Some(Self::UniqueId(text.to_owned()));
        }
        let arn: Arn = text.parse().ok()?;
        let partition = arn.partition().strip_prefix("aws")?;
        let sound = partition.is_empty() || partition.starts_with('-');
        if !sound || !arn.region().is_empty() || !is_account(arn.account()) || text.contains(['*', '?', '$']) {
            return None;
        }
        let (kind, name) = arn.resource().split_once('/').unwrap_or((arn.resource(), ""));
        let named = !name.is_empty() && !name.starts_with('/') && !name.ends_with('/');
        match (arn.service(), kind) {
            ("iam", "root") if arn.resource() == "root" => Some(Self::Account(arn.account().to_owned())),
            ("iam", "user" | "role") if named => Some(Self::Named { arn, bound: Bound::Name }),
            ("sts", "assumed-role") if named && name.split('/').count() == 2 => Some(Self::Session(arn)),
            ("sts", "federated-user") if named && !name.contains('/') => Some(Self::Session(arn)),
            _ => None,
        }
    }

    /// Reads an entry under `Service`.
    pub(crate) fn service(text: &str) -> Option<Self> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        let sound = text.contains('.') && text.bytes().all(letter) && !text.starts_with('.') && !text.ends_with('.');
        sound.then(|| Self::Service(text.to_owned()))
    }

    /// Reads an entry under `Federated`.
    pub(crate) fn federated(text: &str) -> Option<Self> {
        let sound = !text.is_empty() && !text.contains(['*', '?', '$', ' ']);
        let provider = text.parse::<Arn>().map_or_else(
            |_| text.contains('.') && !text.contains(':'),
            |arn| {
                let resource = arn.resource();
                arn.service() == "iam"
                    && is_account(arn.account())
                    && (resource.starts_with("oidc-provider/") || resource.starts_with("saml-provider/"))
            },
        );
        (sound && provider).then(|| Self::Federated(text.to_owned()))
    }

    /// Reads an entry under `CanonicalUser`.
    pub(crate) fn canonical_user(text: &str) -> Option<Self> {
        let sound = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then(|| Self::CanonicalUser(text.to_ascii_lowercase()))
    }

    /// How the entry reaches the caller, if it does.
    pub(crate) fn reach(&self, principal: &Principal) -> Option<Reach> {
        let named = |arn: &Arn, bound: &Bound, bearer: &Arn| {
            arn == bearer
                && match bound {
                    Bound::Name => true,
                    Bound::Id(id) => id == principal.bare_id(),
                    Bound::Nobody => false,
                }
        };
        let reach = match (self, &principal.kind) {
            (Self::Anyone, _) => Reach::Direct,
            (
                Self::Account(account),
                PrincipalKind::Root
                | PrincipalKind::User
                | PrincipalKind::Role { .. }
                | PrincipalKind::FederatedUser { .. },
            ) if *account == principal.account => Reach::Account,
            (Self::Named { arn, bound }, PrincipalKind::User) if named(arn, bound, &principal.arn) => Reach::Direct,
            (
                Self::Named { arn, bound },
                PrincipalKind::Role { role_arn: bearer } | PrincipalKind::FederatedUser { user_arn: bearer },
            ) if named(arn, bound, bearer) => Reach::Holder,
            (Self::Session(arn), PrincipalKind::Role { .. } | PrincipalKind::FederatedUser { .. })
                if *arn == principal.arn =>
            {
                Reach::Direct
            }
            (Self::UniqueId(id), PrincipalKind::User) if id == principal.bare_id() => Reach::Direct,
            (Self::UniqueId(id), PrincipalKind::Role { .. } | PrincipalKind::FederatedUser { .. })
                if id == principal.bare_id() =>
            {
                Reach::Holder
            }
            (Self::Service(service), PrincipalKind::Service { name }) if service == name => Reach::Direct,
            (Self::Federated(one), PrincipalKind::Federated { provider }) if one == provider => Reach::Direct,
            _ => return None,
        };
        Some(reach)
    }
}

impl fmt::Display for PrincipalPattern {
    /// `"AWS":"arn:aws:iam::111122223333:user/alice"`, as AWS quotes principals in its errors.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, text) = match self {
            Self::Anyone => ("AWS", "*"),
            Self::Account(text) | Self::UniqueId(text) => ("AWS", text.as_str()),
            Self::Named { arn, .. } | Self::Session(arn) => ("AWS", arn.as_str()),
            Self::Service(text) => ("Service", text.as_str()),
            Self::Federated(text) => ("Federated", text.as_str()),
            Self::CanonicalUser(text) => ("CanonicalUser", text.as_str()),
        };
        write!(out, "\"{kind}\":\"{text}\"")
    }
}

/// How the best entry of a `Principal` element reaches the caller, if any does.
pub(crate) fn reach(patterns: &[PrincipalPattern], principal: &Principal) -> Option<Reach> {
    patterns.iter().filter_map(|pattern| pattern.reach(principal)).max()
}

/// Whether a `NotPrincipal` element leaves the caller out.
///
/// Whoever belongs to an account is left out only if both the account and the user, role or session are listed: the
/// account is looked at first, and then who it is within.
pub(crate) fn exempts(patterns: &[PrincipalPattern], principal: &Principal) -> bool {
    let mut account = false;
    let mut identity = principal.kind == PrincipalKind::Root;
    for pattern in patterns {
        match pattern.reach(principal) {
            Some(Reach::Account) => account = true,
            Some(Reach::Direct) if *pattern == PrincipalPattern::Anyone => return true,
            Some(Reach::Holder | Reach::Direct) => identity = true,
            None => {}
        }
    }
    identity && (account || !principal.has_account())
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_unique_id(text: &str) -> bool {
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && (16..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
