//! A policy document, parsed.

use wire::Arn;

use crate::{Malformed, PrincipalPattern, Statement};

/// A policy document, parsed: immutable but for [`Policy::bind_principals`], and cheap to evaluate.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Box<[Statement]>,
    principals: Vec<PrincipalPattern>,
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
    /// Parses a document.
    ///
    /// # Errors
    /// [`Malformed`], which says what is wrong and where.
    pub fn parse(_text: &str, _kind: Kind) -> Result<Self, Malformed> {
        Err(Malformed { message: "not a policy".to_owned(), at: String::new() })
    }

    /// Its statements in the document's order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Ties each IAM user and role that a `Principal` or `NotPrincipal` names to the unique id it has now, so that one
    /// deleted and made again under the same name is somebody else.
    ///
    /// A name for which `resolve` has no id matches nobody from then on.
    pub fn bind_principals(&mut self, _resolve: &mut dyn FnMut(&Arn) -> Option<String>) {}

    /// Every entry of its `Principal` and `NotPrincipal` elements.
    pub fn principals(&self) -> impl Iterator<Item = &PrincipalPattern> {
        self.principals.iter()
    }
}
