//! New names and paths of users and groups: the same operation for both.

use std::marker::PhantomData;

use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::shape::Rule;

use crate::Iam;
use crate::records::entity::{self, Entity};
use crate::records::group::Group;
use crate::records::user::User;
use crate::resources::inputs::Input;
use crate::resources::named::Named;
use crate::values::error::Result;
use crate::values::name;

/// An entity that can be renamed: the operation's name and its input.
pub(crate) trait Renamed: Entity {
    /// The operation, such as `UpdateUser`.
    const OPERATION: &'static str;
    /// The parameter that a bad name is reported for.
    const PARAMETER: &'static str;
    type Input: Input;

    /// The name, the new path and the new name.
    fn renaming(input: &Self::Input) -> (&str, Option<&str>, Option<&str>);
}

wire::shape! {
    /// The input of `UpdateUser`.
    pub struct UpdateUserInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
        "NewPath" new_path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "NewUserName" new_user_name: String, optional, [Rule::Length(1, 64)];
    }
}

impl Renamed for User {
    const OPERATION: &'static str = "UpdateUser";
    const PARAMETER: &'static str = "newUserName";
    type Input = UpdateUserInput;

    fn renaming(input: &Self::Input) -> (&str, Option<&str>, Option<&str>) {
        (&input.user_name, input.new_path.as_deref(), input.new_user_name.as_deref())
    }
}

wire::shape! {
    /// The input of `UpdateGroup`.
    pub struct UpdateGroupInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "NewPath" new_path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "NewGroupName" new_group_name: String, optional, [Rule::Length(1, 128)];
    }
}

impl Renamed for Group {
    const OPERATION: &'static str = "UpdateGroup";
    const PARAMETER: &'static str = "newGroupName";
    type Input = UpdateGroupInput;

    fn renaming(input: &Self::Input) -> (&str, Option<&str>, Option<&str>) {
        (&input.group_name, input.new_path.as_deref(), input.new_group_name.as_deref())
    }
}

/// `UpdateUser` and its like.
pub(crate) struct Rename<E>(PhantomData<E>);

impl<E: Renamed> ResourceOperation for Rename<E> {
    type On = Named<E>;
    const NAME: &'static str = E::OPERATION;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = E::Input;
    type Output = ();

    fn key(input: &E::Input) -> &str {
        E::renaming(input).0
    }

    fn check(input: &E::Input) -> Result<()> {
        let (.., new_name) = E::renaming(input);
        new_name.map_or(Ok(()), |new| name::check(new, E::PARAMETER))
    }

    /// Permission on the new name and path, beside the one on the old.
    fn further_needs<'n>(input: &'n E::Input, found: Option<&'n Named<E>>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        let (old_name, new_path, new_name) = E::renaming(input);
        let old_path = found.map_or(name::ROOT_PATH, |entity| &entity.identity().path);
        let name = new_name.unwrap_or(old_name);
        let target = name::arn(E::KIND, call.account(), new_path.unwrap_or(old_path), name).to_string();
        vec![Need::identity(Self::ACTION, target).shown_as(entity::shown(E::KIND, name))]
    }

    async fn run(input: E::Input, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<()> {
        let (_, path, name) = E::renaming(&input);
        let (path, name) = (path.map(str::to_owned), name.map(str::to_owned));
        entity.change(call, |tx, mut entity: E| entity::rename(tx, &mut entity, path, name)).await
    }
}
