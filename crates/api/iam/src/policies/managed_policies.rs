//! Managed policies: the records and the operations on a policy as a whole.
//!
//! A policy's versions have a file of their own, as have its attachments. AWS-managed policies come from the catalogue
//! and are read through the same operations.

use policy::{Kind as Grammar, Policy};
use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::ReadTx;
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::policies::source;
use crate::policies::versions::VersionView;
use crate::records::attachment::{self, UsageCount};
use crate::records::aws_managed::{self, AwsManaged};
use crate::records::entity::{self, Entity, Identity};
use crate::records::managed_policy::{AnyPolicy, DEFAULT, ManagedPolicy, PolicyDocument, find, insert, version_id};
use crate::values::error::{Conflict, IamError, Quota};
use crate::values::kind::Kind;
use crate::values::tag::{self, Tag, TagInput};
use crate::values::unique_id::{self, Prefix};
use crate::values::{document, name, policy_arn};

/// What a managed policy's document may have, in characters without white space.
pub(crate) const SIZE_MAX: usize = 6144;

impl AnyPolicy {
    /// The managed policy that has this ARN, outside of a transaction.
    ///
    /// # Errors
    /// `ValidationError`, `NoSuchEntity`.
    pub(crate) async fn load(arn: &str, call: &Call<'_, Iam>) -> Result<Self, IamError> {
        policy_arn::check(arn)?;
        let (account, arn) = (call.account().to_owned(), arn.to_owned());
        let found = call.service.store.read(move |tx| Ok::<_, IamError>((find(tx, &account, &arn)?, arn))).await?;
        match found {
            (Some(policy), _) => Ok(policy),
            (None, arn) => Err(IamError::NoSuchPolicy { arn }),
        }
    }

    /// The document in force, parsed.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn parsed(&self, tx: &ReadTx<'_>) -> Result<Policy, IamError> {
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

/// The need of an action on the policy with this ARN.
pub(crate) fn need(action: &'static str, arn: &str, found: Option<&AnyPolicy>) -> Need<'static> {
    let need = Need::identity(action, arn.to_owned()).shown_as(format!("policy {arn}"));
    match found {
        Some(AnyPolicy::Own(policy)) => tag::on_resource(need, &policy.tags),
        Some(AnyPolicy::Aws(_)) | None => need,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    create_date: Timestamp,
    update_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyOutput {
    policy: PolicyView,
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

impl Operation for CreatePolicy {
    type Service = Iam;
    const NAME: &'static str = "CreatePolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreatePolicyInput;
    type Output = PolicyOutput;
    type Target = ();

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        name::check(&input.policy_name, "policyName")
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let path = input.path.as_deref().unwrap_or(name::ROOT_PATH);
        let arn = name::arn(Kind::Policy, call.account(), path, &input.policy_name).to_string();
        let mut needs = vec![tag::in_request(Need::identity("iam:CreatePolicy", arn.clone()), &input.tags)];
        if !input.tags.is_empty() {
            needs.push(tag::in_request(Need::identity("iam:TagPolicy", arn), &input.tags));
        }
        needs
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<PolicyOutput, IamError> {
        check_document(&input.policy_document)?;
        let identity = Identity {
            account: call.account().to_owned(),
            id: unique_id::generate(Prefix::Policy),
            path: input.path.unwrap_or_else(|| name::ROOT_PATH.to_owned()),
            name: input.policy_name,
        };
        let tags = tag::checked(input.tags)?;
        let policy = ManagedPolicy::new(identity, input.description, tags, call.now);
        call.write(&call.service.store, move |tx| {
            insert(tx, &policy, input.policy_document)?;
            let tags = Some(policy.tags.clone()).filter(|tags| !tags.is_empty());
            let view = PolicyView { tags, ..PolicyView::own(&policy, UsageCount::default()) };
            Ok(PolicyOutput { policy: view })
        })
        .await
    }
}

/// Checks the document of a managed policy.
///
/// # Errors
/// `MalformedPolicyDocument`, `LimitExceeded`.
pub(crate) fn check_document(text: &str) -> Result<(), IamError> {
    document::parse(text, Grammar::Identity)?;
    if document::size(text) > SIZE_MAX {
        return Err(IamError::LimitExceeded(Quota::Count { name: "PolicySize", limit: SIZE_MAX }));
    }
    Ok(())
}

wire::shape! {
    /// The input of `GetPolicy`.
    pub struct GetPolicyInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
    }
}

pub(crate) struct GetPolicy;

impl Operation for GetPolicy {
    type Service = Iam;
    const NAME: &'static str = "GetPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetPolicyInput;
    type Output = PolicyOutput;
    type Target = AnyPolicy;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<AnyPolicy, IamError> {
        AnyPolicy::load(&input.policy_arn, call).await
    }

    fn needs(input: &Self::Input, found: Option<&AnyPolicy>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![need("iam:GetPolicy", &input.policy_arn, found)]
    }

    async fn run(input: Self::Input, found: Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<PolicyOutput, IamError> {
        let account = call.account().to_owned();
        let read = move |tx: &ReadTx<'_>| attachment::usage(tx, &account, &input.policy_arn);
        let usage = call.service.store.read(read).await?;
        let (tags, description) = match &*found {
            AnyPolicy::Own(policy) => (policy.tags.clone(), policy.description.clone()),
            AnyPolicy::Aws(policy) => (Vec::new(), Some(policy.description.to_owned())),
        };
        Ok(PolicyOutput { policy: PolicyView { tags: Some(tags), description, ..found.view(usage) } })
    }
}

wire::shape! {
    /// The input of `DeletePolicy`.
    pub struct DeletePolicyInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
    }
}

pub(crate) struct DeletePolicy;

impl Operation for DeletePolicy {
    type Service = Iam;
    const NAME: &'static str = "DeletePolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeletePolicyInput;
    type Output = ();
    type Target = AnyPolicy;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<AnyPolicy, IamError> {
        AnyPolicy::load(&input.policy_arn, call).await
    }

    fn needs(input: &Self::Input, found: Option<&AnyPolicy>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![need("iam:DeletePolicy", &input.policy_arn, found)]
    }

    async fn run(input: Self::Input, found: Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = found.into_inner().own()?.identity;
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
