//! Everything that bore on a decision, for simulation and `explain`: slower than deciding, and never different from it.

use std::collections::BTreeMap;

use crate::action::Room;
use crate::evaluate::cite;
use crate::json::Span;
use crate::statement::Probe;
use crate::{Cited, Decision, Effect, Named, Policies, PolicyLayer, Request, evaluate};

/// A decision, and all that bore on it.
///
/// Source: IAM API Reference, EvaluationResult.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Every statement that applies to the request, allowing or denying, in the order in which policies were given.
    pub matched: Vec<Matched>,
    /// Keys that the request does not have, but conditions or variables of statements about its action refer to;
    /// sorted.
    pub missing_keys: Vec<String>,
    /// Whether the service control policies allow the request, if there are any.
    pub service_control_allows: Option<bool>,
    /// Whether the permissions boundary allows the request, if there is one.
    pub boundary_allows: Option<bool>,
    /// Whether the session's policies allow the request, if there are any.
    pub session_allows: Option<bool>,
}

/// A statement that applies to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Which statement it is.
    pub cited: Cited,
    /// Effect of the statement.
    pub effect: Effect,
    /// Where it stands in its document.
    pub span: Span,
}

/// Decides a request as [`evaluate`] does, and reports everything that bore on it.
#[must_use]
pub fn explain(request: &Request<'_>, policies: &Policies<'_>) -> Explanation {
    let mut room = Room::new();
    let probe = Probe::new(request, policies.boundary.is_some(), &mut room);
    let mut survey = Survey { probe, matched: Vec::new(), missing: BTreeMap::new() };
    let mut service_control_allows = None;
    for level in policies.service_control {
        let allows = survey.look_at(level, PolicyLayer::ServiceControl);
        service_control_allows = Some(service_control_allows.unwrap_or(true) && allows);
    }
    let (side, source) = policies.resource.policy();
    survey.look_at(side.as_slice(), source);
    survey.look_at(policies.identity, PolicyLayer::Identity);
    let boundary_allows = policies.boundary.map(|named| survey.look_at(&[named], PolicyLayer::Boundary));
    let session_allows = policies.session.map(|session| survey.look_at(session, PolicyLayer::Session));
    Explanation {
        decision: evaluate(request, policies),
        matched: survey.matched,
        missing_keys: survey.missing.into_values().collect(),
        service_control_allows,
        boundary_allows,
        session_allows,
    }
}

struct Survey<'a> {
    probe: Probe<'a>,
    matched: Vec<Matched>,
    /// By name in lower case.
    missing: BTreeMap<String, String>,
}

impl Survey<'_> {
    /// Notes what applies, and says whether these policies by themselves allow.
    fn look_at(&mut self, policies: &[Named<'_>], source: PolicyLayer) -> bool {
        let (mut allowed, mut denied) = (false, false);
        for named in policies {
            for (index, statement) in named.policy.candidates(self.probe.action.mask()) {
                if !statement.actions_cover(&self.probe) {
                    continue;
                }
                let context = self.probe.context;
                let missing = |key: &&str| context.get(key).is_none() && !context.is_ambiguous(key);
                for key in statement.context_keys().filter(missing) {
                    self.missing.entry(key.to_ascii_lowercase()).or_insert_with(|| key.to_owned());
                }
                if statement.applies(&self.probe).is_some() {
                    let cited = cite(named, source, index, statement);
                    self.matched.push(Matched { cited, effect: statement.effect, span: statement.span });
                    match statement.effect {
                        Effect::Allow => allowed = true,
                        Effect::Deny => denied = true,
                    }
                }
            }
        }
        allowed && !denied
    }
}

#[cfg(test)]
mod tests;
