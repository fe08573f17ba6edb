//! An operation that is given no more than a key store's id: what it needs, and that no key is looked for.

use std::future::Future;
use std::marker::PhantomData;

use service::{AuditClass, Call, Need, Operation, Permit};

use super::connection::StoreIdInput;
use super::need;
use crate::Kms;
use crate::error::KmsError;

/// An operation that is given no more than a key store's id, and answers nothing.
pub(crate) trait StoreOperation: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its IAM action.
    const ACTION: &'static str;

    /// Does it. The caller is permitted.
    fn run(input: StoreIdInput, call: &Call<'_, Kms>) -> impl Future<Output = Result<(), KmsError>> + Send;
}

/// Makes a [`StoreOperation`] an [`Operation`].
pub(crate) struct OnStore<S>(PhantomData<S>);

impl<S: StoreOperation> Operation for OnStore<S> {
    type Service = Kms;
    const NAME: &'static str = S::NAME;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = StoreIdInput;
    type Output = ();
    type Target = ();

    async fn find(_: &StoreIdInput, _: &Call<'_, Kms>) -> Result<(), KmsError> {
        Ok(())
    }

    fn needs(_: &StoreIdInput, _: Option<&()>, call: &Call<'_, Kms>) -> Vec<Need<'static>> {
        need(S::ACTION, call)
    }

    async fn run(input: StoreIdInput, _: Permit<()>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        S::run(input, call).await
    }
}
