//! A user, group, role or instance profile of the caller's account, found by its name.

use std::future::Future;
use std::ops::Deref;

use service::{Call, Need, Resource};
use store::{ReadTx, Tx};

use crate::Iam;
use crate::records::entity::{self, Entity};
use crate::values::error::Result;

/// An entity as it was found.
pub(crate) struct Named<E>(E);

impl<E> Deref for Named<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.0
    }
}

impl<E: Entity> Named<E> {
    /// Changes the entity as it is now, and records the call, in one transaction.
    ///
    /// # Errors
    /// `NoSuchEntity` when it was deleted meanwhile; those of `change`.
    pub(crate) fn change<T: Send + 'static>(
        &self,
        call: &Call<'_, Iam>,
        change: impl FnOnce(&mut Tx<'_>, E) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        let known = self.0.identity().clone();
        call.write(&call.service.store, move |tx| {
            let entity = entity::reload(tx, &known)?;
            change(tx, entity)
        })
    }

    /// Reads what belongs to the entity.
    ///
    /// # Errors
    /// Those of `read`.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        call: &Call<'_, Iam>,
        read: impl FnOnce(&ReadTx<'_>, E) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        let entity = self.0.clone();
        call.service.store.read(move |tx| read(tx, entity))
    }
}

impl<E: Entity> Resource for Named<E> {
    type Service = Iam;
    type Key<'a> = &'a str;

    async fn find<'a>(name: &'a str, call: &'a Call<'_, Iam>) -> Result<Self> {
        call.service.entity(call.account(), name).await.map(Self)
    }

    fn need<'n>(&'n self, name: &'n str, action: &'static str, call: &'n Call<'_, Iam>) -> Need<'n> {
        entity::need(action, call.account(), name, Some(&self.0))
    }

    fn need_of_missing<'n>(name: &'n str, action: &'static str, call: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(entity::need::<E>(action, call.account(), name, None))
    }
}
