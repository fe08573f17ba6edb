//! The lists of users, groups, roles and instance profiles: the same operation for all four.

use std::marker::PhantomData;

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::ReadTx;

use crate::Iam;
use crate::records::entity::Entity;
use crate::resources::at::{At, Place};
use crate::values::error::{IamError, Result};
use crate::values::page::{self, Item, Page, PathListInput};

/// An entity that is listed.
pub(crate) trait Listable: Entity {
    /// The operation, such as `ListUsers`.
    const OPERATION: &'static str;
    /// The entity as the list shows it.
    type View: Item + Send;

    /// # Errors
    /// Those of the store.
    fn listed(self, tx: &ReadTx<'_>) -> Result<Self::View>;
}

/// `ListUsers` and its like: each page is in the order of names.
pub(crate) struct List<E>(PhantomData<E>);

impl<E: Listable> ResourceOperation for List<E> {
    type On = At<E>;
    const NAME: &'static str = E::OPERATION;
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = PathListInput;
    type Output = Page<E::View>;

    fn key(input: &PathListInput) -> Place<'_> {
        Place { path: input.path_prefix.as_deref(), name: "" }
    }

    async fn run(input: PathListInput, _: &Permit<At<E>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let account = call.account().to_owned();
        call.service.store.read(move |tx| list::<E>(tx, &account, input)).await
    }
}

fn list<E: Listable>(tx: &ReadTx<'_>, account: &str, input: PathListInput) -> Result<Page<E::View>> {
    let prefix = input.path_prefix.unwrap_or_default();
    let id = |entity: &E| entity.identity().id.clone();
    let keep = |entity: E| Ok(entity.identity().path.starts_with(&prefix).then_some(entity));
    let window = page::window(input.marker, input.max_items);
    let mut listed = window.filtered::<E, _, IamError>(tx, account, page::SCANNED_MAX, id, keep)?;
    listed.items.sort_by(|a, b| a.identity().name.cmp(&b.identity().name));
    let items = listed.items.into_iter().map(|entity| entity.listed(tx)).collect::<Result<_, _>>()?;
    Ok(service::Listed { items, next: listed.next }.into())
}
