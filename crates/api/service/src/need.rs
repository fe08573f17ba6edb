//! What a caller must hold for a call: an action on a resource, under conditions, guarded by the resource's own policy.

use std::borrow::Cow;
use std::sync::Arc;

use policy::{Context, Entry, Policy, Value, Values};

/// One thing that the caller must be allowed.
pub struct Need {
    /// The IAM action, such as `kms:Encrypt`.
    pub action: &'static str,
    /// The resource's ARN, or `*` where the action knows none.
    pub resource: String,
    /// Condition keys of this action on this resource.
    pub context: Vec<Entry<'static>>,
    /// The resource's side.
    pub guard: Guard,
    /// What a refusal calls the resource where its ARN would tell a stranger too much, such as a path: `user alice`.
    pub shown: Option<String>,
}

/// What the resource itself has to say.
#[derive(Clone)]
pub enum Guard {
    /// Nothing: identity policies decide alone.
    Identity,
    /// A policy that adds to identity policies, as S3's.
    Shared(Arc<Policy>),
    /// A policy without which nothing is allowed, as a key policy: no implicit trust in the account.
    Mandatory(Arc<Policy>),
    /// As `Mandatory`, and a grant has already allowed this very use; explicit denies still count.
    Granted(Arc<Policy>),
    /// As `Granted`, to the very session that calls.
    GrantedToSession(Arc<Policy>),
    /// A role's trust policy.
    Trust(Arc<Policy>),
}

/// A resource's part in a decision: what it has to say, and the condition keys that it sets.
pub struct Side {
    /// What the resource itself has to say.
    pub guard: Guard,
    /// Its condition keys.
    pub context: Vec<(Cow<'static, str>, Values<'static>)>,
}

impl From<Need> for Side {
    fn from(need: Need) -> Self {
        Self { guard: need.guard, context: need.context }
    }
}

impl Need {
    /// An action that identity policies alone decide.
    #[must_use]
    pub fn identity(action: &'static str, resource: impl Into<String>) -> Self {
        Self { action, resource: resource.into(), context: Vec::new(), guard: Guard::Identity, shown: None }
    }

    /// The same need under another guard.
    #[must_use]
    pub fn guarded(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// The same need, whose refusal calls the resource this.
    #[must_use]
    pub fn shown_as(mut self, name: impl Into<String>) -> Self {
        self.shown = Some(name.into());
        self
    }

    /// The same need with one more single-valued condition key.
    #[must_use]
    pub fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value<'static>>) -> Self {
        self.context.push((key.into(), Values::One(value.into())));
        self
    }

    /// The same need with one more multi-valued condition key.
    #[must_use]
    pub fn with_many<V: Into<Value<'static>>>(
        mut self,
        key: impl Into<Cow<'static, str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.context.push((key.into(), Values::Many(values.into_iter().map(Into::into).collect())));
        self
    }

    /// Lays the need's own condition keys over a request's.
    #[must_use]
    pub(crate) fn context_over<'a>(&'a self, request: &'a Context<'a>) -> Context<'a> {
        Context::layer(&self.context, request)
    }
}
