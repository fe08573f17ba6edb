//! `CreateBucket`.

use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::shape::Binding::{Header, Item, Label, Payload};

use crate::S3;
use crate::access::{BucketKey, BucketName, Vacancy, check_bucket_name};
use crate::error::{Refusal, S3Error};
use crate::record::{
    BucketEntry, BucketRecord, BucketSecret, DefaultEncryption, ObjectLock, Ownership, PublicAccess, Tag, Versioning,
    tags_of_bucket,
};

/// The Region whose buckets have no location constraint, and where one's own bucket can be made again.
const FIRST_REGION: &str = "us-east-1";

wire::shape! {
    /// Where a bucket of another kind is.
    pub(crate) struct LocationInfo {
        "Type" kind: String, optional, [];
        "Name" name: String, optional, [];
    }
}

wire::shape! {
    /// The kind of a bucket of another kind.
    pub(crate) struct BucketInfo {
        "DataRedundancy" data_redundancy: String, optional, [];
        "Type" kind: String, optional, [];
    }
}

wire::shape! {
    pub(crate) struct CreateBucketConfiguration {
        "LocationConstraint" location_constraint: String, optional, [];
        "Location" location: LocationInfo, optional, [];
        "Bucket" bucket: BucketInfo, optional, [];
        "Tags" tags: Vec<Tag>, default, [], [Item("Tag")];
    }
}

wire::shape! {
    pub(crate) struct CreateBucketInput {
        "ACL" acl: String, optional, [], [Header("x-amz-acl")];
        "Bucket" bucket: BucketName, required, [], [Label];
        "CreateBucketConfiguration" configuration: CreateBucketConfiguration, optional, [], [Payload];
        "GrantFullControl" grant_full_control: String, optional, [], [Header("x-amz-grant-full-control")];
        "GrantRead" grant_read: String, optional, [], [Header("x-amz-grant-read")];
        "GrantReadACP" grant_read_acp: String, optional, [], [Header("x-amz-grant-read-acp")];
        "GrantWrite" grant_write: String, optional, [], [Header("x-amz-grant-write")];
        "GrantWriteACP" grant_write_acp: String, optional, [], [Header("x-amz-grant-write-acp")];
        "ObjectLockEnabledForBucket" object_lock: bool, default, [], [Header("x-amz-bucket-object-lock-enabled")];
        "ObjectOwnership" ownership: Ownership, optional, [], [Header("x-amz-object-ownership")];
        "BucketNamespace" namespace: String, optional, [], [Header("x-amz-bucket-namespace")];
    }
}

wire::output! {
    pub(crate) struct CreateBucketOutput {
        "Location" location: String, required, [Header("location")];
        "BucketArn" arn: String, required, [Header("x-amz-bucket-arn")];
    }
}

impl CreateBucketInput {
    fn tags(&self) -> &[Tag] {
        self.configuration.as_ref().map_or(&[], |configuration| &configuration.tags)
    }

    /// Checks that the bucket is to be where the request came, and is one of the general kind.
    fn check_location(&self, region: &str) -> Result<(), S3Error> {
        let configuration = self.configuration.as_ref();
        if configuration.is_some_and(|configuration| configuration.location.is_some() || configuration.bucket.is_some())
            || self.namespace.as_deref().is_some_and(|namespace| namespace != "global")
        {
            return Err(Refusal::not_implemented("Bucket").into());
        }
        let constraint = configuration.and_then(|configuration| configuration.location_constraint.as_deref());
        let constraint = match constraint.unwrap_or_default() {
            "" => FIRST_REGION,
            "EU" => "eu-west-1",
            other => other,
        };
        if constraint == region {
            return Ok(());
        }
        let shown = if constraint == FIRST_REGION { "unspecified" } else { constraint };
        let reason = format!(
            "The {shown} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        Err(Refusal::IllegalLocationConstraintException { reason }.into())
    }

    /// Checks that no access control list is set but the one that every bucket has.
    fn check_acl(&self) -> Result<(), Refusal> {
        let grants = [
            &self.grant_full_control,
            &self.grant_read,
            &self.grant_read_acp,
            &self.grant_write,
            &self.grant_write_acp,
        ];
        let plain = self.acl.as_deref().is_none_or(|acl| acl == "private");
        if plain && grants.iter().all(|grant| grant.is_none()) {
            return Ok(());
        }
        Err(Refusal::InvalidBucketAclWithObjectOwnership)
    }
}

/// Makes a bucket.
pub(crate) struct CreateBucket;

impl ResourceOperation for CreateBucket {
    type On = Vacancy;
    const NAME: &'static str = "CreateBucket";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateBucketInput;
    type Output = Bound<CreateBucketOutput>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        BucketKey { name: &input.bucket, expected_owner: None }
    }

    fn check(input: &Self::Input) -> Result<(), S3Error> {
        Ok(check_bucket_name(&input.bucket)?)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Vacancy>, mut need: Need<'n>) -> Need<'n> {
        let configuration = input.configuration.as_ref();
        if let Some(constraint) = configuration.and_then(|configuration| configuration.location_constraint.as_deref()) {
            need = need.with("s3:locationconstraint", constraint);
        }
        if let Some(acl) = &input.acl {
            need = need.with("s3:x-amz-acl", acl);
        }
        if let Some(ownership) = input.ownership {
            need = need.with("s3:x-amz-object-ownership", ownership.as_str());
        }
        requesting(need, input.tags())
    }

    fn further_needs<'n>(input: &'n Self::Input, _: Option<&'n Vacancy>, _: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        let mut actions = Vec::new();
        if !input.tags().is_empty() {
            actions.push("s3:TagResource");
        }
        if input.object_lock {
            actions.extend(["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]);
        }
        if input.ownership.is_some() {
            actions.push("s3:PutBucketOwnershipControls");
        }
        let need = |action| Need::identity(action, ["arn:aws:s3:::", &*input.bucket].concat());
        actions.into_iter().map(|action| requesting(need(action), input.tags())).collect()
    }

    async fn run(input: Self::Input, found: &Permit<Vacancy>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        input.check_location(call.region)?;
        input.check_acl()?;
        // Whoever asks for a list, if only for the one that every bucket has, gets a bucket that takes it with its objects.
        let default =
            if input.acl.is_some() { Ownership::BucketOwnerPreferred } else { Ownership::BucketOwnerEnforced };
        let ownership = input.ownership.unwrap_or(default);
        let tags = tags_of_bucket(input.tags())?;
        let name = input.bucket.0;
        if let Some(bucket) = &found.0 {
            if bucket.account != call.account() {
                return Err(Refusal::BucketAlreadyExists { bucket: name }.into());
            }
            if bucket.region != FIRST_REGION || call.region != FIRST_REGION {
                return Err(Refusal::BucketAlreadyOwnedByYou { bucket: name }.into());
            }
            return Ok(Bound(output(bucket)));
        }
        let record = BucketRecord {
            id: buckets::Bucket::generate().to_string(),
            name,
            account: call.account().to_owned(),
            region: call.region.to_owned(),
            created: call.now,
            versioning: input.object_lock.then_some(Versioning::Enabled),
            encryption: DefaultEncryption::default(),
            ownership: Some(ownership),
            public_access: Some(PublicAccess::BLOCKED),
            object_lock: input.object_lock.then(ObjectLock::default),
            tags,
            abac: false,
            secret: BucketSecret::random(),
        };
        let output = output(&record);
        call.write(&call.service.store, move |tx| insert(tx, &record)).await?;
        Ok(Bound(output))
    }
}

/// The need with the condition keys of tags that a request sets.
fn requesting<'n>(need: Need<'n>, tags: &'n [Tag]) -> Need<'n> {
    need.with_many("aws:TagKeys", tags.iter().map(|tag| tag.key.as_str()))
        .with_named("aws:RequestTag/", tags.iter().map(|tag| (&tag.key, tag.value.as_str())))
}

fn output(record: &BucketRecord) -> CreateBucketOutput {
    CreateBucketOutput { location: ["/", &record.name].concat(), arn: record.arn() }
}

/// Writes a new bucket's records.
fn insert(tx: &mut Tx<'_>, record: &BucketRecord) -> Result<(), S3Error> {
    if let Some(found) = tx.get::<BucketRecord>(BucketRecord::PARENT, &record.name)? {
        let bucket = found.name;
        let own = found.account == record.account;
        let refusal =
            if own { Refusal::BucketAlreadyOwnedByYou { bucket } } else { Refusal::BucketAlreadyExists { bucket } };
        return Err(refusal.into());
    }
    tx.insert(BucketRecord::PARENT, &record.name, record)?;
    let entry = BucketEntry { region: record.region.clone(), created: record.created };
    tx.index_mut::<BucketEntry>(&record.account).insert(record.name.as_bytes(), &entry)?;
    Ok(())
}
