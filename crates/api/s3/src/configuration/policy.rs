//! Policies of buckets: `PutBucketPolicy`, `GetBucketPolicy`, `GetBucketPolicyStatus`, `DeleteBucketPolicy`.

use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use store::Tx;
use wire::Fault;
use wire::shape::Binding::{Header, Payload};

use super::{deletes, gets, puts};
use crate::S3;
use crate::access::{Bucket, BucketInput, BucketKey};
use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, PolicyRecord};

wire::output! {
    pub(crate) struct GetBucketPolicyOutput {
        "ContentType" content_type: String, required, [Header("content-type")];
        "Policy" policy: String, required, [Payload];
    }
}

/// The policy's absence.
fn missing(bucket: &BucketRecord) -> S3Error {
    Refusal::NoSuchBucketPolicy { bucket: bucket.name.clone() }.into()
}

/// Gets the policy of a bucket as it was put.
pub(crate) struct GetBucketPolicy;

impl ResourceOperation for GetBucketPolicy {
    type On = Bucket;
    const NAME: &'static str = "GetBucketPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = BucketInput;
    type Output = Bound<GetBucketPolicyOutput>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        input.key()
    }

    async fn run(_: Self::Input, bucket: &Permit<Bucket>, _: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let policy = bucket.policy.as_ref().ok_or_else(|| missing(bucket))?.text.clone();
        Ok(Bound(GetBucketPolicyOutput { content_type: "application/json".to_owned(), policy }))
    }
}

wire::document! {
    /// Whether a policy lets anybody in.
    pub(crate) struct PolicyStatus {
        "IsPublic" is_public: bool, required, [];
    }
}

gets! {
    /// Gets whether the policy of a bucket lets anybody in.
    GetBucketPolicyStatus ("s3:GetBucketPolicyStatus") -> GetBucketPolicyStatusOutput {
        "PolicyStatus": PolicyStatus
    } = |bucket, _| {
        PolicyStatus { is_public: bucket.policy.as_ref().ok_or_else(|| missing(bucket))?.public }
    }
}

/// The refusal of a policy that lets anybody in, where a public access block forbids such.
fn blocked(bucket: &BucketRecord, call: &Call<'_, S3>) -> S3Error {
    let (user, resource) = (call.caller.principal.arn.as_str(), bucket.arn());
    let message = format!(
        "User: {user} is not authorized to perform: s3:PutBucketPolicy on resource: \"{resource}\" because public policies \
         are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
    );
    S3Error::Forbidden(Fault::new("AccessDenied", 403, message))
}

puts! {
    /// Puts another policy into the place of a bucket's.
    PutBucketPolicy ("s3:PutBucketPolicy") <- PutBucketPolicyInput {
        "Policy": String, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "ConfirmRemoveSelfBucketAccess" confirm_remove_self: bool, optional, [],
            [Header("x-amz-confirm-remove-self-bucket-access")];
    } = |input, bucket, call| {
        let policy = PolicyRecord::accept(input.given, &bucket.name, &*call.service.principals).await?;
        let public = policy.is_public();
        let refusal = public.then(|| blocked(bucket, call));
        let change = move |record: &mut BucketRecord, tx: &mut Tx<'_>| {
            // As the block is now: both may be changed at once.
            let blocks = record.public_access.is_some_and(|block| block.block_public_policy);
            match refusal.filter(|_| blocks) {
                Some(refusal) => Err(refusal),
                None => Ok(tx.put(&record.id, "", &policy)?),
            }
        };
        call.service.change(call, bucket, change).await
    }
}

deletes! {
    /// Removes the policy of a bucket.
    DeleteBucketPolicy ("s3:DeleteBucketPolicy") = |bucket, call| {
        let change = |record: &mut BucketRecord, tx: &mut Tx<'_>| {
            tx.delete::<PolicyRecord>(&record.id, "")?;
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
