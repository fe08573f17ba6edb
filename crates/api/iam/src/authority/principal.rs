//! Which principals exist: from an ARN in a policy to the unique id of whoever bears it now.

use service::BoxFuture;
use service::ports::Principals;
use store::{ReadTx, StoreError};
use wire::Arn;

use crate::Iam;
use crate::principals::role::Role;
use crate::principals::user::User;
use crate::records::account;
use crate::records::entity::{self, Entity};
use crate::values::name::{self, Kind};

/// The unique id of the user, role or account (by its root) that `arn` names, path included.
pub(crate) fn unique_id(tx: &ReadTx<'_>, arn: &Arn) -> Result<Option<String>, StoreError> {
    if arn.service() == "iam" && arn.resource() == "root" {
        return Ok(account::find(tx, arn.account())?.map(|account| account.id));
    }
    let Some(located) = name::locate(arn) else { return Ok(None) };
    match located.kind {
        Kind::User => id::<User>(tx, arn, located.name),
        Kind::Role => id::<Role>(tx, arn, located.name),
        Kind::Group | Kind::Policy | Kind::InstanceProfile => Ok(None),
    }
}

fn id<E: Entity>(tx: &ReadTx<'_>, arn: &Arn, name: &str) -> Result<Option<String>, StoreError> {
    let entity = entity::find::<E>(tx, arn.account(), name)?;
    Ok(entity.filter(|entity| entity.arn() == *arn).map(|entity| entity.identity().id.clone()))
}

impl Principals for Iam {
    fn unique_id<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        let arn = arn.clone();
        Box::pin(self.store.read(move |tx| unique_id(tx, &arn)))
    }
}
