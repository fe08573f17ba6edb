//! `ListEntitiesForPolicy`: to whom a managed policy is attached.

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use store::ReadTx;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::list::PolicyUsage;
use crate::records::attachment::{Attachment, Usage};
use crate::records::entity::Identity;
use crate::records::group::Group;
use crate::records::managed_policy::AnyPolicy;
use crate::records::role::Role;
use crate::records::user::User;
use crate::resources::policy::PolicyKey;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::{name, page, policy_arn};

wire::text_enum! {
    /// The kinds that `EntityFilter` distinguishes; nothing is ever attached to the last two.
    pub enum EntityFilter {
        User = "User",
        Role = "Role",
        Group = "Group",
        LocalManagedPolicy = "LocalManagedPolicy",
        AwsManagedPolicy = "AWSManagedPolicy",
    }
}

impl EntityFilter {
    const fn admits(self, kind: Kind) -> bool {
        matches!((self, kind), (Self::User, Kind::User) | (Self::Role, Kind::Role) | (Self::Group, Kind::Group))
    }
}

wire::shape! {
    /// The input of `ListEntitiesForPolicy`.
    pub struct ListEntitiesForPolicyInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "EntityFilter" entity_filter: EntityFilter, optional, [];
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "PolicyUsageFilter" policy_usage_filter: PolicyUsage, optional, [];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyGroup {
    group_name: String,
    group_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyUser {
    user_name: String,
    user_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyRole {
    role_name: String,
    role_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListEntitiesForPolicyOutput {
    policy_groups: Vec<PolicyGroup>,
    policy_users: Vec<PolicyUser>,
    policy_roles: Vec<PolicyRole>,
    is_truncated: bool,
    marker: Option<String>,
}

pub(crate) struct ListEntitiesForPolicy;

impl ResourceOperation for ListEntitiesForPolicy {
    type On = AnyPolicy;
    const NAME: &'static str = "ListEntitiesForPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListEntitiesForPolicyInput;
    type Output = ListEntitiesForPolicyOutput;

    fn key(input: &Self::Input) -> PolicyKey<'_> {
        input.policy_arn.as_str().into()
    }

    async fn run(
        input: Self::Input,
        _: &Permit<AnyPolicy>,
        call: &Call<'_, Iam>,
    ) -> Result<ListEntitiesForPolicyOutput> {
        let account = call.account().to_owned();
        call.service.store.read(move |tx| list(tx, &account, input)).await
    }
}

fn list(tx: &ReadTx<'_>, account: &str, input: ListEntitiesForPolicyInput) -> Result<ListEntitiesForPolicyOutput> {
    let usage = input.policy_usage_filter.map(|filter| match filter {
        PolicyUsage::Permissions => Usage::Permissions,
        PolicyUsage::Boundary => Usage::Boundary,
    });
    let prefix = input.path_prefix.as_deref().unwrap_or_default();
    let parent = Attachment::parent(account, &input.policy_arn);
    let listed = page::window(input.marker, input.max_items).filtered::<Attachment, _, IamError>(
        tx,
        &parent,
        page::SCANNED_MAX,
        |attachment| Attachment::id(&attachment.entity, attachment.usage),
        |Attachment { kind, entity, usage: used }| {
            if usage.is_some_and(|usage| usage != used) || input.entity_filter.is_some_and(|only| !only.admits(kind)) {
                return Ok(None);
            }
            // One entity that uses the policy in both ways is listed once.
            let also = Attachment::id(&entity, Usage::Permissions);
            if usage.is_none() && used == Usage::Boundary && tx.get::<Attachment>(&parent, &also)?.is_some() {
                return Ok(None);
            }
            let identity = identity(tx, account, kind, &entity)?;
            Ok(identity.filter(|identity| identity.path.starts_with(prefix)).map(|identity| (kind, identity)))
        },
    )?;
    let mut output = ListEntitiesForPolicyOutput {
        policy_groups: Vec::new(),
        policy_users: Vec::new(),
        policy_roles: Vec::new(),
        is_truncated: listed.is_truncated(),
        marker: listed.next,
    };
    for (kind, Identity { id, name, .. }) in listed.items {
        match kind {
            Kind::User => output.policy_users.push(PolicyUser { user_name: name, user_id: id }),
            Kind::Group => output.policy_groups.push(PolicyGroup { group_name: name, group_id: id }),
            Kind::Role => output.policy_roles.push(PolicyRole { role_name: name, role_id: id }),
            Kind::Policy | Kind::InstanceProfile => {}
        }
    }
    Ok(output)
}

/// The names that the entity with this unique id bears now.
fn identity(tx: &ReadTx<'_>, account: &str, kind: Kind, id: &str) -> Result<Option<Identity>> {
    Ok(match kind {
        Kind::User => tx.get::<User>(account, id)?.map(|user| user.identity),
        Kind::Group => tx.get::<Group>(account, id)?.map(|group| group.identity),
        Kind::Role => tx.get::<Role>(account, id)?.map(|role| role.identity),
        Kind::Policy | Kind::InstanceProfile => None,
    })
}
