//! From an ARN in a policy to the unique id of whoever bears it now.

use store::{ReadTx, StoreError};
use wire::Arn;

use crate::records::account;
use crate::records::entity::{self, Entity};
use crate::records::role::Role;
use crate::records::user::User;
use crate::values::kind::Kind;
use crate::values::name;

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
