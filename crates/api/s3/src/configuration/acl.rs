//! Access control lists, of which there is one that cannot be changed: `GetBucketAcl`, `PutBucketAcl`, `GetObjectAcl`,
//! `PutObjectAcl`.
//!
//! Source: Amazon S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".

use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use wire::shape::Binding::{Attribute, Header, Item, Label, Name, Namespace, Payload, Query};

use super::{gets, puts};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, Object, ObjectKey, action_on_version, canonical_id};
use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, Ownership};

wire::document! {
    /// To whom something is granted.
    pub(crate) struct Grantee {
        "Type" kind: String, optional, [], [Name("xsi:type"), Attribute];
        "ID" id: String, optional, [];
        "DisplayName" display_name: String, optional, [];
        "EmailAddress" email_address: String, optional, [];
        "URI" uri: String, optional, [];
    }
}

wire::document! {
    /// A permission and who has it.
    pub(crate) struct Grant {
        "Grantee" grantee: Grantee, optional, [], [Namespace("xsi", "http://www.w3.org/2001/XMLSchema-instance")];
        "Permission" permission: String, optional, [];
    }
}

wire::document! {
    /// Whose something is.
    pub(crate) struct Owner {
        "ID" id: String, optional, [];
        "DisplayName" display_name: String, optional, [];
    }
}

wire::document! {
    /// Whose something is, and who may do what with it.
    pub(crate) struct AccessControlPolicy {
        "Owner" owner: Owner, optional, [];
        "Grants" grants: Vec<Grant>, default, [], [Name("AccessControlList"), Item("Grant")];
    }
}

impl AccessControlPolicy {
    /// The list that everything in a bucket of this account has.
    fn of(account: &str) -> Self {
        let id = canonical_id(account);
        let grantee = Grantee {
            kind: Some("CanonicalUser".to_owned()),
            id: Some(id.clone()),
            display_name: None,
            email_address: None,
            uri: None,
        };
        Self {
            owner: Some(Owner { id: Some(id), display_name: None }),
            grants: vec![Grant { grantee: Some(grantee), permission: Some("FULL_CONTROL".to_owned()) }],
        }
    }

    /// Whether it says what holds anyway in a bucket of this account.
    fn is_of(&self, account: &str) -> bool {
        let id = canonical_id(account);
        let owned = self.owner.as_ref().is_none_or(|owner| owner.id.as_ref() == Some(&id));
        let granted = match &*self.grants {
            [Grant { grantee: Some(grantee), permission }] => {
                grantee.id.as_ref() == Some(&id) && permission.as_deref() == Some("FULL_CONTROL")
            }
            _ => false,
        };
        owned && granted
    }
}

/// Checks that a request to set a list sets the one that holds anyway: by its canned name, or in full.
///
/// # Errors
/// [`Refusal::AccessControlListNotSupported`].
fn check_put(
    given: Option<&AccessControlPolicy>,
    canned: Option<&str>,
    grants: &[&Option<String>],
    bucket: &BucketRecord,
) -> Result<(), Refusal> {
    check_acl(canned, grants, bucket.ownership)?;
    let same = match given {
        Some(given) => canned.is_none() && given.is_of(&bucket.account),
        None => canned.is_some(),
    };
    if same { Ok(()) } else { Err(Refusal::AccessControlListNotSupported) }
}

/// The canned list that says what holds anyway.
const OWNERS_CONTROL: &str = "bucket-owner-full-control";

/// The canned list that says the same of what the bucket's owner has.
const OWNERS_ALONE: &str = "private";

/// Checks that a request sets no list but the one that holds anyway, in a bucket with this ownership.
///
/// Where ownership is not enforced, clients that send `private` with everything get what it says: the owner's control.
///
/// # Errors
/// [`Refusal::AccessControlListNotSupported`].
pub(crate) fn check_acl(
    canned: Option<&str>,
    grants: &[&Option<String>],
    ownership: Option<Ownership>,
) -> Result<(), Refusal> {
    let enforced = ownership == Some(Ownership::BucketOwnerEnforced);
    let same = |canned: &str| canned == OWNERS_CONTROL || canned == OWNERS_ALONE && !enforced;
    let plain = canned.is_none_or(same) && grants.iter().all(|grant| grant.is_none());
    if plain { Ok(()) } else { Err(Refusal::AccessControlListNotSupported) }
}

gets! {
    /// Gets the access control list of a bucket.
    GetBucketAcl ("s3:GetBucketAcl") -> GetBucketAclOutput { "AccessControlPolicy": AccessControlPolicy } = |bucket, _| {
        AccessControlPolicy::of(&bucket.account)
    }
}

puts! {
    /// Refuses every access control list but the one that holds anyway.
    PutBucketAcl ("s3:PutBucketAcl") <- PutBucketAclInput {
        "AccessControlPolicy": AccessControlPolicy, optional;
        "ACL" acl: String, optional, [], [Header("x-amz-acl")];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "GrantFullControl" grant_full_control: String, optional, [], [Header("x-amz-grant-full-control")];
        "GrantRead" grant_read: String, optional, [], [Header("x-amz-grant-read")];
        "GrantReadACP" grant_read_acp: String, optional, [], [Header("x-amz-grant-read-acp")];
        "GrantWrite" grant_write: String, optional, [], [Header("x-amz-grant-write")];
        "GrantWriteACP" grant_write_acp: String, optional, [], [Header("x-amz-grant-write-acp")];
    } = |input, bucket, _| {
        let grants = [
            &input.grant_full_control,
            &input.grant_read,
            &input.grant_read_acp,
            &input.grant_write,
            &input.grant_write_acp,
        ];
        Ok(check_put(input.given.as_ref(), input.acl.as_deref(), &grants, bucket)?)
    }
}

wire::shape! {
    pub(crate) struct GetObjectAclInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

wire::output! {
    pub(crate) struct GetObjectAclOutput {
        "AccessControlPolicy" answer: AccessControlPolicy, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// Gets the access control list of an object.
pub(crate) struct GetObjectAcl;

impl ResourceOperation for GetObjectAcl {
    type On = Object;
    const NAME: &'static str = "GetObjectAcl";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetObjectAclInput;
    type Output = Bound<GetObjectAclOutput>;

    fn key(input: &Self::Input) -> ObjectKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        ObjectKey { bucket, name: &input.key }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Object>, mut need: Need<'n>) -> Need<'n> {
        need.action = action_on_version(need.action, input.version_id.as_deref());
        need
    }

    async fn run(_: Self::Input, object: &Permit<Object>, _: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        Ok(Bound(GetObjectAclOutput { answer: AccessControlPolicy::of(&object.account) }))
    }
}

wire::shape! {
    pub(crate) struct PutObjectAclInput {
        "ACL" acl: String, optional, [], [Header("x-amz-acl")];
        "AccessControlPolicy" given: AccessControlPolicy, optional, [], [Payload];
        "Bucket" bucket: BucketName, required, [], [Label];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "GrantFullControl" grant_full_control: String, optional, [], [Header("x-amz-grant-full-control")];
        "GrantRead" grant_read: String, optional, [], [Header("x-amz-grant-read")];
        "GrantReadACP" grant_read_acp: String, optional, [], [Header("x-amz-grant-read-acp")];
        "GrantWrite" grant_write: String, optional, [], [Header("x-amz-grant-write")];
        "GrantWriteACP" grant_write_acp: String, optional, [], [Header("x-amz-grant-write-acp")];
        "Key" key: String, required, [], [Label];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

/// Refuses every access control list but the one that holds anyway.
pub(crate) struct PutObjectAcl;

impl ResourceOperation for PutObjectAcl {
    type On = Object;
    const NAME: &'static str = "PutObjectAcl";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PutObjectAclInput;
    type Output = ();

    fn key(input: &Self::Input) -> ObjectKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        ObjectKey { bucket, name: &input.key }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Object>, mut need: Need<'n>) -> Need<'n> {
        need.action = action_on_version(need.action, input.version_id.as_deref());
        match &input.acl {
            Some(acl) => need.with("s3:x-amz-acl", acl),
            None => need,
        }
    }

    async fn run(input: Self::Input, object: &Permit<Object>, _: &Call<'_, S3>) -> Result<(), S3Error> {
        let grants = [
            &input.grant_full_control,
            &input.grant_read,
            &input.grant_read_acp,
            &input.grant_write,
            &input.grant_write_acp,
        ];
        Ok(check_put(input.given.as_ref(), input.acl.as_deref(), &grants, object)?)
    }
}
