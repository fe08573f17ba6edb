//! Managed policies: the records and the operations on a policy as a whole.
//!
//! A policy's versions have a file of their own, as have its attachments. AWS-managed policies come from the catalogue
//! and are read through the same operations.

use policy::{Kind as Grammar, Policy};
use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::ReadTx;
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::policies::source;
use crate::policies::versions::VersionView;
use crate::records::attachment::{self, UsageCount};
use crate::records::aws_managed::{self, AwsManaged};
use crate::records::entity::{self, Entity, Identity};
use crate::records::managed_policy::{AnyPolicy, DEFAULT, ManagedPolicy, PolicyDocument, insert, version_id};
use crate::resources::at::{self, At, Place};
use crate::resources::policy::{PolicyArnInput, PolicyKey};
use crate::values::answer::{Answer, Single};
use crate::values::error::{Conflict, IamError, Quota, Result};
use crate::values::page::Item;
use crate::values::tag::{self, Tag, TagInput};
use crate::values::unique_id::Prefix;
use crate::values::{document, name};

/// The largest document of a managed policy, in characters without white space.
pub(crate) const SIZE_MAX: usize = 6144;

impl AnyPolicy {
    /// The document in force, parsed.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn parsed(&self, tx: &ReadTx<'_>) -> Result<Policy> {
        let arn = match self {
            Self::Own(policy) => policy.arn(),
            Self::Aws(policy) => policy.arn.clone(),
        };
        let sourced = source::managed(tx, arn.as_str())?;
        sourced.map(|sourced| sourced.policy).ok_or_else(|| IamError::NoSuchPolicy { arn: arn.to_string() })
    }

    fn view(&self, usage: UsageCount) -> PolicyView {
        match self {
            Self::Own(policy) => PolicyView::own(policy, usage),
            Self::Aws(policy) => PolicyView::aws(policy, usage),
        }
    }
}

/// A managed policy as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyView {
    pub(crate) policy_name: String,
    policy_id: String,
    arn: Arn,
    path: String,
    default_version_id: String,
    attachment_count: u32,
    permissions_boundary_usage_count: u32,
    is_attachable: bool,
    description: Option<String>,
    create_date: Timestamp,
    update_date: Timestamp,
    tags: Option<Vec<Tag>>,
    policy_version_list: Option<Vec<VersionView>>,
}

impl PolicyView {
    /// As lists show it: without description and tags.
    pub(crate) fn own(policy: &ManagedPolicy, usage: UsageCount) -> Self {
        Self {
            policy_name: policy.identity.name.clone(),
            policy_id: policy.identity.id.clone(),
            arn: policy.arn(),
            path: policy.identity.path.clone(),
            default_version_id: version_id(policy.default_version),
            attachment_count: usage.attachments,
            permissions_boundary_usage_count: usage.boundaries,
            is_attachable: true,
            description: None,
            create_date: policy.created,
            update_date: policy.updated,
            tags: None,
            policy_version_list: None,
        }
    }

    /// As lists show it.
    pub(crate) fn aws(policy: &AwsManaged, usage: UsageCount) -> Self {
        Self {
            policy_name: policy.name.to_owned(),
            policy_id: policy.id.clone(),
            arn: policy.arn.clone(),
            path: policy.path.to_owned(),
            default_version_id: version_id(aws_managed::VERSION),
            attachment_count: usage.attachments,
            permissions_boundary_usage_count: usage.boundaries,
            is_attachable: true,
            description: None,
            create_date: policy.created,
            update_date: policy.created,
            tags: None,
            policy_version_list: None,
        }
    }

    /// The same with the policy's versions.
    pub(crate) fn with_versions(self, versions: Vec<VersionView>) -> Self {
        Self { policy_version_list: Some(versions), ..self }
    }
}

impl Single for PolicyView {
    const MEMBER: &'static str = "Policy";
}

impl Item for PolicyView {
    const LIST: &'static str = "Policies";
}

wire::shape! {
    /// The input of `CreatePolicy`.
    pub struct CreatePolicyInput {
        "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
        "Path" path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::POLICY_PATH)];
        "PolicyDocument" policy_document: String, required, [document::LENGTH, document::PATTERN];
        "Description" description: String, optional, [Rule::Length(0, 1000)];
        "Tags" tags: Vec<TagInput>, default, [tag::LIST];
    }
}

pub(crate) struct CreatePolicy;

impl ResourceOperation for CreatePolicy {
    type On = At<ManagedPolicy>;
    const NAME: &'static str = "CreatePolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreatePolicyInput;
    type Output = Answer<PolicyView>;

    fn key(input: &Self::Input) -> Place<'_> {
        Place { path: input.path.as_deref(), name: &input.policy_name }
    }

    fn check(input: &Self::Input) -> Result<()> {
        name::check(&input.policy_name, "policyName")
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Self::On>, need: Need<'n>) -> Need<'n> {
        tag::in_request(need, &input.tags)
    }

    fn further_needs<'n>(input: &'n Self::Input, _: Option<&Self::On>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        at::tagging::<ManagedPolicy>("iam:TagPolicy", Self::key(input), &input.tags, call)
    }

    async fn run(input: Self::Input, _: &Permit<Self::On>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        check_document(&input.policy_document)?;
        let identity = Identity::new(Prefix::Policy, call.account(), input.path, input.policy_name);
        let tags = tag::checked(&input.tags)?;
        let policy = ManagedPolicy::new(identity, input.description, tags, call.now);
        call.write(&call.service.store, move |tx| {
            insert(tx, &policy, input.policy_document)?;
            let tags = Some(policy.tags.clone()).filter(|tags| !tags.is_empty());
            Ok(Answer(PolicyView { tags, ..PolicyView::own(&policy, UsageCount::default()) }))
        })
        .await
    }
}

/// Checks the document of a managed policy.
///
/// # Errors
/// `MalformedPolicyDocument`, `LimitExceeded`.
pub(crate) fn check_document(text: &str) -> Result<()> {
    document::parse(text, Grammar::Identity)?;
    if document::size(text) > SIZE_MAX {
        return Err(IamError::LimitExceeded(Quota::Count { name: "PolicySize", limit: SIZE_MAX }));
    }
    Ok(())
}

pub(crate) struct GetPolicy;

impl ResourceOperation for GetPolicy {
    type On = AnyPolicy;
    const NAME: &'static str = "GetPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = PolicyArnInput;
    type Output = Answer<PolicyView>;

    fn key(input: &Self::Input) -> PolicyKey<'_> {
        input.policy_arn.as_str().into()
    }

    async fn run(input: Self::Input, found: &Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let account = call.account().to_owned();
        let read = move |tx: &ReadTx<'_>| attachment::usage(tx, &account, &input.policy_arn);
        let usage = call.service.store.read(read).await?;
        let (tags, description) = match &**found {
            AnyPolicy::Own(policy) => (policy.tags.clone(), policy.description.clone()),
            AnyPolicy::Aws(policy) => (Vec::new(), Some(policy.description.to_owned())),
        };
        Ok(Answer(PolicyView { tags: Some(tags), description, ..found.view(usage) }))
    }
}

pub(crate) struct DeletePolicy;

impl ResourceOperation for DeletePolicy {
    type On = AnyPolicy;
    const NAME: &'static str = "DeletePolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PolicyArnInput;
    type Output = ();

    fn key(input: &Self::Input) -> PolicyKey<'_> {
        input.policy_arn.as_str().into()
    }

    async fn run(input: Self::Input, found: &Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<()> {
        let known = found.own()?.identity.clone();
        call.write(&call.service.store, move |tx| {
            let arn = &input.policy_arn;
            let policy: ManagedPolicy =
                tx.get(&known.account, &known.id)?.ok_or_else(|| IamError::NoSuchPolicy { arn: arn.clone() })?;
            if attachment::usage(tx, &known.account, arn)? != UsageCount::default() {
                return Err(IamError::DeleteConflict(Conflict::Attached));
            }
            if policy.versions.len() > 1 {
                return Err(IamError::DeleteConflict(Conflict::Versions));
            }
            for version in &policy.versions {
                tx.delete::<PolicyDocument>(arn, &version_id(version.number))?;
            }
            tx.delete::<PolicyDocument>(arn, DEFAULT)?;
            entity::delete(tx, &policy)
        })
        .await
    }
}
