//! The operations on users, but for what other files do to their names, policies, groups, tags and credentials.

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::{ReadTx, Record};
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::policies::boundaries::{self, BoundaryView};
use crate::principals::lists::Listable;
use crate::records::attachment::{self, Usage};
use crate::records::entity::{self, Entity};
use crate::records::inline_policy::InlinePolicy;
use crate::records::service_credential::ServiceCredential;
use crate::records::ssh_public_key::SshPublicKey;
use crate::records::user::User;
use crate::records::{last_use, login_profile};
use crate::resources::at::{self, At, Place};
use crate::resources::named::Named;
use crate::resources::subject::Subject;
use crate::values::answer::{Answer, Single};
use crate::values::error::{Conflict, IamError, Result};
use crate::values::name;
use crate::values::page::Item;
use crate::values::tag::{self, Tag, TagInput};

/// A user as answers show it. The root user, which `GetUser` shows as well, has neither path nor name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserView {
    path: Option<String>,
    user_name: Option<String>,
    user_id: String,
    arn: Arn,
    create_date: Timestamp,
    permissions_boundary: Option<BoundaryView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

impl Single for UserView {
    const MEMBER: &'static str = "User";
}

impl Item for UserView {
    const LIST: &'static str = "Users";
}

impl UserView {
    /// As lists show it: without tags and boundary.
    pub(crate) fn summary(user: User) -> Self {
        Self {
            arn: user.arn(),
            path: Some(user.identity.path),
            user_name: Some(user.identity.name),
            user_id: user.identity.id,
            create_date: user.created,
            permissions_boundary: None,
            tags: Vec::new(),
        }
    }

    fn detail(mut user: User) -> Self {
        let permissions_boundary = user.boundary.take().map(BoundaryView::of);
        let tags = std::mem::take(&mut user.tags);
        Self { permissions_boundary, tags, ..Self::summary(user) }
    }
}

impl Listable for User {
    const OPERATION: &'static str = "ListUsers";
    type View = UserView;

    fn listed(self, _: &ReadTx<'_>) -> Result<UserView> {
        Ok(UserView::summary(self))
    }
}

wire::shape! {
    /// The input of `CreateUser`.
    pub struct CreateUserInput {
        "Path" path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "PermissionsBoundary" permissions_boundary: String, optional, [Rule::Length(20, 2048)];
        "Tags" tags: Vec<TagInput>, default, [tag::LIST];
    }
}

pub(crate) struct CreateUser;

impl ResourceOperation for CreateUser {
    type On = At<User>;
    const NAME: &'static str = "CreateUser";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateUserInput;
    type Output = Answer<UserView>;

    fn key(input: &Self::Input) -> Place<'_> {
        Place { path: input.path.as_deref(), name: &input.user_name }
    }

    fn check(input: &Self::Input) -> Result<()> {
        name::check(&input.user_name, "userName")
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n At<User>>, need: Need<'n>) -> Need<'n> {
        boundaries::in_need(tag::in_request(need, &input.tags), input.permissions_boundary.as_deref())
    }

    fn further_needs<'n>(input: &'n Self::Input, _: Option<&At<User>>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        at::tagging::<User>("iam:TagUser", Self::key(input), &input.tags, call)
    }

    async fn run(input: Self::Input, _: &Permit<At<User>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let path = input.path.as_deref().unwrap_or(name::ROOT_PATH);
        let mut user = User::new(call.account(), path, &input.user_name, call.now);
        user.tags = tag::checked(&input.tags)?;
        user.boundary = input.permissions_boundary;
        call.write(&call.service.store, move |tx| {
            entity::insert(tx, &user)?;
            if let Some(arn) = &user.boundary {
                boundaries::occupy::<User>(tx, &user.identity, arn)?;
            }
            Ok(Answer(UserView::detail(user)))
        })
        .await
    }
}

wire::shape! {
    /// The input of `GetUser`.
    pub struct GetUserInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 128)];
    }
}

pub(crate) struct GetUser;

impl ResourceOperation for GetUser {
    type On = Subject;
    const NAME: &'static str = "GetUser";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetUserInput;
    type Output = Answer<UserView>;

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(_: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        Ok(Answer(match &**subject {
            Subject::User(user) => UserView::detail(User::clone(user)),
            Subject::Root => UserView {
                path: None,
                user_name: None,
                user_id: call.account().to_owned(),
                arn: call.caller.principal.arn.clone(),
                create_date: call.service.account(call.account()).await?.map_or(call.now, |account| account.created),
                permissions_boundary: None,
                tags: Vec::new(),
            },
        }))
    }
}

/// Fails if something still belongs to the user that has to be deleted first.
fn check_unused(tx: &ReadTx<'_>, user: &User) -> Result<()> {
    fn any<R: Record>(tx: &ReadTx<'_>, user: &User) -> Result<bool> {
        Ok(!tx.page::<R>(&user.identity.id, None, 1)?.items.is_empty())
    }
    let conflict = if !user.access_keys.is_empty() {
        Conflict::AccessKeys
    } else if login_profile::find(tx, &user.identity.id)?.is_some() {
        Conflict::LoginProfile
    } else if any::<SshPublicKey>(tx, user)? {
        Conflict::SshPublicKeys
    } else if any::<ServiceCredential>(tx, user)? {
        Conflict::ServiceCredentials
    } else if !user.attached.is_empty() {
        Conflict::AttachedPolicies
    } else if !user.groups.is_empty() {
        Conflict::Membership
    } else if any::<InlinePolicy>(tx, user)? {
        Conflict::InlinePolicies
    } else {
        return Ok(());
    };
    Err(IamError::DeleteConflict(conflict))
}

wire::shape! {
    /// The input of `DeleteUser`.
    pub struct DeleteUserInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
    }
}

pub(crate) struct DeleteUser;

impl ResourceOperation for DeleteUser {
    type On = Named<User>;
    const NAME: &'static str = "DeleteUser";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteUserInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.user_name
    }

    async fn run(_: Self::Input, user: &Permit<Named<User>>, call: &Call<'_, Iam>) -> Result<()> {
        user.change(call, |tx, user| {
            check_unused(tx, &user)?;
            if let Some(arn) = &user.boundary {
                attachment::release(tx, &user.identity, arn, Usage::Boundary)?;
            }
            last_use::forget(tx, &user.identity.id)?;
            entity::delete(tx, &user)
        })
        .await
    }
}
