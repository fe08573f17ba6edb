//! The account of a caller as a resource.

use std::marker::PhantomData;

use super::Resource;
use crate::call::Call;
use crate::need::Need;
use crate::operation::Service;

/// The caller's account as a whole: nothing is loaded, and identity policies decide over `*`.
///
/// For operations that list what an account has, or create something in it, whose action knows no resource.
pub struct Account<S>(PhantomData<fn() -> S>);

impl<S: Service> Resource for Account<S> {
    type Service = S;
    type Key<'a> = ();

    async fn find((): (), _: &Call<'_, S>) -> Result<Self, S::Error> {
        Ok(Self(PhantomData))
    }

    fn need<'n>(&'n self, (): (), action: &'static str, _: &'n Call<'_, S>) -> Need<'n> {
        Need::identity(action, "*")
    }

    fn need_of_missing<'n>((): (), action: &'static str, _: &'n Call<'_, S>) -> Option<Need<'n>> {
        Some(Need::identity(action, "*"))
    }
}
