//! The operations on instance profiles, which hand roles to machines.

use serde::Serialize;
use service::{AuditClass, Call, Listed, Need, Permit, Resource, ResourceOperation};
use store::{ReadTx, Tx};
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::principals::lists::Listable;
use crate::principals::roles::RoleView;
use crate::records::entity::{self, Entity, Holder, Identity};
use crate::records::instance_profile::{InstanceProfile, ProfileOfRole, of_role};
use crate::records::role::Role;
use crate::resources::at::{self, At, Place};
use crate::resources::inputs::{ListInput, RoleListInput};
use crate::resources::named::Named;
use crate::values::answer::{Answer, Single};
use crate::values::error::{Conflict, IamError, Quota, Result};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::page::{Item, Page};
use crate::values::tag::{self, Tag, TagInput};
use crate::values::unique_id::Prefix;

/// How many roles a profile can have.
const ROLES_MAX: usize = 1;

/// The rule of a profile's name.
const NAME: Rule = Rule::Length(1, 128);

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

impl Single for ProfileView {
    const MEMBER: &'static str = "InstanceProfile";
}

impl Item for ProfileView {
    const LIST: &'static str = "InstanceProfiles";
}

impl Listable for InstanceProfile {
    const OPERATION: &'static str = "ListInstanceProfiles";
    type View = ProfileView;

    fn listed(self, tx: &ReadTx<'_>) -> Result<ProfileView> {
        ProfileView::summary(tx, self)
    }
}

impl ProfileView {
    /// As lists show it: without tags.
    pub(crate) fn summary(tx: &ReadTx<'_>, profile: InstanceProfile) -> Result<Self> {
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

    fn detail(tx: &ReadTx<'_>, mut profile: InstanceProfile) -> Result<Self> {
        let tags = std::mem::take(&mut profile.tags);
        Ok(Self { tags, ..Self::summary(tx, profile)? })
    }
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

impl ResourceOperation for CreateInstanceProfile {
    type On = At<InstanceProfile>;
    const NAME: &'static str = "CreateInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateInstanceProfileInput;
    type Output = Answer<ProfileView>;

    fn key(input: &Self::Input) -> Place<'_> {
        Place { path: input.path.as_deref(), name: &input.name }
    }

    fn check(input: &Self::Input) -> Result<()> {
        name::check(&input.name, "instanceProfileName")
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Self::On>, need: Need<'n>) -> Need<'n> {
        tag::in_request(need, &input.tags)
    }

    fn further_needs<'n>(input: &'n Self::Input, _: Option<&Self::On>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        at::tagging::<InstanceProfile>("iam:TagInstanceProfile", Self::key(input), &input.tags, call)
    }

    async fn run(input: Self::Input, _: &Permit<Self::On>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let profile = InstanceProfile {
            identity: Identity::new(Prefix::InstanceProfile, call.account(), input.path, input.name),
            created: call.now,
            tags: tag::checked(&input.tags)?,
            roles: Vec::new(),
        };
        call.write(&call.service.store, move |tx| {
            entity::insert(tx, &profile)?;
            Ok(Answer(ProfileView::detail(tx, profile)?))
        })
        .await
    }
}

wire::shape! {
    /// The name of an instance profile.
    pub struct ProfileNameInput {
        "InstanceProfileName" name: String, required, [NAME];
    }
}

pub(crate) struct GetInstanceProfile;

impl ResourceOperation for GetInstanceProfile {
    type On = Named<InstanceProfile>;
    const NAME: &'static str = "GetInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ProfileNameInput;
    type Output = Answer<ProfileView>;

    fn key(input: &Self::Input) -> &str {
        &input.name
    }

    async fn run(_: Self::Input, profile: &Permit<Self::On>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        profile.read(call, |tx, profile| Ok(Answer(ProfileView::detail(tx, profile)?))).await
    }
}

pub(crate) struct ListInstanceProfilesForRole;

impl ResourceOperation for ListInstanceProfilesForRole {
    type On = Named<Role>;
    const NAME: &'static str = "ListInstanceProfilesForRole";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = RoleListInput;
    type Output = Page<ProfileView>;

    fn key(input: &RoleListInput) -> &str {
        &input.role_name
    }

    async fn run(input: RoleListInput, role: &Permit<Self::On>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let window = input.window();
        let read = move |tx: &ReadTx<'_>, role: Role| {
            let Listed { items, next } = window.by_count(of_role(tx, &role.identity)?)?;
            let views = items.into_iter().map(|profile| ProfileView::summary(tx, profile));
            Ok(Listed { items: views.collect::<Result<_>>()?, next }.into())
        };
        role.read(call, read).await
    }
}

pub(crate) struct DeleteInstanceProfile;

impl ResourceOperation for DeleteInstanceProfile {
    type On = Named<InstanceProfile>;
    const NAME: &'static str = "DeleteInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ProfileNameInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.name
    }

    async fn run(_: Self::Input, profile: &Permit<Self::On>, call: &Call<'_, Iam>) -> Result<()> {
        let change = |tx: &mut Tx<'_>, profile: InstanceProfile| match profile.roles.is_empty() {
            true => entity::delete(tx, &profile),
            false => Err(IamError::DeleteConflict(Conflict::InstanceProfile)),
        };
        profile.change(call, change).await
    }
}

/// A profile and a role that is to be put into it or taken out.
pub(crate) struct Pair {
    profile: InstanceProfile,
    role: Role,
}

wire::shape! {
    /// The input of `AddRoleToInstanceProfile` and `RemoveRoleFromInstanceProfile`.
    pub struct PairInput {
        "InstanceProfileName" name: String, required, [NAME];
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
    }
}

impl Resource for Pair {
    type Service = Iam;
    type Key<'a> = &'a PairInput;

    async fn find<'a>(names: &'a PairInput, call: &'a Call<'_, Iam>) -> Result<Self> {
        let (account, profile) = (call.account().to_owned(), names.name.clone());
        let role = names.role_name.clone();
        let read = move |tx: &ReadTx<'_>| -> Result<Self> {
            Ok(Self { profile: entity::load(tx, &account, &profile)?, role: entity::load(tx, &account, &role)? })
        };
        call.service.store.read(read).await
    }

    fn need<'n>(&'n self, names: &'n PairInput, action: &'static str, call: &'n Call<'_, Iam>) -> Need<'n> {
        entity::need(action, call.account(), &names.name, Some(&self.profile))
    }

    fn need_of_missing<'n>(names: &'n PairInput, action: &'static str, call: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(entity::need::<InstanceProfile>(action, call.account(), &names.name, None))
    }
}

pub(crate) struct AddRoleToInstanceProfile;

impl ResourceOperation for AddRoleToInstanceProfile {
    type On = Pair;
    const NAME: &'static str = "AddRoleToInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PairInput;
    type Output = ();

    fn key(input: &PairInput) -> &PairInput {
        input
    }

    /// Whoever changes which role a machine gets, passes that role.
    fn further_needs<'n>(input: &'n PairInput, found: Option<&'n Pair>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        let role = found.map(|pair| &pair.role);
        let pass = entity::need("iam:PassRole", call.account(), &input.role_name, role);
        vec![pass.with("iam:PassedToService", PASSED_TO)]
    }

    async fn run(_: PairInput, pair: &Permit<Pair>, call: &Call<'_, Iam>) -> Result<()> {
        let (profile, role) = (pair.profile.identity.clone(), pair.role.identity.clone());
        call.write(&call.service.store, move |tx| add(tx, &profile, &role)).await
    }
}

fn add(tx: &mut Tx<'_>, profile: &Identity, role: &Identity) -> Result<()> {
    let mut profile: InstanceProfile = entity::reload(tx, profile)?;
    let role: Role = entity::reload(tx, role)?;
    role.check_unprotected()?;
    if profile.roles.len() >= ROLES_MAX {
        let quota = Quota::Count { name: "InstanceSessionsPerInstanceProfile", limit: ROLES_MAX };
        return Err(IamError::LimitExceeded(quota));
    }
    let entry = ProfileOfRole { profile: profile.identity.id.clone() };
    tx.put(&role.identity.id, &entry.profile, &entry)?;
    profile.roles.push(role.identity.id);
    entity::put(tx, &profile)
}

pub(crate) struct RemoveRoleFromInstanceProfile;

impl ResourceOperation for RemoveRoleFromInstanceProfile {
    type On = Pair;
    const NAME: &'static str = "RemoveRoleFromInstanceProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PairInput;
    type Output = ();

    fn key(input: &PairInput) -> &PairInput {
        input
    }

    async fn run(_: PairInput, pair: &Permit<Pair>, call: &Call<'_, Iam>) -> Result<()> {
        let (profile, role) = (pair.profile.identity.clone(), pair.role.identity.clone());
        call.write(&call.service.store, move |tx| remove(tx, &profile, &role)).await
    }
}

fn remove(tx: &mut Tx<'_>, profile: &Identity, role: &Identity) -> Result<()> {
    let mut profile: InstanceProfile = entity::reload(tx, profile)?;
    if !tx.delete::<ProfileOfRole>(&role.id, &profile.identity.id)? {
        return Err(IamError::NoSuchEntity { kind: Kind::Role, name: role.name.clone() });
    }
    profile.roles.retain(|id| *id != role.id);
    entity::put(tx, &profile)
}
