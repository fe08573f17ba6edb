//! The decision: which policies must allow, which may deny, and in what order that is found out.

use crate::{Context, Decision, Policy, Principal, Reason, Source};

/// A request for one action on one resource.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// The action, such as `kms:Encrypt`.
    pub action: &'a str,
    /// The resource's ARN, or `*` for actions that have none.
    pub resource: &'a str,
    /// The account that owns the resource; the caller's own if `None`.
    pub resource_account: Option<&'a str>,
    /// The condition keys.
    pub context: &'a Context<'a>,
}

/// A policy and the name by which explanations call it: its ARN, or its name if it is inline.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The name.
    pub name: &'a str,
    /// The policy.
    pub policy: &'a Policy,
}

/// The policies that bear on one request.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'a> {
    /// Attached to the caller, directly and through groups.
    pub identity: &'a [Named<'a>],
    /// The caller's permissions boundary.
    pub boundary: Option<Named<'a>>,
    /// The session's policies, if it is limited by any: one of them must allow. `Some(&[])` allows nothing.
    pub session: Option<&'a [Named<'a>]>,
    /// The service control policies that bear on the caller's account, level by level: each level must allow.
    pub service_control: &'a [&'a [Named<'a>]],
    /// What the resource itself says.
    pub resource: ResourceSide<'a>,
}

/// What the resource itself says about a request.
#[derive(Clone, Copy, Debug)]
pub enum ResourceSide<'a> {
    /// Nothing: it has no policy.
    None,
    /// It has a policy as S3 buckets have: within the account, an identity policy suffices without it.
    Shared(Named<'a>),
    /// It has a policy as KMS keys have: without an allow in it nobody gets in, the account's root user included.
    Mandatory(Named<'a>),
    /// It allows the caller by other means, such as a KMS grant to the user or role; its policy can still deny.
    /// No identity policy is needed, but a boundary or session policy limits the sessions of a role.
    Granted(Named<'a>),
    /// As [`ResourceSide::Granted`], to the very session that calls: only explicit denies and service control policies
    /// limit it.
    GrantedToSession(Named<'a>),
    /// It is a role, and this is its trust policy: as [`ResourceSide::Mandatory`], without resources.
    Trust(Named<'a>),
}

/// Decides a request.
#[must_use]
pub fn evaluate(_request: &Request<'_>, _policies: &Policies<'_>) -> Decision {
    Decision::Denied(Reason::NoAllow(Source::Identity))
}
