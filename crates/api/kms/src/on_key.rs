//! An operation on one existing key: how it finds the key, what it needs, and which states permit it.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::shape::{AuditValue, Shape};

use crate::Kms;
use crate::access::{self, Found};
use crate::error::KmsError;
use crate::grant::GrantUse;
use crate::last_usage::Usage;
use crate::reference::Forms;

/// An operation on one existing key.
pub(crate) trait KeyOperation: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its IAM action.
    const ACTION: &'static str;
    /// What it leaves behind.
    const AUDIT: AuditClass;
    /// How it may name the key.
    const FORMS: Forms;
    /// Whether policies can ask how long the key has not been used.
    const ASKS_IDLENESS: bool = false;
    /// What it is given.
    type Input: Shape + AuditValue + Send + Sync;
    /// What it answers.
    type Output: Serialize + Send;

    /// How the caller named the key.
    fn key_id(input: &Self::Input) -> &str;

    /// What a grant would have to allow; nothing if none can.
    fn granted(input: &Self::Input) -> Option<GrantUse<'_>>;

    /// The grant tokens of the call.
    fn grant_tokens(_input: &Self::Input) -> &[String] {
        &[]
    }

    /// Adds the condition keys of this action to those that every action on a key has.
    fn describe<'n>(_input: &'n Self::Input, need: Need<'n>) -> Need<'n> {
        need
    }

    /// Does it. The caller is permitted, and the key's state was the right one a moment ago.
    fn run(
        input: Self::Input,
        found: Found,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<Self::Output, KmsError>> + Send;
}

fn need<'n, K: KeyOperation>(input: &'n K::Input, found: &'n Found, call: &'n Call<'_, Kms>) -> Need<'n> {
    let need = K::describe(input, found.need(K::ACTION, K::granted(input).as_ref(), call));
    match found.idle_days {
        Some(days) => need.with("kms:TrailingDaysWithoutKeyUsage", days),
        None => need,
    }
}

/// Makes a [`KeyOperation`] an [`Operation`].
pub(crate) struct On<K>(PhantomData<K>);

impl<K: KeyOperation> Operation for On<K> {
    type Service = Kms;
    const NAME: &'static str = K::NAME;
    const AUDIT: AuditClass = K::AUDIT;
    type Input = K::Input;
    type Output = K::Output;
    type Target = Found;

    async fn find(input: &K::Input, call: &Call<'_, Kms>) -> Result<Found, KmsError> {
        let mut found = Found::find(K::key_id(input), K::FORMS, K::grant_tokens(input), call).await?;
        if K::ASKS_IDLENESS {
            found.idle_days = Some(Box::pin(call.service.idle_days(&found.key, call.now)).await?);
        }
        found.unless_hidden(|found| need::<K>(input, found, call), call).await?;
        Ok(found)
    }

    fn needs<'n>(input: &'n K::Input, found: Option<&'n Found>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        match found {
            Some(found) => vec![need::<K>(input, found, call)],
            None => access::needs_of_missing(K::key_id(input), K::FORMS, K::ACTION, call),
        }
    }

    #[allow(clippy::manual_async_fn, reason = "an async fn keeps room for what it is given twice")]
    fn run(
        input: K::Input,
        target: Permit<Found>,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<K::Output, KmsError>> + Send {
        async move {
            let mut found = target.into_inner();
            found.ready(K::NAME, call)?;
            found.make(call).await?;
            // Only operations that use a key are uses of it.
            let used = Usage::from_text(K::NAME).map(|usage| (usage, Arc::clone(&found.key)));
            let output = K::run(input, found, call).await?;
            if let Some((usage, key)) = used {
                call.service.used(&key, usage, call);
            }
            Ok(output)
        }
    }
}
