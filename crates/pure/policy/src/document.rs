//! A policy document, parsed: its statements and what can be asked of it without a request.

use std::collections::BTreeMap;

use wire::Arn;

use crate::action::Mask;
use crate::statement::Element;
use crate::{Bound, Effect, Malformed, PrincipalPattern, Statement, grammar};

/// A policy document, parsed: immutable but for the `bind_…` functions, and cheap to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    statements: Box<[Statement]>,
    /// Each statement's mask, side by side so that one walk over little memory finds the ones to look at.
    masks: Box<[Mask]>,
}

/// Which grammar a document follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Attached to a user, group or role, or a managed policy: no `Principal`.
    Identity,
    /// Attached to a resource: `Principal` and `Resource` are required.
    Resource,
    /// A role's trust policy: `Principal` is required, `Resource` refused, and the actions are those of STS.
    Trust,
    /// Limits an account: the grammar of identity policies.
    ServiceControl,
    /// Limits a session: the grammar of identity policies.
    Session,
}

impl Policy {
    /// Parses a document. Time and memory are in proportion to its length, of which a mebibyte is the most.
    ///
    /// # Errors
    /// [`Malformed`], which says what is wrong and where.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Malformed> {
        let statements = grammar::statements(text, kind)?;
        let masks = statements.iter().map(Statement::mask).collect();
        Ok(Self { statements, masks })
    }

    /// Its statements in the document's order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The statements that could match an action, with their positions.
    pub(crate) fn candidates(&self, mask: Mask) -> impl Iterator<Item = (usize, &Statement)> {
        let pairs = self.masks.iter().zip(&self.statements).enumerate();
        pairs.filter(move |(_, (one, _))| one.meets(mask)).map(|(index, (_, statement))| (index, statement))
    }

    /// Ties each IAM user and role that a `Principal` or `NotPrincipal` names to the unique id it has now, so that one
    /// deleted and made again under the same name is somebody else.
    ///
    /// A name for which `resolve` has no id matches nobody from then on.
    pub fn bind_principals(&mut self, resolve: &mut dyn FnMut(&Arn) -> Option<String>) {
        for pattern in self.patterns() {
            if let PrincipalPattern::Named { arn, bound } = pattern {
                *bound = resolve(arn).map_or(Bound::Nobody, Bound::Id);
            }
        }
    }

    /// Replaces each canonical user id by the account it stands for; one that `resolve` does not know stays, and
    /// matches nobody.
    pub fn bind_canonical_users(&mut self, resolve: &mut dyn FnMut(&str) -> Option<String>) {
        for pattern in self.patterns() {
            if let PrincipalPattern::CanonicalUser(id) = pattern
                && let Some(account) = resolve(id)
            {
                *pattern = PrincipalPattern::Account(account);
            }
        }
    }

    fn patterns(&mut self) -> impl Iterator<Item = &mut PrincipalPattern> {
        let elements = self.statements.iter_mut().filter_map(|statement| statement.principals.as_mut());
        elements.flat_map(|element| &mut element.listed)
    }

    /// Every entry of its `Principal` and `NotPrincipal` elements.
    pub fn principals(&self) -> impl Iterator<Item = &PrincipalPattern> {
        let elements = self.statements.iter().filter_map(|statement| statement.principals.as_ref());
        elements.flat_map(|element| &element.listed)
    }

    /// Whether a statement allows some action of a service, given by its prefix, on some resource under some condition.
    #[must_use]
    pub fn may_allow(&self, service: &str) -> bool {
        let service = service.to_ascii_lowercase();
        let concerns = |statement: &Statement| match &statement.actions {
            Element { listed, except: false } => listed.iter().any(|pattern| pattern.is_of(&service)),
            Element { listed, except: true } => !listed.iter().any(|pattern| pattern.is_all_of(&service)),
        };
        self.statements.iter().any(|statement| statement.effect == Effect::Allow && concerns(statement))
    }

    /// Whether a statement denies an action, on some resource to somebody under some condition.
    #[must_use]
    pub fn may_deny(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let covers = |statement: &Statement| statement.actions.covers(|pattern| pattern.matches(&action));
        self.statements.iter().any(|statement| statement.effect == Effect::Deny && covers(statement))
    }

    /// The condition keys that it refers to, in conditions and variables, each once and sorted, as first written.
    ///
    /// Source: IAM API Reference, GetContextKeysForCustomPolicy.
    #[must_use]
    pub fn context_keys(&self) -> Vec<&str> {
        let mut keys = BTreeMap::new();
        for key in self.statements.iter().flat_map(Statement::context_keys) {
            keys.entry(key.to_ascii_lowercase()).or_insert(key);
        }
        keys.into_values().collect()
    }
}

impl Statement {
    /// The condition keys that it refers to, in conditions and variables, as written and with repetitions.
    pub(crate) fn context_keys(&self) -> impl Iterator<Item = &str> {
        let resources = self.resources.iter().flat_map(|element| &element.listed);
        let variables = resources.flat_map(|pattern| pattern.variables());
        let conditions = self.conditions.iter().flat_map(|condition| condition.context_keys());
        conditions.chain(variables.map(|variable| &*variable.key))
    }
}

#[cfg(test)]
mod tests;
