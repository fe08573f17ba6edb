//! Answers for configurations of which a bucket has many elsewhere, and none here: analytics, inventories, metrics, tiering.

use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use wire::shape::Binding::{Header, Label, Namespace, Payload, Query};

use super::fixed::Nothing;
use crate::NAMESPACE;
use crate::S3;
use crate::access::{Bucket, BucketKey, BucketName};
use crate::error::{Refusal, S3Error};

wire::shape! {
    pub(crate) struct OneInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Id" id: String, required, [], [Query("id")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

wire::shape! {
    pub(crate) struct AllInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "ContinuationToken" continuation_token: String, optional, [], [Query("continuation-token")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

wire::document! {
    /// A list without elements.
    pub(crate) struct Empty {
        "IsTruncated" is_truncated: bool, required, [];
    }
}

/// Declares the operations that get one configuration of a kind, and list all.
macro_rules! none {
    ($($one:ident, $all:ident ($action:literal) -> $output:ident { $root:literal };)*) => {$(
        #[doc = "Answers that there is none of this id."]
        pub(crate) struct $one;

        impl ResourceOperation for $one {
            type On = Bucket;
            const NAME: &'static str = stringify!($one);
            const ACTION: &'static str = $action;
            const AUDIT: AuditClass = AuditClass::Read;
            type Input = OneInput;
            type Output = Nothing;

            fn key(input: &Self::Input) -> BucketKey<'_> {
                BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() }
            }

            async fn run(_: Self::Input, _: &Permit<Bucket>, _: &Call<'_, S3>) -> Result<Nothing, S3Error> {
                Err(Refusal::NoSuchConfiguration.into())
            }
        }

        wire::output! {
            pub(crate) struct $output {
                $root answer: Empty, required, [Payload, Namespace("", NAMESPACE)];
            }
        }

        #[doc = "Lists none."]
        pub(crate) struct $all;

        impl ResourceOperation for $all {
            type On = Bucket;
            const NAME: &'static str = stringify!($all);
            const ACTION: &'static str = $action;
            const AUDIT: AuditClass = AuditClass::Read;
            type Input = AllInput;
            type Output = Bound<$output>;

            fn key(input: &Self::Input) -> BucketKey<'_> {
                BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() }
            }

            async fn run(_: Self::Input, _: &Permit<Bucket>, _: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
                Ok(Bound($output { answer: Empty { is_truncated: false } }))
            }
        }
    )*};
}

none! {
    GetBucketAnalyticsConfiguration, ListBucketAnalyticsConfigurations ("s3:GetAnalyticsConfiguration")
        -> AnalyticsOutput { "ListBucketAnalyticsConfigurationResult" };
    GetBucketInventoryConfiguration, ListBucketInventoryConfigurations ("s3:GetInventoryConfiguration")
        -> InventoryOutput { "ListInventoryConfigurationsResult" };
    GetBucketMetricsConfiguration, ListBucketMetricsConfigurations ("s3:GetMetricsConfiguration")
        -> MetricsOutput { "ListMetricsConfigurationsResult" };
    GetBucketIntelligentTieringConfiguration, ListBucketIntelligentTieringConfigurations
        ("s3:GetIntelligentTieringConfiguration") -> TieringOutput { "ListBucketIntelligentTieringConfigurationsOutput" };
}
