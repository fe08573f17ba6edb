//! Which pages of other sites may call: `PutBucketCors`, `GetBucketCors`, `DeleteBucketCors`.
//!
//! Source: Amazon S3 User Guide, "Elements of a CORS configuration".

use store::Tx;
use wire::shape::Binding::Header;

use super::{deletes, gets, puts};
use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, CorsConfiguration, CorsRecord};

/// How many rules a bucket has at most.
const RULES_MAX: usize = 100;

/// The methods that a rule can allow.
const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];

/// Checks a configuration.
fn check(configuration: &CorsConfiguration) -> Result<(), S3Error> {
    if !(1..=RULES_MAX).contains(&configuration.rules.len()) {
        return Err(Refusal::MalformedXML.into());
    }
    let refuse = |reason: String| Err(Refusal::InvalidRequest { reason }.into());
    for rule in &configuration.rules {
        if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return refuse(format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}"));
        }
        let stars = |text: &str| text.matches('*').count();
        for (element, texts) in [("AllowedOrigin", &rule.allowed_origins), ("AllowedHeader", &rule.allowed_headers)] {
            if let Some(text) = texts.iter().find(|text| stars(text) > 1) {
                return refuse(format!("{element} \"{text}\" can not have more than one wildcard."));
            }
        }
        if let Some(text) = rule.expose_headers.iter().find(|text| stars(text) > 0) {
            return refuse(format!(
                "ExposeHeader \"{text}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            ));
        }
        if rule.id.as_ref().is_some_and(|id| id.chars().count() > 255) {
            return Err(Refusal::MalformedXML.into());
        }
    }
    Ok(())
}

gets! {
    /// Gets which pages of other sites may call.
    GetBucketCors ("s3:GetBucketCORS") -> GetBucketCorsOutput { "CORSConfiguration": CorsConfiguration } = |bucket, call| {
        let found = call.service.cors.get(&bucket.id, "").await?;
        let found = found.ok_or_else(|| Refusal::NoSuchCORSConfiguration { bucket: bucket.name.clone() })?;
        CorsConfiguration::clone(&found)
    }
}

puts! {
    /// Says which pages of other sites may call.
    PutBucketCors ("s3:PutBucketCORS") <- PutBucketCorsInput {
        "CORSConfiguration": CorsConfiguration, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    } = |input, bucket, call| {
        check(&input.given)?;
        let record = CorsRecord(input.given);
        let change = move |bucket: &mut BucketRecord, tx: &mut Tx<'_>| Ok(tx.put(&bucket.id, "", &record)?);
        call.service.change(call, bucket, change).await
    }
}

deletes! {
    /// Lets no pages of other sites call.
    DeleteBucketCors ("s3:PutBucketCORS") = |bucket, call| {
        let change = |bucket: &mut BucketRecord, tx: &mut Tx<'_>| {
            tx.delete::<CorsRecord>(&bucket.id, "")?;
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
