//! Configurations of buckets, one file each: put, got and deleted.
//!
//! The operations of one configuration differ in their action, in the document that travels, and in a few lines: the macros
//! here have the rest.

pub(crate) mod abac;
pub(crate) mod acl;
pub(crate) mod cors;
pub(crate) mod encryption;
pub(crate) mod fixed;
pub(crate) mod lifecycle;
pub(crate) mod none;
pub(crate) mod notification;
pub(crate) mod object_lock;
pub(crate) mod ownership;
pub(crate) mod policy;
pub(crate) mod public_access;
pub(crate) mod tagging;
pub(crate) mod versioning;

/// Declares an operation that gets a document of a bucket, whose root element has the name that is given.
macro_rules! gets {
    (
        $(#[$doc:meta])*
        $name:ident ($action:literal) -> $output:ident { $root:literal: $kind:ty }
        = |$bucket:pat_param, $call:pat_param| $body:block
    ) => {
        wire::output! {
            pub(crate) struct $output {
                $root answer: $kind, required,
                    [wire::shape::Binding::Payload, wire::shape::Binding::Namespace("", crate::NAMESPACE)];
            }
        }

        $(#[$doc])*
        pub(crate) struct $name;

        impl service::ResourceOperation for $name {
            type On = crate::access::Bucket;
            const NAME: &'static str = stringify!($name);
            const ACTION: &'static str = $action;
            const AUDIT: service::AuditClass = service::AuditClass::Read;
            type Input = crate::access::BucketInput;
            type Output = service::Bound<$output>;

            fn key(input: &Self::Input) -> crate::access::BucketKey<'_> {
                input.key()
            }

            async fn run(
                _: Self::Input,
                $bucket: &service::Permit<crate::access::Bucket>,
                $call: &service::Call<'_, crate::S3>,
            ) -> Result<Self::Output, crate::error::S3Error> {
                let answer: $kind = $body;
                Ok(service::Bound($output { answer }))
            }
        }
    };
}

/// Declares an operation that puts a document of a bucket. Members of the input besides the usual ones follow the document.
macro_rules! puts {
    (
        $(#[$doc:meta])*
        $name:ident ($action:literal) <- $input_type:ident { $root:literal: $kind:ty, $presence:ident; $($more:tt)* }
        = |$input:pat_param, $bucket:pat_param, $call:pat_param| $body:block
    ) => {
        wire::shape! {
            pub(crate) struct $input_type {
                "Bucket" bucket: crate::access::BucketName, required, [], [wire::shape::Binding::Label];
                $root given: $kind, $presence, [], [wire::shape::Binding::Payload];
                "ExpectedBucketOwner" expected_bucket_owner: String, optional, [],
                    [wire::shape::Binding::Header("x-amz-expected-bucket-owner")];
                $($more)*
            }
        }

        $(#[$doc])*
        pub(crate) struct $name;

        impl service::ResourceOperation for $name {
            type On = crate::access::Bucket;
            const NAME: &'static str = stringify!($name);
            const ACTION: &'static str = $action;
            const AUDIT: service::AuditClass = service::AuditClass::Change;
            type Input = $input_type;
            type Output = ();

            fn key(input: &Self::Input) -> crate::access::BucketKey<'_> {
                let expected_owner = input.expected_bucket_owner.as_deref();
                crate::access::BucketKey { name: &input.bucket, expected_owner }
            }

            async fn run(
                $input: Self::Input,
                $bucket: &service::Permit<crate::access::Bucket>,
                $call: &service::Call<'_, crate::S3>,
            ) -> Result<(), crate::error::S3Error> {
                $body
            }
        }
    };
}

/// Declares an operation that changes a bucket and has no document, such as the deletion of a configuration.
macro_rules! deletes {
    (
        $(#[$doc:meta])*
        $name:ident ($action:literal) = |$bucket:pat_param, $call:pat_param| $body:block
    ) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl service::ResourceOperation for $name {
            type On = crate::access::Bucket;
            const NAME: &'static str = stringify!($name);
            const ACTION: &'static str = $action;
            const AUDIT: service::AuditClass = service::AuditClass::Change;
            type Input = crate::access::BucketInput;
            type Output = ();

            fn key(input: &Self::Input) -> crate::access::BucketKey<'_> {
                input.key()
            }

            async fn run(
                _: Self::Input,
                $bucket: &service::Permit<crate::access::Bucket>,
                $call: &service::Call<'_, crate::S3>,
            ) -> Result<(), crate::error::S3Error> {
                $body
            }
        }
    };
}

use {deletes, gets, puts};
