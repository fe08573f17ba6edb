//! A permission that a call requires: an action on a resource, under conditions, guarded by the resource's own policy.

use std::borrow::Cow;
use std::sync::Arc;

use policy::{Context, Entry, Policy, Value, Values, push_named};

/// One thing that the caller must be allowed, which says nothing of its own that others keep: its input, its target, its
/// call.
pub struct Need<'a> {
    /// The IAM action, such as `kms:Encrypt`.
    pub action: &'static str,
    /// The resource's ARN, or `*` where the action knows none.
    pub resource: Cow<'a, str>,
    /// The account that owns the resource, where the ARN does not name it, as with buckets.
    pub account: Option<Cow<'a, str>>,
    /// Condition keys of this action on this resource.
    pub context: Vec<Entry<'a>>,
    /// The resource's side.
    pub guard: ResourcePolicy,
    /// Name of the resource in a refusal, where its ARN would tell a stranger too much, such as a path: `user alice`.
    pub shown: Option<String>,
}

/// The resource's own policy, and how it combines with identity policies.
#[derive(Clone)]
pub enum ResourcePolicy {
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

/// A resource's part in a decision: its own policy, and the condition keys that it sets.
pub struct Side {
    /// The resource's own policy, and how it combines with identity policies.
    pub guard: ResourcePolicy,
    /// Its condition keys.
    pub context: Vec<Entry<'static>>,
    /// The account that owns it, where its ARN does not name it.
    pub account: Option<String>,
}

impl From<Need<'static>> for Side {
    fn from(need: Need<'static>) -> Self {
        Self { guard: need.guard, context: need.context, account: need.account.map(Cow::into_owned) }
    }
}

impl<'a> Need<'a> {
    /// An action that identity policies alone decide.
    #[must_use]
    pub fn identity(action: &'static str, resource: impl Into<Cow<'a, str>>) -> Self {
        let (resource, guard) = (resource.into(), ResourcePolicy::Identity);
        Self { action, resource, account: None, context: Vec::new(), guard, shown: None }
    }

    /// The same need on a resource of this account, which its ARN does not name.
    #[must_use]
    pub fn owned_by(mut self, account: impl Into<Cow<'a, str>>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// The account that owns the resource, as far as it is known.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.account.as_deref().or_else(|| wire::account_of(&self.resource))
    }

    /// The same need under another guard.
    #[must_use]
    pub fn guarded(mut self, guard: ResourcePolicy) -> Self {
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
    pub fn with(mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        self.context.push((key.into(), Values::One(value.into())));
        self
    }

    /// The same need with one more multi-valued condition key.
    #[must_use]
    pub fn with_many<V: Into<Value<'a>>>(
        mut self,
        key: impl Into<Cow<'a, str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.context.push((key.into(), Values::Many(values.into_iter().map(Into::into).collect())));
        self
    }

    /// The same need with single-valued condition keys whose names end in what others chose, such as tags: see
    /// [`push_named`].
    #[must_use]
    pub fn with_named<N: AsRef<str>, V: Into<Value<'a>>>(
        mut self,
        prefix: &str,
        named: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        push_named(&mut self.context, prefix, named);
        self
    }

    /// The same on its own, with copies of what others keep.
    #[must_use]
    pub fn into_owned(self) -> Need<'static> {
        let own = |(key, values): Entry<'_>| -> Entry<'static> {
            let values = match values {
                Values::One(value) => Values::One(owned(value)),
                Values::Many(values) => Values::Many(values.into_iter().map(owned).collect()),
                Values::Ambiguous => Values::Ambiguous,
            };
            (Cow::Owned(key.into_owned()), values)
        };
        Need {
            action: self.action,
            resource: Cow::Owned(self.resource.into_owned()),
            account: self.account.map(|account| Cow::Owned(account.into_owned())),
            context: self.context.into_iter().map(own).collect(),
            guard: self.guard,
            shown: self.shown,
        }
    }

    /// Lays the need's own condition keys over a request's.
    #[must_use]
    pub(crate) fn context_over<'c>(&'c self, request: &'c Context<'c>) -> Context<'c> {
        Context::layer(&self.context, request)
    }
}

fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
        Value::Bool(value) => Value::Bool(value),
        Value::Number(number) => Value::Number(number),
        Value::Time(time) => Value::Time(time),
        Value::Address(address) => Value::Address(address),
        Value::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
    }
}
