//! The decision: which policies must allow, which may deny, and in what order that is found out.
//!
//! Source: IAM User Guide, "Policy evaluation logic"; KMS Developer Guide, "Key policies".

use crate::action::Room;
use crate::principal_pattern::Reach;
use crate::statement::Probe;
use crate::{By, Cited, Context, Decision, Effect, Policy, PolicyLayer, Principal, PrincipalKind, Reason, Statement};

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
    /// The resource's own policy, and how it counts.
    pub resource: ResourceSide<'a>,
}

/// The resource's own policy, how it counts, and other access that the resource gives the caller.
#[derive(Clone, Copy, Debug)]
pub enum ResourceSide<'a> {
    /// Nothing: it has no policy.
    None,
    /// It has a policy as S3 buckets have: within the account, an identity policy suffices without it.
    Shared(Named<'a>),
    /// It has a policy as KMS keys have: without an allow in it nobody gets in, the account's root user included.
    Mandatory(Named<'a>),
    /// As [`ResourceSide::Mandatory`], and it also allows the caller by other means, such as a KMS grant to the user or
    /// role: no policy needs to allow then, but explicit denies and service control policies count, and a boundary or
    /// session policy limits the sessions of a role and callers of other accounts.
    Granted(Named<'a>),
    /// As [`ResourceSide::Granted`], to the very session that calls, which its boundary and session policies do not
    /// limit within the account.
    GrantedToSession(Named<'a>),
    /// It is a role, and this is its trust policy: as [`ResourceSide::Mandatory`], without resources.
    Trust(Named<'a>),
}

impl Default for Policies<'_> {
    /// No policies at all.
    fn default() -> Self {
        Self { identity: &[], boundary: None, session: None, service_control: &[], resource: ResourceSide::None }
    }
}

/// Decides a request, and cites what decided.
#[must_use]
pub fn evaluate(request: &Request<'_>, policies: &Policies<'_>) -> Decision {
    match decide(request, policies) {
        Ok(allowing) => Decision::Allowed(allowing.cite()),
        Err(reason) => Decision::Denied(reason),
    }
}

/// Decides a request as [`evaluate`] does, without saying what allowed it. Nothing is allocated unless it is refused.
///
/// # Errors
/// Why the request is refused.
pub fn permit(request: &Request<'_>, policies: &Policies<'_>) -> Result<(), Reason> {
    decide(request, policies).map(|_| ())
}

fn decide<'a>(request: &Request<'a>, policies: &Policies<'a>) -> Result<Allowing<'a>, Reason> {
    let mut room = Room::new();
    let probe = Probe::new(request, policies.boundary.is_some(), &mut room);

    // Every policy is searched for denies before any allow counts; what allows is noted on the way.
    let mut every_level_allows = true;
    for level in policies.service_control {
        every_level_allows &= search(level, PolicyLayer::ServiceControl, &probe)?.is_some();
    }
    let (side, source) = policies.resource.policy();
    let resource = search(side.as_slice(), source, &probe)?;
    let findings = Findings {
        principal: request.principal,
        resource,
        identity: search(policies.identity, PolicyLayer::Identity, &probe)?,
        boundary: policies.boundary.map(|named| search(&[named], PolicyLayer::Boundary, &probe)).transpose()?,
        session: policies.session.map(|named| search(named, PolicyLayer::Session, &probe)).transpose()?,
        across: request.principal.has_account()
            && request.resource_account.is_some_and(|account| account != request.principal.account),
    };

    if !every_level_allows {
        return Err(Reason::NoAllow(PolicyLayer::ServiceControl));
    }
    match policies.resource {
        ResourceSide::None | ResourceSide::Shared(_) => findings.conclude(false, source),
        ResourceSide::Mandatory(_) | ResourceSide::Trust(_) => findings.conclude(true, source),
        ResourceSide::Granted(_) | ResourceSide::GrantedToSession(_) => findings.conclude(true, source).or_else(|_| {
            let direct = matches!(policies.resource, ResourceSide::GrantedToSession(_))
                || !matches!(request.principal.kind, PrincipalKind::Role { .. } | PrincipalKind::FederatedUser { .. });
            if findings.across || !direct {
                findings.limits()?;
            }
            Ok(Allowing { grant: true, ..Allowing::default() })
        }),
    }
}

impl<'a> ResourceSide<'a> {
    /// The policy, and what it is called in answers.
    pub(crate) const fn policy(self) -> (Option<Named<'a>>, PolicyLayer) {
        match self {
            Self::None => (None, PolicyLayer::Resource),
            Self::Shared(named) | Self::Mandatory(named) | Self::Granted(named) | Self::GrantedToSession(named) => {
                (Some(named), PolicyLayer::Resource)
            }
            Self::Trust(named) => (Some(named), PolicyLayer::Trust),
        }
    }
}

/// The statement that allows, and how it reaches the caller.
#[derive(Clone, Copy)]
struct Found<'a> {
    named: Named<'a>,
    source: PolicyLayer,
    index: usize,
    statement: &'a Statement,
    reach: Reach,
}

impl Found<'_> {
    fn cite(&self) -> Cited {
        cite(&self.named, self.source, self.index, self.statement)
    }
}

pub(crate) fn cite(named: &Named<'_>, source: PolicyLayer, index: usize, statement: &Statement) -> Cited {
    Cited { source, policy: named.name.to_owned(), statement: index, sid: statement.sid.clone() }
}

/// Grounds for allowing a request, see [`By`].
#[derive(Default)]
struct Allowing<'a> {
    resource: Option<Found<'a>>,
    identity: Option<Found<'a>>,
    root: bool,
    grant: bool,
}

impl Allowing<'_> {
    fn cite(&self) -> By {
        let cite = |found: &Option<Found<'_>>| found.as_ref().map(Found::cite);
        By { resource: cite(&self.resource), identity: cite(&self.identity), root: self.root, grant: self.grant }
    }
}

/// Looks for the statement that allows and reaches furthest; fails on one that denies.
fn search<'a>(policies: &[Named<'a>], source: PolicyLayer, probe: &Probe<'_>) -> Result<Option<Found<'a>>, Reason> {
    let mut best: Option<Found<'a>> = None;
    for named in policies {
        for (index, statement) in named.policy.candidates(probe.action.mask()) {
            // Nothing reaches further than a direct allow, so only denies are of interest after one.
            let settled = best.as_ref().is_some_and(|found| found.reach == Reach::Direct);
            if settled && statement.effect == Effect::Allow {
                continue;
            }
            let Some(reach) = statement.applies(probe) else { continue };
            if statement.effect == Effect::Deny {
                return Err(Reason::ExplicitDeny(cite(named, source, index, statement)));
            }
            if best.as_ref().is_none_or(|found| found.reach < reach) {
                best = Some(Found { named: *named, source, index, statement, reach });
            }
        }
    }
    Ok(best)
}

/// Statements that allow a request, by kind of policy, when no policy denies it.
struct Findings<'a> {
    principal: &'a Principal,
    resource: Option<Found<'a>>,
    identity: Option<Found<'a>>,
    /// Present if the caller has a boundary.
    boundary: Option<Option<Found<'a>>>,
    /// Present if the session is limited by policies.
    session: Option<Option<Found<'a>>>,
    /// Whether caller and resource belong to different accounts.
    across: bool,
}

impl<'a> Findings<'a> {
    /// Weighs what allows. With `mandatory`, a request needs an allow in the resource's policy.
    fn conclude(&self, mandatory: bool, source: PolicyLayer) -> Result<Allowing<'a>, Reason> {
        let reach = self.resource.as_ref().map(|found| found.reach);
        let resource = self.resource;

        // Whoever belongs to no account has no identity policies: the resource alone decides.
        if !self.principal.has_account() {
            return match reach {
                Some(_) => Ok(Allowing { resource, ..Allowing::default() }),
                None => Err(Reason::NoAllow(source)),
            };
        }
        // The other account must let the caller in, and the caller's own must let them out.
        if (self.across || mandatory) && reach.is_none() {
            // Someone of the resource's account without a policy of their own hears what they hear of a resource that
            // does not exist.
            let nothing_of_their_own = self.identity.is_none() && self.principal.kind != PrincipalKind::Root;
            let source = if !self.across && nothing_of_their_own { PolicyLayer::Identity } else { source };
            return Err(Reason::NoAllow(source));
        }
        if !self.across {
            match reach {
                Some(Reach::Direct) => return Ok(Allowing { resource, ..Allowing::default() }),
                Some(Reach::Holder) => {
                    self.limits()?;
                    return Ok(Allowing { resource, ..Allowing::default() });
                }
                Some(Reach::Account) | None => {}
            }
        }
        let root = self.principal.kind == PrincipalKind::Root;
        if self.identity.is_none() && !root {
            return Err(Reason::NoAllow(PolicyLayer::Identity));
        }
        self.limits()?;
        let resource = resource.filter(|_| self.across || mandatory);
        Ok(Allowing { resource, identity: self.identity, root, grant: false })
    }

    /// Checks the caller's limits, which apply whoever allows: the boundary and the session's policies.
    const fn limits(&self) -> Result<(), Reason> {
        if let Some(None) = self.boundary {
            return Err(Reason::NoAllow(PolicyLayer::Boundary));
        }
        if let Some(None) = self.session {
            return Err(Reason::NoAllow(PolicyLayer::Session));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
