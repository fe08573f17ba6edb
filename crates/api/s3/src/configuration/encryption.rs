//! The default encryption of a bucket: `PutBucketEncryption`, `GetBucketEncryption`, `DeleteBucketEncryption`.

use store::Tx;
use wire::shape::Binding::{Flat, Header, Name};

use super::{deletes, gets, puts};
use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, DefaultEncryption};

wire::text_enum! {
    /// How the server encrypts.
    pub(crate) enum Algorithm { Aes256 = "AES256", Kms = "aws:kms", Dsse = "aws:kms:dsse" }
}

wire::text_enum! {
    /// A kind of encryption that requests cannot ask for.
    pub(crate) enum BlockedType { None = "NONE", CustomerKeys = "SSE-C" }
}

wire::document! {
    /// The protection of objects whose requests name none.
    pub(crate) struct ByDefault {
        "SSEAlgorithm" algorithm: Algorithm, required, [];
        "KMSMasterKeyID" key: String, optional, [];
    }
}

wire::document! {
    /// The kinds that requests cannot ask for.
    pub(crate) struct BlockedEncryptionTypes {
        "EncryptionType" types: Vec<BlockedType>, default, [], [Flat];
    }
}

wire::document! {
    /// The one rule of a bucket.
    pub(crate) struct EncryptionRule {
        "ApplyServerSideEncryptionByDefault" by_default: ByDefault, optional, [];
        "BucketKeyEnabled" bucket_key: bool, optional, [];
        "BlockedEncryptionTypes" blocked: BlockedEncryptionTypes, optional, [];
    }
}

wire::document! {
    /// The default encryption of a bucket.
    pub(crate) struct ServerSideEncryptionConfiguration {
        "Rules" rules: Vec<EncryptionRule>, required, [], [Name("Rule"), Flat];
    }
}

impl EncryptionRule {
    /// The default that the rule makes of `before`.
    fn apply(self, before: &DefaultEncryption) -> Result<DefaultEncryption, S3Error> {
        let blocks_customer_keys = match &self.blocked {
            Some(blocked) => blocked.types.contains(&BlockedType::CustomerKeys),
            None => before.blocks_customer_keys,
        };
        let by_default = self.by_default.unwrap_or(ByDefault { algorithm: Algorithm::Aes256, key: None });
        let bucket_key = self.bucket_key.unwrap_or_default();
        if by_default.algorithm == Algorithm::Aes256 && by_default.key.is_some() {
            let reason =
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            let (argument, value) = ("KMSMasterKeyID", by_default.key.unwrap_or_default());
            return Err(Refusal::InvalidArgument { argument, value, reason: reason.to_owned() }.into());
        }
        if by_default.algorithm == Algorithm::Dsse && bucket_key {
            let reason = "Bucket Key is not supported with aws:kms:dsse";
            return Err(Refusal::InvalidRequest { reason: reason.to_owned() }.into());
        }
        let (algorithm, key) = (by_default.algorithm.as_str().to_owned(), by_default.key);
        Ok(DefaultEncryption { algorithm, key, bucket_key, blocks_customer_keys })
    }
}

gets! {
    /// Gets the default encryption of a bucket.
    GetBucketEncryption ("s3:GetEncryptionConfiguration") -> GetBucketEncryptionOutput {
        "ServerSideEncryptionConfiguration": ServerSideEncryptionConfiguration
    } = |bucket, _| {
        let DefaultEncryption { algorithm, key, bucket_key, blocks_customer_keys } = &bucket.encryption;
        let algorithm = Algorithm::from_text(algorithm).unwrap_or(Algorithm::Aes256);
        let blocked = if *blocks_customer_keys { BlockedType::CustomerKeys } else { BlockedType::None };
        let rule = EncryptionRule {
            by_default: Some(ByDefault { algorithm, key: key.clone() }),
            bucket_key: Some(*bucket_key),
            blocked: Some(BlockedEncryptionTypes { types: vec![blocked] }),
        };
        ServerSideEncryptionConfiguration { rules: vec![rule] }
    }
}

puts! {
    /// Puts another default into the place of a bucket's. Whether the key can be used is not looked at, as with AWS.
    PutBucketEncryption ("s3:PutEncryptionConfiguration") <- PutBucketEncryptionInput {
        "ServerSideEncryptionConfiguration": ServerSideEncryptionConfiguration, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    } = |input, bucket, call| {
        let mut rules = input.given.rules.into_iter();
        let (Some(rule), None) = (rules.next(), rules.next()) else { return Err(Refusal::MalformedXML.into()) };
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.encryption = rule.apply(&record.encryption)?;
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}

deletes! {
    /// Puts the default of a new bucket into the place of a bucket's.
    DeleteBucketEncryption ("s3:PutEncryptionConfiguration") = |bucket, call| {
        let change = |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.encryption = DefaultEncryption::default();
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
