//! Instance profiles: what hands a role to a machine. The record, and the operations on it.
//!
//! A profile's record names its role; a record for each pair leads from the role back. The two change together.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::{ReadTx, Tx};
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::principals::roles::RoleView;
use crate::records::entity::{self, Entity, Holder, Identity};
use crate::records::instance_profile::{InstanceProfile, ProfileOfRole, of_role};
use crate::records::role::Role;
use crate::values::error::{Conflict, IamError, Quota};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::page::{self, Window};
use crate::values::tag::{self, Tag, TagInput};
use crate::values::unique_id::{self, Prefix};

/// How many roles a profile can have.
const ROLES_MAX: usize = 1;

/// The rule of a profile's name.
pub(crate) const NAME: Rule = Rule::Length(1, 128);

/// The service that a role is passed to with a profile.
const PASSED_TO: &str = "ec2.amazonaws.com";

/// An instance profile as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProfileView {
    path: String,
    instance_profile_name: String,
    instance_profile_id: String,
    arn: Arn,
    create_date: Timestamp,
    roles: Vec<RoleView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

impl ProfileView {
    /// As lists show it: without tags.
    pub(crate) fn summary(tx: &ReadTx<'_>, profile: InstanceProfile) -> Result<Self, IamError> {
        let mut roles = Vec::with_capacity(profile.roles.len());
        for id in &profile.roles {
            roles.extend(tx.get::<Role>(&profile.identity.account, id)?.map(RoleView::changed));
        }
        Ok(Self {
            arn: profile.arn(),
            path: profile.identity.path,
            instance_profile_name: profile.identity.name,
            instance_profile_id: profile.identity.id,
            create_date: profile.created,
            roles,
            tags: Vec::new(),
        })
    }

    fn detail(tx: &ReadTx<'_>, mut profile: InstanceProfile) -> Result<Self, IamError> {
        let tags = std::mem::take(&mut profile.tags);
        Ok(Self { tags, ..Self::summary(tx, profile)? })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProfileOutput {
    instance_profile: ProfileView,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProfilesOutput {
    instance_profiles: Vec<ProfileView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

wire::shape! {
    /// The input of `CreateInstanceProfile`.
    pub struct CreateInstanceProfileInput {
        "InstanceProfileName" name: String, required, [NAME];
        "Path" path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "Tags" tags: Vec<TagInput>, default, [tag::LIST];
    }
}

pub(crate) struct CreateInstanceProfile;

impl Operation for CreateInstanceProfile {
    type Service = Iam;
    const NAME: &'static str = "CreateInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateInstanceProfileInput;
    type Output = ProfileOutput;
    type Target = ();

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        name::check(&input.name, "instanceProfileName")
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let path = input.path.as_deref().unwrap_or(name::ROOT_PATH);
        let arn = name::arn(Kind::InstanceProfile, call.account(), path, &input.name).to_string();
        let mut needs = vec![tag::in_request(Need::identity("iam:CreateInstanceProfile", arn.clone()), &input.tags)];
        if !input.tags.is_empty() {
            needs.push(tag::in_request(Need::identity("iam:TagInstanceProfile", arn), &input.tags));
        }
        needs
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<ProfileOutput, IamError> {
        let profile = InstanceProfile {
            identity: Identity {
                account: call.account().to_owned(),
                id: unique_id::generate(Prefix::InstanceProfile),
                path: input.path.unwrap_or_else(|| name::ROOT_PATH.to_owned()),
                name: input.name,
            },
            created: call.now,
            tags: tag::checked(input.tags)?,
            roles: Vec::new(),
        };
        call.write(&call.service.store, move |tx| {
            entity::insert(tx, &profile)?;
            Ok(ProfileOutput { instance_profile: ProfileView::detail(tx, profile)? })
        })
        .await
    }
}

wire::shape! {
    /// The input of `GetInstanceProfile`.
    pub struct GetInstanceProfileInput {
        "InstanceProfileName" name: String, required, [NAME];
    }
}

pub(crate) struct GetInstanceProfile;

impl Operation for GetInstanceProfile {
    type Service = Iam;
    const NAME: &'static str = "GetInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetInstanceProfileInput;
    type Output = ProfileOutput;
    type Target = InstanceProfile;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<InstanceProfile, IamError> {
        call.service.entity(call.account(), &input.name).await
    }

    fn needs(input: &Self::Input, found: Option<&InstanceProfile>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:GetInstanceProfile", call.account(), &input.name, found)]
    }

    async fn run(
        _: Self::Input,
        profile: Permit<InstanceProfile>,
        call: &Call<'_, Iam>,
    ) -> Result<ProfileOutput, IamError> {
        let profile = profile.into_inner();
        let read = move |tx: &ReadTx<'_>| Ok(ProfileOutput { instance_profile: ProfileView::detail(tx, profile)? });
        call.service.store.read(read).await
    }
}

wire::shape! {
    /// The input of `ListInstanceProfiles`.
    pub struct ListInstanceProfilesInput {
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH_PREFIX)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

pub(crate) struct ListInstanceProfiles;

impl Operation for ListInstanceProfiles {
    type Service = Iam;
    const NAME: &'static str = "ListInstanceProfiles";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListInstanceProfilesInput;
    type Output = ProfilesOutput;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        Ok(())
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let prefix = input.path_prefix.as_deref().unwrap_or(name::ROOT_PATH);
        let arn = name::arn(Kind::InstanceProfile, call.account(), prefix, "");
        vec![Need::identity("iam:ListInstanceProfiles", arn.to_string())]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<ProfilesOutput, IamError> {
        let window = Window::new(input.marker, input.max_items);
        let listed = call.service.list::<InstanceProfile>(call.account(), window, input.path_prefix).await?;
        let (is_truncated, marker, items) = (listed.is_truncated(), listed.marker, listed.items);
        let read = move |tx: &ReadTx<'_>| {
            items.into_iter().map(|profile| ProfileView::summary(tx, profile)).collect::<Result<_, IamError>>()
        };
        Ok(ProfilesOutput { instance_profiles: call.service.store.read(read).await?, is_truncated, marker })
    }
}

wire::shape! {
    /// The input of `ListInstanceProfilesForRole`.
    pub struct ListInstanceProfilesForRoleInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

pub(crate) struct ListInstanceProfilesForRole;

impl Operation for ListInstanceProfilesForRole {
    type Service = Iam;
    const NAME: &'static str = "ListInstanceProfilesForRole";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListInstanceProfilesForRoleInput;
    type Output = ProfilesOutput;
    type Target = Role;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Role, IamError> {
        call.service.entity(call.account(), &input.role_name).await
    }

    fn needs(input: &Self::Input, found: Option<&Role>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:ListInstanceProfilesForRole", call.account(), &input.role_name, found)]
    }

    async fn run(input: Self::Input, role: Permit<Role>, call: &Call<'_, Iam>) -> Result<ProfilesOutput, IamError> {
        let role = role.into_inner().identity;
        let window = Window::new(input.marker, input.max_items);
        call.service
            .store
            .read(move |tx| {
                let listed = window.cut(of_role(tx, &role)?)?;
                let (is_truncated, marker) = (listed.is_truncated(), listed.marker);
                let views = listed.items.into_iter().map(|profile| ProfileView::summary(tx, profile));
                Ok(ProfilesOutput { instance_profiles: views.collect::<Result<_, IamError>>()?, is_truncated, marker })
            })
            .await
    }
}

wire::shape! {
    /// The input of `DeleteInstanceProfile`.
    pub struct DeleteInstanceProfileInput {
        "InstanceProfileName" name: String, required, [NAME];
    }
}

pub(crate) struct DeleteInstanceProfile;

impl Operation for DeleteInstanceProfile {
    type Service = Iam;
    const NAME: &'static str = "DeleteInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteInstanceProfileInput;
    type Output = ();
    type Target = InstanceProfile;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<InstanceProfile, IamError> {
        call.service.entity(call.account(), &input.name).await
    }

    fn needs(input: &Self::Input, found: Option<&InstanceProfile>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:DeleteInstanceProfile", call.account(), &input.name, found)]
    }

    async fn run(_: Self::Input, profile: Permit<InstanceProfile>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = profile.into_inner().identity;
        call.write(&call.service.store, move |tx| {
            let profile: InstanceProfile = entity::reload(tx, &known)?;
            if !profile.roles.is_empty() {
                return Err(IamError::DeleteConflict(Conflict::InstanceProfile));
            }
            entity::delete(tx, &profile)
        })
        .await
    }
}

/// A profile and a role that is to be put into it or taken out.
pub(crate) struct Pair {
    profile: InstanceProfile,
    role: Role,
}

async fn pair(profile: &str, role: &str, call: &Call<'_, Iam>) -> Result<Pair, IamError> {
    let (account, profile, role) = (call.account().to_owned(), profile.to_owned(), role.to_owned());
    let read = move |tx: &ReadTx<'_>| -> Result<Pair, IamError> {
        Ok(Pair { profile: entity::load(tx, &account, &profile)?, role: entity::load(tx, &account, &role)? })
    };
    call.service.store.read(read).await
}

/// Whoever changes which role a machine gets, passes that role.
fn needs_of_pair(
    action: &'static str,
    profile: &str,
    role: &str,
    found: Option<&Pair>,
    call: &Call<'_, Iam>,
) -> Vec<Need<'static>> {
    let pass = entity::need("iam:PassRole", call.account(), role, found.map(|pair| &pair.role));
    vec![
        entity::need(action, call.account(), profile, found.map(|pair| &pair.profile)),
        pass.with("iam:PassedToService", PASSED_TO),
    ]
}

wire::shape! {
    /// The input of `AddRoleToInstanceProfile`.
    pub struct AddRoleToInstanceProfileInput {
        "InstanceProfileName" name: String, required, [NAME];
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
    }
}

pub(crate) struct AddRoleToInstanceProfile;

impl Operation for AddRoleToInstanceProfile {
    type Service = Iam;
    const NAME: &'static str = "AddRoleToInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AddRoleToInstanceProfileInput;
    type Output = ();
    type Target = Pair;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Pair, IamError> {
        pair(&input.name, &input.role_name, call).await
    }

    fn needs(input: &Self::Input, found: Option<&Pair>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        needs_of_pair("iam:AddRoleToInstanceProfile", &input.name, &input.role_name, found, call)
    }

    async fn run(_: Self::Input, pair: Permit<Pair>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let Pair { profile, role } = pair.into_inner();
        call.write(&call.service.store, move |tx| {
            let mut profile: InstanceProfile = entity::reload(tx, &profile.identity)?;
            let role: Role = entity::reload(tx, &role.identity)?;
            role.check_unprotected()?;
            if profile.roles.len() >= ROLES_MAX {
                let quota = Quota::Count { name: "InstanceSessionsPerInstanceProfile", limit: ROLES_MAX };
                return Err(IamError::LimitExceeded(quota));
            }
            let entry = ProfileOfRole { profile: profile.identity.id.clone() };
            tx.put(&role.identity.id, &entry.profile, &entry)?;
            profile.roles.push(role.identity.id);
            entity::put(tx, &profile)
        })
        .await
    }
}

wire::shape! {
    /// The input of `RemoveRoleFromInstanceProfile`.
    pub struct RemoveRoleFromInstanceProfileInput {
        "InstanceProfileName" name: String, required, [NAME];
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
    }
}

pub(crate) struct RemoveRoleFromInstanceProfile;

impl Operation for RemoveRoleFromInstanceProfile {
    type Service = Iam;
    const NAME: &'static str = "RemoveRoleFromInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = RemoveRoleFromInstanceProfileInput;
    type Output = ();
    type Target = Pair;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Pair, IamError> {
        pair(&input.name, &input.role_name, call).await
    }

    fn needs(input: &Self::Input, found: Option<&Pair>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let profile = found.map(|pair| &pair.profile);
        vec![entity::need("iam:RemoveRoleFromInstanceProfile", call.account(), &input.name, profile)]
    }

    async fn run(_: Self::Input, pair: Permit<Pair>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let Pair { profile, role } = pair.into_inner();
        call.write(&call.service.store, move |tx| remove(tx, &profile.identity, &role.identity)).await
    }
}

fn remove(tx: &mut Tx<'_>, profile: &Identity, role: &Identity) -> Result<(), IamError> {
    let mut profile: InstanceProfile = entity::reload(tx, profile)?;
    if !tx.delete::<ProfileOfRole>(&role.id, &profile.identity.id)? {
        return Err(IamError::NoSuchEntity { kind: Kind::Role, name: role.name.clone() });
    }
    profile.roles.retain(|id| *id != role.id);
    entity::put(tx, &profile)
}
