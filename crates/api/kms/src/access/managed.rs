//! AWS-managed keys: one for each service that encrypts by itself, made when it is first asked for by its alias.
//!
//! Nobody can change them, because their policy, which nobody can replace, allows nothing but use through the service
//! and reading.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use service::Call;

use crate::Kms;
use crate::domain_key::NewMaterial;
use crate::error::KmsError;
use crate::record::{
    AliasRecord, DomainKey, Job, KeyId, KeyManager, KeyRecord, KeySpec, KeyUsage, LiveKey, PolicyRecord, Rotation,
    account_arn, schedule,
};

/// The prefix of the aliases of AWS-managed keys.
pub(crate) const RESERVED_PREFIX: &str = "alias/aws/";

/// How often AWS-managed keys take up new material.
const ROTATION_DAYS: u32 = 365;

/// A service with a managed key: its alias, and its name in `kms:ViaService`.
pub(crate) type ManagedService = (&'static str, &'static str);

const SERVICES: &[ManagedService] = &[
    ("acm", "acm"),
    ("backup", "backup"),
    ("codeartifact", "codeartifact"),
    ("codecommit", "codecommit"),
    ("dms", "dms"),
    ("dynamodb", "dynamodb"),
    ("ebs", "ec2"),
    ("elasticfilesystem", "elasticfilesystem"),
    ("es", "es"),
    ("fsx", "fsx"),
    ("glue", "glue"),
    ("kinesis", "kinesis"),
    ("kinesisvideo", "kinesisvideo"),
    ("lambda", "lambda"),
    ("rds", "rds"),
    ("redshift", "redshift"),
    ("s3", "s3"),
    ("secretsmanager", "secretsmanager"),
    ("ses", "ses"),
    ("sns", "sns"),
    ("sqs", "sqs"),
    ("ssm", "ssm"),
    ("workspaces", "workspaces"),
    ("xray", "xray"),
];

/// The service whose managed key bears this alias.
pub(crate) fn service_of(alias: &str) -> Option<ManagedService> {
    let name = alias.strip_prefix(RESERVED_PREFIX)?;
    SERVICES.iter().find(|(alias, _)| *alias == name).copied()
}

/// The managed key of a service as it will be once it is made. Its id follows from its place, so that it can be
/// authorised before it exists and is never made twice.
pub(crate) fn record((alias, service): ManagedService, account: &str, call: &Call<'_, Kms>) -> KeyRecord {
    let place = (account.to_owned(), call.region.to_owned());
    let id = id(account, call.region, alias).to_string();
    let policy = PolicyRecord::unbound(policy(service, account, call.region));
    KeyRecord {
        description: format!("Default key that protects the data of {alias} when no other key is defined"),
        manager: KeyManager::Aws,
        aliases: BTreeSet::from([[RESERVED_PREFIX, alias].concat()]),
        rotation: Rotation { period_days: Some(ROTATION_DAYS), next: Some(Rotation::after(call.now, ROTATION_DAYS)) },
        ..KeyRecord::new(place, id, KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt, policy, call.now)
    }
}

fn id(account: &str, region: &str, alias: &str) -> KeyId {
    let digest = crypto::sha256(format!("sealstack managed key\0{account}\0{region}\0{alias}").as_bytes());
    let [first, _] = digest.as_chunks::<16>().0 else { return KeyId::Single([0; 16]) };
    KeyId::Single(uuid::Builder::from_random_bytes(*first).into_uuid().into_bytes())
}

fn policy(service: &str, account: &str, region: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "UseThroughTheService",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [
                    "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                    "kms:DescribeKey",
                ],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {
                        "kms:CallerAccount": account,
                        "kms:ViaService": format!("{service}.{region}.amazonaws.com"),
                    },
                },
            },
            {
                "Sid": "ReadFromTheAccount",
                "Effect": "Allow",
                "Principal": {"AWS": account_arn(account).as_str()},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                "Resource": "*",
            },
        ],
    })
    .to_string()
}

/// Creates the managed key, unless it exists by now.
///
/// # Errors
/// Those of the store.
pub(crate) async fn make(planned: &KeyRecord, call: &Call<'_, Kms>) -> Result<Arc<LiveKey>, KmsError> {
    let kms = &**call.service;
    let material = NewMaterial::symmetric(planned.spec);
    call.touch(planned.arn());
    loop {
        let domain_key = DomainKey::serving(&kms.store, &planned.region).await?;
        let mut record = planned.clone();
        record.take_up(material.wrap(&domain_key, &record.arn(), &record.id, record.created, None));
        let made = call.write(&kms.store, move |tx| {
            // Another one took over meanwhile.
            if !domain_key.serves(tx)? {
                return Ok(false);
            }
            let (domain, id) = (record.domain(), &record.id);
            if tx.get::<KeyRecord>(&domain, id)?.is_none() {
                tx.insert(&domain, id, &record)?;
                for alias in &record.aliases {
                    tx.put(&domain, alias, &AliasRecord::new(alias, id, record.created))?;
                }
                schedule::add(tx, Job::Rotation, &record, record.rotation.next)?;
            }
            Ok::<_, KmsError>(true)
        });
        if made.await? {
            break;
        }
    }
    let key = kms.keys.get(&planned.domain(), &planned.id).await?;
    key.ok_or_else(|| KmsError::KeyNotFound { arn: planned.arn() })
}

/// Whether an alias name is one that only the server gives.
pub(crate) fn is_reserved(alias: &str) -> bool {
    alias.starts_with(RESERVED_PREFIX)
}
