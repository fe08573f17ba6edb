//! Versions of managed policies: up to five documents, one of which is in force.

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;
use wire::Timestamp;

use crate::Iam;
use crate::policies::{last_administrator, managed_policies};
use crate::records::aws_managed::{self, AwsManaged};
use crate::records::entity::{self, Identity};
use crate::records::managed_policy::{AnyPolicy, DEFAULT, ManagedPolicy, PolicyDocument, VersionEntry, version_id};
use crate::resources::inputs::{ListInput, PolicyListInput};
use crate::resources::policy::{PolicyKey, VersionInput};
use crate::values::answer::{Answer, Single};
use crate::values::error::{Conflict, IamError, Quota, Result};
use crate::values::page::{Item, Page};
use crate::values::{document, policy_arn};

/// How many versions a policy can have.
const VERSIONS_MAX: usize = 5;

/// A version as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionView {
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

impl Single for VersionView {
    const MEMBER: &'static str = "PolicyVersion";
}

impl Item for VersionView {
    const LIST: &'static str = "Versions";
}

/// The policy as it is now.
fn reload(tx: &Tx<'_>, known: &Identity, arn: &str) -> Result<ManagedPolicy> {
    tx.get(&known.account, &known.id)?.ok_or_else(|| IamError::NoSuchPolicy { arn: arn.to_owned() })
}

/// The version called `id`.
fn find_version(policy: &ManagedPolicy, arn: &str, id: &str) -> Result<VersionEntry> {
    let found = policy.versions.iter().find(|entry| version_id(entry.number) == id);
    found.copied().ok_or_else(|| IamError::NoSuchVersion { arn: arn.to_owned(), version: id.to_owned() })
}

/// Puts a document in force.
///
/// # Errors
/// `DeleteConflict`.
fn enforce(tx: &mut Tx<'_>, account: &str, document: &PolicyDocument) -> Result<()> {
    let PolicyDocument { arn, text } = document;
    last_administrator::with_document_lockout_check(tx, account, arn, text, |tx| Ok(tx.put(arn, DEFAULT, document)?))
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

impl ResourceOperation for CreatePolicyVersion {
    type On = AnyPolicy;
    const NAME: &'static str = "CreatePolicyVersion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreatePolicyVersionInput;
    type Output = Answer<VersionView>;

    fn key(input: &Self::Input) -> PolicyKey<'_> {
        input.policy_arn.as_str().into()
    }

    async fn run(input: Self::Input, found: &Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let known = found.own()?.identity.clone();
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
            Ok(Answer(VersionView::of(entry, policy.default_version)))
        })
        .await
    }
}

pub(crate) struct GetPolicyVersion;

impl ResourceOperation for GetPolicyVersion {
    type On = AnyPolicy;
    const NAME: &'static str = "GetPolicyVersion";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = VersionInput;
    type Output = Answer<VersionView>;

    fn key(input: &Self::Input) -> PolicyKey<'_> {
        input.key()
    }

    async fn run(input: Self::Input, found: &Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let missing = |arn: String, version: String| IamError::NoSuchVersion { arn, version };
        let view = match &**found {
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
        Ok(Answer(view))
    }
}

pub(crate) struct ListPolicyVersions;

impl ResourceOperation for ListPolicyVersions {
    type On = AnyPolicy;
    const NAME: &'static str = "ListPolicyVersions";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = PolicyListInput;
    type Output = Page<VersionView>;

    fn key(input: &Self::Input) -> PolicyKey<'_> {
        input.policy_arn.as_str().into()
    }

    /// The newest version comes first.
    async fn run(input: Self::Input, found: &Permit<AnyPolicy>, _: &Call<'_, Iam>) -> Result<Self::Output> {
        let versions = match &**found {
            AnyPolicy::Aws(policy) => {
                vec![VersionView { document: None, ..VersionView::of_aws(policy) }]
            }
            AnyPolicy::Own(policy) => {
                policy.versions.iter().rev().map(|entry| VersionView::of(*entry, policy.default_version)).collect()
            }
        };
        Ok(input.window().by_count(versions)?.into())
    }
}

pub(crate) struct SetDefaultPolicyVersion;

impl ResourceOperation for SetDefaultPolicyVersion {
    type On = AnyPolicy;
    const NAME: &'static str = "SetDefaultPolicyVersion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = VersionInput;
    type Output = ();

    fn key(input: &Self::Input) -> PolicyKey<'_> {
        input.key()
    }

    async fn run(input: Self::Input, found: &Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<()> {
        let known = found.own()?.identity.clone();
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

pub(crate) struct DeletePolicyVersion;

impl ResourceOperation for DeletePolicyVersion {
    type On = AnyPolicy;
    const NAME: &'static str = "DeletePolicyVersion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = VersionInput;
    type Output = ();

    fn key(input: &Self::Input) -> PolicyKey<'_> {
        input.key()
    }

    async fn run(input: Self::Input, found: &Permit<AnyPolicy>, call: &Call<'_, Iam>) -> Result<()> {
        let known = found.own()?.identity.clone();
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
