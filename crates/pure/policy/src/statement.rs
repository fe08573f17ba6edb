//! A statement of a policy, compiled, and whether it applies to a request.

use std::sync::Arc;

use crate::action::{Action, ActionPattern, Mask, Room};
use crate::arn_pattern::{ArnPattern, Parted};
use crate::condition::Condition;
use crate::json::Span;
use crate::principal_pattern::{PrincipalPattern, Reach, exempts, reach};
use crate::{Context, Principal, Request};

/// Effect of a statement when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Allows.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub(crate) effect: Effect,
    pub(crate) sid: Option<Arc<str>>,
    pub(crate) span: Span,
    /// Absent in policies that are attached to whom they concern.
    pub(crate) principals: Option<Element<PrincipalPattern>>,
    pub(crate) actions: Element<ActionPattern>,
    /// Absent in trust policies, which concern their own role.
    pub(crate) resources: Option<Element<ArnPattern>>,
    pub(crate) conditions: Box<[Condition]>,
}

/// An element that lists what is meant, or with `Not…` what is not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Element<T> {
    pub(crate) listed: Box<[T]>,
    /// Everything but what is listed is meant.
    pub(crate) except: bool,
}

impl<T> Element<T> {
    /// Whether it means what `matches` finds among what is listed.
    pub(crate) fn covers(&self, matches: impl Fn(&T) -> bool) -> bool {
        self.listed.iter().any(matches) != self.except
    }
}

/// A request in the form that statements are matched with, prepared once.
pub(crate) struct Probe<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) action: Action<'a>,
    resource: Parted<'a>,
    pub(crate) context: &'a Context<'a>,
    /// Whether any condition key might be ambiguous.
    ambiguous: bool,
    /// Whether the caller has a permissions boundary.
    bounded: bool,
}

impl<'a> Probe<'a> {
    pub(crate) fn new(request: &Request<'a>, bounded: bool, room: &'a mut Room) -> Self {
        Self {
            principal: request.principal,
            action: Action::new(request.action, room),
            resource: Parted::new(request.resource),
            context: request.context,
            ambiguous: request.context.has_ambiguous(),
            bounded,
        }
    }
}

impl Statement {
    /// Effect of the statement when it applies.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// Its Sid, if it has one that is not empty.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Where it stands in the document.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// Which actions it could match.
    pub(crate) fn mask(&self) -> Mask {
        if self.actions.except {
            return Mask::ANY;
        }
        self.actions.listed.iter().fold(Mask::NONE, |mask, pattern| mask.or(pattern.mask()))
    }

    /// Whether it is about the request's action.
    pub(crate) fn actions_cover(&self, probe: &Probe<'_>) -> bool {
        let action = probe.action.name();
        self.actions.covers(|pattern| pattern.matches(action))
    }

    /// Whether it applies to a request, and how it reaches the caller. Cheap tests come first, conditions last.
    pub(crate) fn applies(&self, probe: &Probe<'_>) -> Option<Reach> {
        if !self.actions_cover(probe) {
            return None;
        }
        let reach = self.reach(probe)?;
        let resource = |pattern: &ArnPattern| pattern.matches(&probe.resource, probe.context);
        let covers = |element: &Element<ArnPattern>| {
            let variables = element.listed.iter().flat_map(ArnPattern::variables);
            self.unless_ambiguous(probe, variables.map(|variable| &*variable.key))
                .unwrap_or_else(|| element.covers(resource))
        };
        let holds = |condition: &Condition| {
            self.unless_ambiguous(probe, condition.context_keys()).unwrap_or_else(|| condition.holds(probe.context))
        };
        let applies = self.resources.as_ref().is_none_or(covers) && self.conditions.iter().all(holds);
        applies.then_some(reach)
    }

    /// Verdict on an element that refers to `keys`, if one of them is ambiguous: true in a deny, false in an allow, see
    /// [`push_named`](crate::push_named).
    fn unless_ambiguous<'k>(&self, probe: &Probe<'_>, mut keys: impl Iterator<Item = &'k str>) -> Option<bool> {
        (probe.ambiguous && keys.any(|key| probe.context.is_ambiguous(key))).then_some(self.effect == Effect::Deny)
    }

    fn reach(&self, probe: &Probe<'_>) -> Option<Reach> {
        match &self.principals {
            None => Some(Reach::Direct),
            Some(Element { listed, except: false }) => reach(listed, probe.principal),
            // As in AWS, a NotPrincipal cannot leave out who has a permissions boundary.
            // Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal".
            Some(Element { listed, except: true }) => {
                (probe.bounded || !exempts(listed, probe.principal)).then_some(Reach::Direct)
            }
        }
    }
}
