//! A statement of a policy.

use std::sync::Arc;

/// What a statement does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Allows.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// A statement of a policy.
#[derive(Debug, Clone)]
pub struct Statement {
    effect: Effect,
    sid: Option<Arc<str>>,
}

impl Statement {
    /// What it does when it applies.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// Its Sid, if it has one that is not empty.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }
}
