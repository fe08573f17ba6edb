//! Whether a bucket stores versions: `PutBucketVersioning`, `GetBucketVersioning`.

use store::Tx;
use wire::shape::Binding::Header;

use super::abac::Status;
use super::{gets, puts};
use crate::error::Refusal;
use crate::record::{BucketRecord, Versioning};

wire::document! {
    /// Whether a bucket stores versions, and whether deleting one asks for a second factor.
    pub(crate) struct VersioningConfiguration {
        "Status" status: Versioning, optional, [];
        "MFADelete" mfa_delete: Status, optional, [], [wire::shape::Binding::Name("MfaDelete")];
    }
}

gets! {
    /// Gets whether a bucket stores versions: nothing, as long as nobody turned it on.
    GetBucketVersioning ("s3:GetBucketVersioning") -> GetBucketVersioningOutput {
        "VersioningConfiguration": VersioningConfiguration
    } = |bucket, _| {
        VersioningConfiguration { status: bucket.versioning, mfa_delete: None }
    }
}

puts! {
    /// Turns versioning on or suspends it.
    PutBucketVersioning ("s3:PutBucketVersioning") <- PutBucketVersioningInput {
        "VersioningConfiguration": VersioningConfiguration, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "MFA" mfa: String, optional, [], [Header("x-amz-mfa")];
    } = |input, bucket, call| {
        let VersioningConfiguration { status, mfa_delete } = input.given;
        if mfa_delete == Some(Status::Enabled) {
            return Err(Refusal::not_implemented("x-amz-mfa").into());
        }
        let status = status.ok_or(Refusal::IllegalVersioningConfigurationException)?;
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            if record.object_lock.is_some() && status == Versioning::Suspended {
                let reason = "An Object Lock configuration is present on this bucket, so the versioning state cannot be \
                              changed.";
                return Err(Refusal::InvalidBucketState { reason }.into());
            }
            record.versioning = Some(status);
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
