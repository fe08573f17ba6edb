//! One entry of a `Principal` or `NotPrincipal` element.

use wire::Arn;

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
    /// An account by its canonical user id.
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
