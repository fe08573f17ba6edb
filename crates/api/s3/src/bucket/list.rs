//! `ListBuckets`.

use service::{Account, AuditClass, Bound, Call, Permit, ResourceOperation};
use wire::Timestamp;
use wire::shape::Binding::{Item, Namespace, Payload, Query};
use wire::shape::Rule;

use crate::NAMESPACE;
use crate::S3;
use crate::access::Owner;
use crate::error::S3Error;
use crate::record::BucketEntry;

/// How many buckets a page has at most.
const PAGE_MAX: usize = 10_000;

wire::shape! {
    pub(crate) struct ListBucketsInput {
        "MaxBuckets" max_buckets: i32, optional, [Rule::Range(1, 10_000)], [Query("max-buckets")];
        "ContinuationToken" continuation_token: String, optional, [], [Query("continuation-token")];
        "Prefix" prefix: String, optional, [], [Query("prefix")];
        "BucketRegion" bucket_region: String, optional, [], [Query("bucket-region")];
    }
}

wire::output! {
    /// A bucket in a list.
    pub(crate) struct ListedBucket {
        "Name" name: String, required;
        "CreationDate" created: Timestamp, required;
        "BucketRegion" region: String, required;
        "BucketArn" arn: String, required;
    }
}

wire::output! {
    pub(crate) struct ListAllMyBucketsResult {
        "Owner" owner: Owner, required;
        "Buckets" buckets: Vec<ListedBucket>, required, [Item("Bucket")];
        "ContinuationToken" continuation_token: String, optional;
        "Prefix" prefix: String, optional;
    }
}

wire::output! {
    pub(crate) struct ListBucketsOutput {
        "ListAllMyBucketsResult" result: ListAllMyBucketsResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// Lists the buckets of the caller's account, by name.
pub(crate) struct ListBuckets;

impl ResourceOperation for ListBuckets {
    type On = Account<S3>;
    const NAME: &'static str = "ListBuckets";
    const ACTION: &'static str = "s3:ListAllMyBuckets";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListBucketsInput;
    type Output = Bound<ListBucketsOutput>;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account<S3>>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let size = input.max_buckets.and_then(|size| usize::try_from(size).ok()).unwrap_or(PAGE_MAX);
        let account = call.account().to_owned();
        let owner = Owner::of(&account);
        let (prefix, token) = (input.prefix.clone().unwrap_or_default(), input.continuation_token);
        let region = input.bucket_region;
        let read = move |tx: &store::ReadTx<'_>| {
            let index = tx.index::<BucketEntry>(&account)?;
            let mut entries = index.iter(prefix.as_bytes())?;
            if let Some(token) = &token {
                let last = index.open_token(prefix.as_bytes(), token)?;
                entries.seek(&[&last[..], &[0]].concat())?;
            }
            let mut buckets: Vec<ListedBucket> = Vec::new();
            while let Some((name, BucketEntry { region: located, created })) = entries.next()? {
                if region.as_ref().is_some_and(|region| *region != located) {
                    continue;
                }
                if buckets.len() == size {
                    let last = buckets.last().map(|last| last.name.as_bytes()).unwrap_or_default();
                    return Ok((Some(index.token(prefix.as_bytes(), last)), buckets));
                }
                let name = String::from_utf8_lossy(&name).into_owned();
                let arn = ["arn:aws:s3:::", &name].concat();
                buckets.push(ListedBucket { name, created, region: located, arn });
            }
            Ok::<_, store::StoreError>((None, buckets))
        };
        let (continuation_token, buckets) = call.service.store.read(read).await?;
        let result = ListAllMyBucketsResult { owner, buckets, continuation_token, prefix: input.prefix };
        Ok(Bound(ListBucketsOutput { result }))
    }
}
