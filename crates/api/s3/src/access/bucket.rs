//! A bucket that an input names: whoever calls learns whether it exists, and nothing else without permission.

use std::sync::Arc;

use http::HeaderValue;
use policy::{Policy, Principal, PrincipalKind};
use service::{Call, Need, Resource, ResourcePolicy};
use wire::Fault;

use super::{check_bucket_name, nothing};
use crate::S3;
use crate::error::{BUCKET_REGION, Refusal, S3Error};
use crate::record::{BucketRecord, PolicyRecord, PublicAccess};

/// A bucket's policy, ready for use.
pub(crate) struct BucketPolicy {
    pub(crate) text: String,
    /// `None` for a stored policy that cannot be read: nobody is let in then.
    pub(crate) parsed: Option<Arc<Policy>>,
    pub(crate) public: bool,
}

impl From<PolicyRecord> for BucketPolicy {
    fn from(record: PolicyRecord) -> Self {
        let public = record.is_public();
        let parsed = match record.parse() {
            Ok(policy) => Some(Arc::new(policy)),
            Err(malformed) => {
                tracing::error!(at = malformed.at, "a stored bucket policy is malformed: nobody can use the bucket");
                None
            }
        };
        Self { text: record.text, parsed, public }
    }
}

/// The actions on a policy from which a policy cannot shut out the root user of the bucket's account.
const OF_ROOT: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// The name of a bucket, and the account that its caller takes to be the owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BucketKey<'a> {
    pub(crate) name: &'a str,
    pub(crate) expected_owner: Option<&'a str>,
}

/// A bucket.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) record: Arc<BucketRecord>,
    pub(crate) policy: Option<Arc<BucketPolicy>>,
}

impl std::ops::Deref for Bucket {
    type Target = BucketRecord;

    fn deref(&self) -> &BucketRecord {
        &self.record
    }
}

impl Bucket {
    /// The bucket of that name, whosever it is.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn look_up(name: &str, call: &Call<'_, S3>) -> Result<Option<Self>, S3Error> {
        let Some(record) = call.service.records.get(BucketRecord::PARENT, name).await? else { return Ok(None) };
        let policy = call.service.policies.get(&record.id, "").await?;
        Ok(Some(Self { record, policy }))
    }

    /// The need of `action` on the bucket itself.
    pub(crate) fn need_of<'n>(&'n self, action: &'static str, call: &Call<'_, S3>) -> Need<'n> {
        self.need_on(action, self.arn(), call)
    }

    /// The need of `action` on the bucket or on an object in it, by the resource's ARN.
    pub(crate) fn need_on<'n>(&'n self, action: &'static str, arn: String, call: &Call<'_, S3>) -> Need<'n> {
        self.describe(Need::identity(action, arn).guarded(self.guard(action, &call.caller.principal)))
    }

    /// The need with the bucket's account and condition keys.
    pub(super) fn describe<'n>(&'n self, need: Need<'n>) -> Need<'n> {
        let need = need
            .owned_by(&self.account)
            .with("s3:ResourceAccount", &self.account)
            .with("aws:ResourceAccount", &self.account);
        if !self.abac {
            return need;
        }
        let tags = || self.tags.iter().map(|(key, value)| (key, value.as_str()));
        need.with_named("aws:ResourceTag/", tags()).with_named("s3:BucketTag/", tags())
    }

    /// The bucket's side of a decision about a caller.
    pub(super) fn guard(&self, action: &str, principal: &Principal) -> ResourcePolicy {
        let own = principal.account == self.account;
        if own && principal.kind == PrincipalKind::Root && OF_ROOT.contains(&action) {
            return ResourcePolicy::Identity;
        }
        // Without a policy, nobody of another account is let in.
        let Some(policy) = &self.policy else { return ResourcePolicy::Identity };
        if policy.public && !own && self.public_access().restrict_public_buckets {
            return ResourcePolicy::Identity;
        }
        match &policy.parsed {
            Some(parsed) => ResourcePolicy::Shared(Arc::clone(parsed)),
            None => ResourcePolicy::Shared(nothing()),
        }
    }

    /// The parts of the public access block, none of which is on if there is no block.
    pub(crate) fn public_access(&self) -> PublicAccess {
        self.public_access.unwrap_or_default()
    }

    /// Checks that the request came where the bucket is, and that it is whose its caller takes it to be.
    fn check(&self, key: BucketKey<'_>, call: &Call<'_, S3>) -> Result<(), S3Error> {
        if let Some(expected) = key.expected_owner {
            if expected.len() != 12 || !expected.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Refusal::InvalidBucketOwnerAWSAccountID.into());
            }
            if *expected != *self.account {
                return Err(Refusal::AccessDenied.into());
            }
        }
        let signed = call.caller.principal.kind != PrincipalKind::Anonymous;
        if signed && call.region != self.region {
            let (region, sent) = (self.region.clone(), call.region.to_owned());
            return Err(Refusal::AuthorizationHeaderMalformed { region, sent }.into());
        }
        Ok(())
    }
}

impl Resource for Bucket {
    type Service = S3;
    type Key<'a> = BucketKey<'a>;

    async fn find<'a>(key: BucketKey<'a>, call: &'a Call<'_, S3>) -> Result<Self, S3Error> {
        check_bucket_name(key.name)?;
        let found = Self::look_up(key.name, call).await?;
        let found = found.ok_or_else(|| Refusal::NoSuchBucket { bucket: key.name.to_owned() })?;
        found.check(key, call)?;
        Ok(found)
    }

    fn need<'n>(&'n self, _: BucketKey<'n>, action: &'static str, call: &'n Call<'_, S3>) -> Need<'n> {
        self.need_of(action, call)
    }

    /// Clients that do not know where a bucket is ask for it, whether or not they may do more.
    fn refused(&self, fault: Fault) -> Fault {
        match HeaderValue::from_str(&self.region) {
            Ok(region) => fault.with_header(BUCKET_REGION.clone(), region),
            Err(_) => fault,
        }
    }

    /// Everybody may know which buckets exist.
    fn need_of_missing<'n>(_: BucketKey<'n>, _: &'static str, _: &'n Call<'_, S3>) -> Option<Need<'n>> {
        None
    }
}
