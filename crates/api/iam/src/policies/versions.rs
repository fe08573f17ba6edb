//! Versions of managed policies: up to five documents, one of which is in force.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::Tx;
use wire::Timestamp;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::last_administrator;
use crate::policies::managed_policies::{self, need};
use crate::records::aws_managed::{self, AwsManaged};
use crate::records::entity::{self, Identity};
use crate::records::managed_policy::{AnyPolicy, DEFAULT, ManagedPolicy, PolicyDocument, VersionEntry, version_id};
use crate::values::error::{Conflict, IamError, Quota};
use crate::values::page::{self, Window};
use crate::values::{document, policy_arn};

/// How many versions a policy can have.
const VERSIONS_MAX: usize = 5;

/// The ids of versions, as AWS prints the rule.
const VERSION_ID: Rule = Rule::Pattern(r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?");

/// A version as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionView {
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    version_id: String,
    is_default_version: bool,
    create_date: Timestamp,
}

impl VersionView {
    pub(crate) fn of(entry: VersionEntry, default: u32) -> Self {
        Self {
            document: None,
            version_id: version_id(entry.number),
            is_default_version: entry.number == default,
            create_date: entry.created,
        }
    }

    /// The only version of an AWS-managed policy.
    pub(crate) fn of_aws(policy: &AwsManaged) -> Self {
        let entry = VersionEntry { number: aws_managed::VERSION, created: policy.created };
        Self::of(entry, aws_managed::VERSION).with_document(Some(policy.text))
    }

    /// The same with its document.
    pub(crate) fn with_document(self, text: Option<&str>) -> Self {
        Self { document: text.map(document::encoded), ..self }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionOutput {
    policy_version: VersionView,
}

/// The policy as it is now.
fn reload(tx: &Tx<'_>, known: &Identity, arn: &str) -> Result<ManagedPolicy, IamError> {
    tx.get(&known.account, &known.id)?.ok_or_else(|| IamError::NoSuchPolicy { arn: arn.to_owned() })
}

/// The version called `id`.
fn find_version(policy: &ManagedPolicy, arn: &str, id: &str) -> Result<VersionEntry, IamError> {
    let found = policy.versions.iter().find(|entry| version_id(entry.number) == id);
    found.copied().ok_or_else(|| IamError::NoSuchVersion { arn: arn.to_owned(), version: id.to_owned() })
}

/// Puts a document in force.
///
/// # Errors
/// `DeleteConflict`.
fn enforce(tx: &mut Tx<'_>, account: &str, document: &PolicyDocument) -> Result<(), IamError> {
    let PolicyDocument { arn, text } = document;
    last_administrator::with_document_lockout_check(tx, account, arn, text, |tx| Ok(tx.put(arn, DEFAULT, document)?))
}

/// A policy that is missing is told of as a version that is missing, as AWS does.
async fn load(arn: &str, version: &str, call: &Call<'_, Iam>) -> Result<AnyPolicy, IamError> {
    AnyPolicy::load(arn, call).await.map_err(|error| match error {
        IamError::NoSuchPolicy { arn } => IamError::NoSuchVersion { arn, version: version.to_owned() },
        error => error,
    })
}

wire::shape! {
    /// The input of `CreatePolicyVersion`.
    pub struct CreatePolicyVersionInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "PolicyDocument" policy_document: String, required, [document::LENGTH, document::PATTERN];
        "SetAsDefault" set_as_default: bool, default, [];
    }
}

pub(crate) struct CreatePolicyVersion;

impl Operation for CreatePolicyVersion {
    type Service = Iam;
    const NAME: &'static str = "CreatePolicyVersion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreatePolicyVersionInput;
    type Output = VersionOutput;
    type Target = AnyPolicy;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<AnyPolicy, IamError> {
        AnyPolicy::load(&input.policy_arn, call).await
    }

    fn needs(input: &Self::Input, found: Option<&AnyPolicy>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![need("iam:CreatePolicyVersion", &input.policy_arn, found)]
    }

    async fn run(
        input: Self::Input,
        found: Permit<AnyPolicy>,
        call: &Call<'_, Iam>,
    ) -> Result<VersionOutput, IamError> {
        let known = found.into_inner().own()?.identity;
        managed_policies::check_document(&input.policy_document)?;
        let now = call.now;
        call.write(&call.service.store, move |tx| {
            let mut policy = reload(tx, &known, &input.policy_arn)?;
            if policy.versions.len() >= VERSIONS_MAX {
                return Err(IamError::LimitExceeded(Quota::Versions));
            }
            let entry = VersionEntry { number: policy.next_version, created: now };
            let document = PolicyDocument { arn: input.policy_arn, text: input.policy_document };
            tx.put(&document.arn, &version_id(entry.number), &document)?;
            if input.set_as_default {
                enforce(tx, &known.account, &document)?;
                policy.default_version = entry.number;
            }
            policy.versions.push(entry);
            policy.next_version = policy.next_version.saturating_add(1);
            policy.updated = now;
            entity::put(tx, &policy)?;
            Ok(VersionOutput { policy_version: VersionView::of(entry, policy.default_version) })
        })
        .await
    }
}

wire::shape! {
    /// The input of `GetPolicyVersion`.
    pub struct GetPolicyVersionInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "VersionId" version_id: String, required, [VERSION_ID];
    }
}

pub(crate) struct GetPolicyVersion;

impl Operation for GetPolicyVersion {
    type Service = Iam;
    const NAME: &'static str = "GetPolicyVersion";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetPolicyVersionInput;
    type Output = VersionOutput;
    type Target = AnyPolicy;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<AnyPolicy, IamError> {
        load(&input.policy_arn, &input.version_id, call).await
    }

    fn needs(input: &Self::Input, found: Option<&AnyPolicy>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![need("iam:GetPolicyVersion", &input.policy_arn, found)]
    }

    async fn run(
        input: Self::Input,
        found: Permit<AnyPolicy>,
        call: &Call<'_, Iam>,
    ) -> Result<VersionOutput, IamError> {
        let missing = |arn: String, version: String| IamError::NoSuchVersion { arn, version };
        let view = match &*found {
            AnyPolicy::Aws(policy) => {
                if input.version_id != version_id(aws_managed::VERSION) {
                    return Err(missing(input.policy_arn, input.version_id));
                }
                VersionView::of_aws(policy)
            }
            AnyPolicy::Own(policy) => {
                let entry = find_version(policy, &input.policy_arn, &input.version_id)?;
                let view = VersionView::of(entry, policy.default_version);
                let read = move |tx: &store::ReadTx<'_>| {
                    tx.get::<PolicyDocument>(&input.policy_arn, &input.version_id)?
                        .ok_or_else(|| missing(input.policy_arn, input.version_id))
                };
                view.with_document(Some(&call.service.store.read(read).await?.text))
            }
        };
        Ok(VersionOutput { policy_version: view })
    }
}

wire::shape! {
    /// The input of `ListPolicyVersions`.
    pub struct ListPolicyVersionsInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListPolicyVersionsOutput {
    versions: Vec<VersionView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

pub(crate) struct ListPolicyVersions;

impl Operation for ListPolicyVersions {
    type Service = Iam;
    const NAME: &'static str = "ListPolicyVersions";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListPolicyVersionsInput;
    type Output = ListPolicyVersionsOutput;
    type Target = AnyPolicy;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<AnyPolicy, IamError> {
        AnyPolicy::load(&input.policy_arn, call).await
    }

    fn needs(input: &Self::Input, found: Option<&AnyPolicy>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![need("iam:ListPolicyVersions", &input.policy_arn, found)]
    }

    /// The newest version comes first.
    async fn run(
        input: Self::Input,
        found: Permit<AnyPolicy>,
        _: &Call<'_, Iam>,
    ) -> Result<ListPolicyVersionsOutput, IamError> {
        let versions = match &*found {
            AnyPolicy::Aws(policy) => {
                vec![VersionView { document: None, ..VersionView::of_aws(policy) }]
            }
            AnyPolicy::Own(policy) => {
                policy.versions.iter().rev().map(|entry| VersionView::of(*entry, policy.default_version)).collect()
            }
        };
        let listed = Window::new(input.marker, input.max_items).cut(versions)?;
        Ok(ListPolicyVersionsOutput {
            is_truncated: listed.is_truncated(),
            versions: listed.items,
            marker: listed.marker,
        })
    }
}

wire::shape! {
    /// The input of `SetDefaultPolicyVersion`.
    pub struct SetDefaultPolicyVersionInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "VersionId" version_id: String, required, [VERSION_ID];
    }
}

pub(crate) struct SetDefaultPolicyVersion;

impl Operation for SetDefaultPolicyVersion {
    type Service = Iam;
    const NAME: &'static str = "SetDefaultPolicyVersion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = SetDefaultPolicyVersionInput;
    type Output = ();
    type Target = AnyPolicy;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<AnyPolicy, IamError> {
        load(&input.policy_arn, &input.version_id, call).await
    }

    fn needs(input: &Self::Input, found: Option<&AnyPolicy>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![need("iam:SetDefaultPolicyVersion", &input.policy_arn, found)]
    }

    async fn run(input: Self::Input, found: Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = found.into_inner().own()?.identity;
        call.write(&call.service.store, move |tx| {
            let arn = &input.policy_arn;
            let mut policy = reload(tx, &known, arn)?;
            policy.default_version = find_version(&policy, arn, &input.version_id)?.number;
            let document = tx
                .get::<PolicyDocument>(arn, &input.version_id)?
                .ok_or_else(|| IamError::NoSuchVersion { arn: arn.clone(), version: input.version_id.clone() })?;
            enforce(tx, &known.account, &document)?;
            entity::put(tx, &policy)
        })
        .await
    }
}

wire::shape! {
    /// The input of `DeletePolicyVersion`.
    pub struct DeletePolicyVersionInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "VersionId" version_id: String, required, [VERSION_ID];
    }
}

pub(crate) struct DeletePolicyVersion;

impl Operation for DeletePolicyVersion {
    type Service = Iam;
    const NAME: &'static str = "DeletePolicyVersion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeletePolicyVersionInput;
    type Output = ();
    type Target = AnyPolicy;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<AnyPolicy, IamError> {
        load(&input.policy_arn, &input.version_id, call).await
    }

    fn needs(input: &Self::Input, found: Option<&AnyPolicy>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![need("iam:DeletePolicyVersion", &input.policy_arn, found)]
    }

    async fn run(input: Self::Input, found: Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = found.into_inner().own()?.identity;
        call.write(&call.service.store, move |tx| {
            let mut policy = reload(tx, &known, &input.policy_arn)?;
            let entry = find_version(&policy, &input.policy_arn, &input.version_id)?;
            if entry.number == policy.default_version {
                return Err(IamError::DeleteConflict(Conflict::DefaultVersion));
            }
            policy.versions.retain(|other| other.number != entry.number);
            tx.delete::<PolicyDocument>(&input.policy_arn, &input.version_id)?;
            entity::put(tx, &policy)
        })
        .await
    }
}
