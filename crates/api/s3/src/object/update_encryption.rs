//! `UpdateObjectEncryption`: another KMS key for an object, whose content stays as it is.

use buckets::{Details, Protection};
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::shape::Binding::{Header, Label, Name, Payload, Query};

use super::locks::millis;
use super::target::{Target, VersionKey};
use crate::S3;
use crate::access::{BucketKey, BucketName, ObjectKey};
use crate::encryption::{rewrap, unwrap};
use crate::error::{Refusal, S3Error};

wire::shape! {
    /// The KMS key that an object gets.
    pub(crate) struct KmsEncryption {
        "KMSKeyArn" key_arn: String, required, [];
        "BucketKeyEnabled" bucket_key: bool, optional, [];
    }
}

wire::shape! {
    /// The protection that an object gets.
    pub(crate) struct ObjectEncryption {
        "SSEKMS" kms: KmsEncryption, optional, [], [Name("SSE-KMS")];
    }
}

wire::shape! {
    pub(crate) struct UpdateObjectEncryptionInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "ObjectEncryption" object_encryption: ObjectEncryption, required, [], [Payload];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    }
}

/// Wraps the key of an object under another KMS key. Content, entity tag, checksum and date stay.
pub(crate) struct UpdateObjectEncryption;

impl ResourceOperation for UpdateObjectEncryption {
    type On = Target;
    const NAME: &'static str = "UpdateObjectEncryption";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateObjectEncryptionInput;
    type Output = ();

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<(), S3Error> {
        let (_, stored) = target.version(&input.key, input.version_id.as_deref(), call).await?;
        let KmsEncryption { key_arn, bucket_key } = input.object_encryption.kms.ok_or(Refusal::MalformedXML)?;
        let invalid = |reason: &str| Err(Refusal::InvalidRequest { reason: reason.to_owned() }.into());
        let arn = key_arn.parse::<wire::Arn>();
        if !arn.is_ok_and(|arn| arn.account() == target.bucket.account && arn.resource().starts_with("key/")) {
            return invalid("The KMSKeyArn must be the full ARN of a KMS key of the account that owns the bucket.");
        }
        let before = stored.version.details.protection.clone();
        if !matches!(before, Protection::Bucket(_) | Protection::Kms { .. }) {
            return invalid("The encryption of objects with SSE-C or DSSE-KMS cannot be updated.");
        }
        let key = unwrap(&before, None, &target.bucket, call).await?;
        let bucket_key = bucket_key.unwrap_or_default();
        let after = rewrap(&key, &key_arn, bucket_key, (&target.bucket, &input.key), call).await?;
        let now_ms = millis(call.now);
        let change = move |details: &mut Details| {
            if details.locked(now_ms, false) {
                return Err(S3Error::Locked);
            }
            if details.protection != before {
                return Err(Refusal::OperationAborted.into());
            }
            details.protection = after;
            Ok(())
        };
        target.edit(input.key, input.version_id, call, change).await.map(|_| ())
    }
}
