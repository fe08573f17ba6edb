//! Answers for what no bucket has here: transfer acceleration, logging, replication, websites, and requesters who pay.

use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use wire::shape::Binding::{Header, Label, Namespace, Payload};

use super::gets;
use crate::NAMESPACE;
use crate::S3;
use crate::access::{Bucket, BucketKey, BucketName};
use crate::error::{Refusal, S3Error};

wire::document! {
    /// Transfer acceleration, which is not configured.
    pub(crate) struct AccelerateConfiguration {}
}

wire::document! {
    /// Access logs, which are not configured.
    pub(crate) struct BucketLoggingStatus {}
}

wire::document! {
    /// Who pays for requests.
    pub(crate) struct RequestPaymentConfiguration {
        "Payer" payer: String, required, [];
    }
}

wire::document! {
    /// Something that no bucket has.
    pub(crate) struct Nothing {}
}

wire::shape! {
    pub(crate) struct GetBucketAccelerateConfigurationInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
    }
}

wire::output! {
    pub(crate) struct GetBucketAccelerateConfigurationOutput {
        "AccelerateConfiguration" answer: AccelerateConfiguration, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// Answers that transfer acceleration is not configured.
pub(crate) struct GetBucketAccelerateConfiguration;

impl ResourceOperation for GetBucketAccelerateConfiguration {
    type On = Bucket;
    const NAME: &'static str = "GetBucketAccelerateConfiguration";
    const ACTION: &'static str = "s3:GetAccelerateConfiguration";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetBucketAccelerateConfigurationInput;
    type Output = Bound<GetBucketAccelerateConfigurationOutput>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() }
    }

    async fn run(_: Self::Input, _: &Permit<Bucket>, _: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        Ok(Bound(GetBucketAccelerateConfigurationOutput { answer: AccelerateConfiguration {} }))
    }
}

gets! {
    /// Answers that access logs are not configured.
    GetBucketLogging ("s3:GetBucketLogging") -> GetBucketLoggingOutput {
        "BucketLoggingStatus": BucketLoggingStatus
    } = |_, _| {
        BucketLoggingStatus {}
    }
}

gets! {
    /// Answers that a bucket's owner pays for requests.
    GetBucketRequestPayment ("s3:GetBucketRequestPayment") -> GetBucketRequestPaymentOutput {
        "RequestPaymentConfiguration": RequestPaymentConfiguration
    } = |_, _| {
        RequestPaymentConfiguration { payer: "BucketOwner".to_owned() }
    }
}

gets! {
    /// Answers that replication is not configured.
    GetBucketReplication ("s3:GetReplicationConfiguration") -> GetBucketReplicationOutput {
        "ReplicationConfiguration": Nothing
    } = |bucket, _| {
        Err::<Nothing, _>(Refusal::ReplicationConfigurationNotFoundError { bucket: bucket.name.clone() })?
    }
}

gets! {
    /// Answers that a website is not configured.
    GetBucketWebsite ("s3:GetBucketWebsite") -> GetBucketWebsiteOutput {
        "WebsiteConfiguration": Nothing
    } = |bucket, _| {
        Err::<Nothing, _>(Refusal::NoSuchWebsiteConfiguration { bucket: bucket.name.clone() })?
    }
}
