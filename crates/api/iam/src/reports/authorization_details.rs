//! `GetAccountAuthorizationDetails`: every user, group, role and policy of an account, and how they hang together.

use serde::Serialize;
use service::{Account, AuditClass, Call, Listed, Permit, ResourceOperation, Window};
use store::ReadTx;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::policies::attachments::AttachedPolicy;
use crate::policies::boundaries::BoundaryView;
use crate::policies::entities::EntityFilter;
use crate::policies::managed_policies::PolicyView;
use crate::policies::versions::VersionView;
use crate::principals::instance_profiles::ProfileView;
use crate::principals::roles::RoleLastUsed;
use crate::records::attachment::{self, UsageCount};
use crate::records::entity::{Entity, Holder, Identity};
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::last_use::LastUse;
use crate::records::managed_policy::{ManagedPolicy, PolicyDocument, version_id};
use crate::records::role::Role;
use crate::records::user::User;
use crate::records::{aws_managed, instance_profile};
use crate::values::error::{IamError, Result};
use crate::values::tag::Tag;
use crate::values::{document, page};

wire::shape! {
    /// The input of `GetAccountAuthorizationDetails`.
    pub struct GetAccountAuthorizationDetailsInput {
        "Filter" filter: Vec<EntityFilter>, default, [];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
    }
}

/// The parts in the order in which they are listed. What a marker begins with says in which part the next page begins.
const PARTS: [(EntityFilter, char); 5] = [
    (EntityFilter::User, 'u'),
    (EntityFilter::Group, 'g'),
    (EntityFilter::Role, 'r'),
    (EntityFilter::LocalManagedPolicy, 'p'),
    (EntityFilter::AwsManagedPolicy, 'a'),
];

/// How many items a page has at most, whatever the caller says: each of them comes with all its policies. AWS too may
/// answer fewer than it was asked for.
const ITEMS_MAX: usize = 300;

/// An inline policy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDetail {
    policy_name: String,
    policy_document: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserDetail {
    path: String,
    user_name: String,
    user_id: String,
    arn: Arn,
    create_date: Timestamp,
    user_policy_list: Vec<PolicyDetail>,
    group_list: Vec<String>,
    attached_managed_policies: Vec<AttachedPolicy>,
    permissions_boundary: Option<BoundaryView>,
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupDetail {
    path: String,
    group_name: String,
    group_id: String,
    arn: Arn,
    create_date: Timestamp,
    group_policy_list: Vec<PolicyDetail>,
    attached_managed_policies: Vec<AttachedPolicy>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleDetail {
    path: String,
    role_name: String,
    role_id: String,
    arn: Arn,
    create_date: Timestamp,
    assume_role_policy_document: String,
    instance_profile_list: Vec<ProfileView>,
    role_policy_list: Vec<PolicyDetail>,
    attached_managed_policies: Vec<AttachedPolicy>,
    permissions_boundary: Option<BoundaryView>,
    tags: Vec<Tag>,
    role_last_used: RoleLastUsed,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DetailsOutput {
    user_detail_list: Vec<UserDetail>,
    group_detail_list: Vec<GroupDetail>,
    role_detail_list: Vec<RoleDetail>,
    policies: Vec<PolicyView>,
    is_truncated: bool,
    marker: Option<String>,
}

pub(crate) struct GetAccountAuthorizationDetails;

impl ResourceOperation for GetAccountAuthorizationDetails {
    type On = Account<Iam>;
    const NAME: &'static str = "GetAccountAuthorizationDetails";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetAccountAuthorizationDetailsInput;
    type Output = DetailsOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<DetailsOutput> {
        let account = call.account().to_owned();
        call.service.store.read(move |tx| details(tx, &account, input)).await
    }
}

fn details(tx: &ReadTx<'_>, account: &str, input: GetAccountAuthorizationDetailsInput) -> Result<DetailsOutput> {
    let GetAccountAuthorizationDetailsInput { filter, max_items, marker } = input;
    let max_items = max_items.and_then(|max| usize::try_from(max).ok()).map(|max| max.min(ITEMS_MAX));
    let (first, mut rest) = match marker {
        None => (0, None),
        Some(marker) => {
            let bad = || IamError::Validation("Invalid Marker.".to_owned());
            let part = PARTS.iter().position(|(_, letter)| marker.starts_with(*letter)).ok_or_else(bad)?;
            (part, marker.get(1..).filter(|rest| !rest.is_empty()).map(str::to_owned))
        }
    };
    let mut output = DetailsOutput::default();
    let mut taken = 0;
    for (part, letter) in PARTS.into_iter().skip(first) {
        let wanted = filter.is_empty() || filter.contains(&part);
        let room = max_items.unwrap_or(page::DEFAULT).saturating_sub(taken);
        if wanted && room == 0 {
            output.marker = Some(letter.to_string());
            break;
        }
        if wanted {
            let (count, marker) = output.add(tx, account, part, Window::new(rest.take(), Some(room), room, room))?;
            taken += count;
            if let Some(marker) = marker {
                output.marker = Some(format!("{letter}{marker}"));
                break;
            }
        }
    }
    output.is_truncated = output.marker.is_some();
    Ok(output)
}

impl DetailsOutput {
    /// Adds a page of one part. Returns how much that is, and where the part goes on.
    fn add(
        &mut self,
        tx: &ReadTx<'_>,
        account: &str,
        part: EntityFilter,
        window: Window,
    ) -> Result<(usize, Option<String>)> {
        fn into<T>(list: &mut Vec<T>, Listed { items, next }: Listed<T>) -> (usize, Option<String>) {
            let count = items.len();
            list.extend(items);
            (count, next)
        }
        Ok(match part {
            EntityFilter::User => into(&mut self.user_detail_list, read(tx, account, window, user)?),
            EntityFilter::Group => into(&mut self.group_detail_list, read(tx, account, window, group)?),
            EntityFilter::Role => into(&mut self.role_detail_list, read(tx, account, window, role)?),
            EntityFilter::LocalManagedPolicy => into(&mut self.policies, read(tx, account, window, own_policy)?),
            EntityFilter::AwsManagedPolicy => {
                let mut used = Vec::new();
                for policy in aws_managed::all() {
                    let usage = attachment::usage(tx, account, policy.arn.as_str())?;
                    // As in AWS, those that nobody uses are left out.
                    if usage != UsageCount::default() {
                        let versions = vec![VersionView::of_aws(policy)];
                        used.push(PolicyView::aws(policy, usage).with_versions(versions));
                    }
                }
                into(&mut self.policies, window.by_count(used)?)
            }
        })
    }
}

/// A page of one kind of entity.
fn read<E: Entity, T>(
    tx: &ReadTx<'_>,
    account: &str,
    window: Window,
    detail: impl Fn(&ReadTx<'_>, E) -> Result<T>,
) -> Result<Listed<T>> {
    let id = |entity: &E| entity.identity().id.clone();
    window.filtered(tx, account, page::SCANNED_MAX, id, |entity| detail(tx, entity).map(Some))
}

fn inline(tx: &ReadTx<'_>, entity: &Identity) -> Result<Vec<PolicyDetail>> {
    let policies = tx.all::<InlinePolicy>(&entity.id)?.into_iter();
    let details = policies.map(|InlinePolicy { name, document }| PolicyDetail {
        policy_name: name,
        policy_document: document::encoded(&document),
    });
    Ok(details.collect())
}

fn user(tx: &ReadTx<'_>, user: User) -> Result<UserDetail> {
    let mut group_list = Vec::with_capacity(user.groups.len());
    for id in &user.groups {
        group_list.extend(tx.get::<Group>(&user.identity.account, id)?.map(|group| group.identity.name));
    }
    Ok(UserDetail {
        arn: user.arn(),
        user_policy_list: inline(tx, &user.identity)?,
        group_list,
        attached_managed_policies: attached(&user),
        path: user.identity.path,
        user_name: user.identity.name,
        user_id: user.identity.id,
        create_date: user.created,
        permissions_boundary: user.boundary.map(BoundaryView::of),
        tags: user.tags,
    })
}

fn group(tx: &ReadTx<'_>, group: Group) -> Result<GroupDetail> {
    Ok(GroupDetail {
        arn: group.arn(),
        group_policy_list: inline(tx, &group.identity)?,
        attached_managed_policies: attached(&group),
        path: group.identity.path,
        group_name: group.identity.name,
        group_id: group.identity.id,
        create_date: group.created,
    })
}

fn role(tx: &ReadTx<'_>, role: Role) -> Result<RoleDetail> {
    let last = tx.get::<LastUse>(&role.identity.account, &role.identity.id)?;
    let profiles = instance_profile::of_role(tx, &role.identity)?.into_iter();
    let profiles = profiles.map(|profile| ProfileView::summary(tx, profile));
    Ok(RoleDetail {
        arn: role.arn(),
        assume_role_policy_document: document::encoded(&role.trust.document),
        instance_profile_list: profiles.collect::<Result<_>>()?,
        role_policy_list: inline(tx, &role.identity)?,
        attached_managed_policies: attached(&role),
        path: role.identity.path,
        role_name: role.identity.name,
        role_id: role.identity.id,
        create_date: role.created,
        permissions_boundary: role.boundary.map(BoundaryView::of),
        tags: role.tags,
        role_last_used: RoleLastUsed::of(last),
    })
}

fn own_policy(tx: &ReadTx<'_>, policy: ManagedPolicy) -> Result<PolicyView> {
    let arn = policy.arn().to_string();
    let mut versions = Vec::with_capacity(policy.versions.len());
    for entry in policy.versions.iter().rev() {
        let document = tx.get::<PolicyDocument>(&arn, &version_id(entry.number))?;
        let document = document.map(|document| document.text);
        versions.push(VersionView::of(*entry, policy.default_version).with_document(document.as_deref()));
    }
    let usage = attachment::usage(tx, &policy.identity.account, &arn)?;
    Ok(PolicyView::own(&policy, usage).with_versions(versions))
}

fn attached<E: Holder>(entity: &E) -> Vec<AttachedPolicy> {
    entity.attached().iter().filter_map(|arn| AttachedPolicy::of(arn)).collect()
}
