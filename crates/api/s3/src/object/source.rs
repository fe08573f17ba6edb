//! The source of a copy: an object as the header `x-amz-copy-source` names it, and the bucket that the copy goes to. Knows neither
//! whole copies nor parts.

use buckets::{Found, Stored};
use percent_encoding::percent_decode_str;
use service::{Call, Need, Resource as _};

use super::target::{Target, VersionKey};
use crate::S3;
use crate::access::{Bucket, BucketKey, ObjectKey, check_object_name};
use crate::error::{Refusal, S3Error};

/// An object that is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) bucket: String,
    pub(crate) name: String,
    pub(crate) version_id: Option<String>,
}

impl Source {
    /// Reads the header: `bucket/key` or `/bucket/key`, encoded as in a URL, and perhaps `?versionId=` behind it.
    ///
    /// # Errors
    /// [`Refusal::InvalidArgument`].
    pub(crate) fn parse(header: &str) -> Result<Self, S3Error> {
        let refuse = || {
            let reason = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey".to_owned();
            Refusal::InvalidArgument { argument: "x-amz-copy-source", value: header.to_owned(), reason }
        };
        let (path, version_id) = match header.rsplit_once("?versionId=") {
            Some((path, id)) => (path, Some(id.to_owned())),
            None => (header, None),
        };
        let decoded = percent_decode_str(path).decode_utf8().map_err(|_| refuse())?;
        let path = decoded.strip_prefix('/').unwrap_or(&decoded);
        match path.split_once('/') {
            Some((bucket, name)) if !bucket.is_empty() && !name.is_empty() => {
                Ok(Self { bucket: bucket.to_owned(), name: name.to_owned(), version_id })
            }
            _ => Err(refuse().into()),
        }
    }

    fn key<'a>(&'a self, expected_owner: Option<&'a str>) -> VersionKey<'a> {
        let object = ObjectKey { bucket: BucketKey { name: &self.bucket, expected_owner }, name: &self.name };
        VersionKey { object, version_id: self.version_id.as_deref() }
    }
}

/// The bucket that a copy goes to, and the object that is copied.
pub(crate) struct Copying {
    pub(crate) bucket: Bucket,
    pub(crate) source: Target,
    pub(crate) named: Source,
}

impl Copying {
    /// Finds the bucket of `target` and the object that the header `copy_source` names, in a bucket of `expected_owner`.
    ///
    /// # Errors
    /// Those of the header, of both buckets and of the target's name.
    pub(crate) async fn find(
        target: ObjectKey<'_>,
        copy_source: &str,
        expected_owner: Option<&str>,
        call: &Call<'_, S3>,
    ) -> Result<Self, S3Error> {
        let named = Source::parse(copy_source)?;
        let bucket = Bucket::find(target.bucket, call).await?;
        check_object_name(target.name)?;
        let source = Target::find(named.key(expected_owner), call).await?;
        Ok(Self { bucket, source, named })
    }

    /// The need for `action` on the source.
    pub(crate) fn need_on_source<'n>(&'n self, action: &'static str, call: &'n Call<'_, S3>) -> Need<'n> {
        self.source.need(self.named.key(None), action, call)
    }

    /// The version that is copied.
    ///
    /// # Errors
    /// Those of a version that is not there; [`Refusal::InvalidRequest`] for a delete marker.
    pub(crate) async fn version(&self, call: &Call<'_, S3>) -> Result<(&Found, &Stored), S3Error> {
        let found = self.source.version(&self.named.name, self.named.version_id.as_deref(), call).await;
        found.map_err(|error| match error {
            S3Error::WithHeaders(Refusal::MethodNotAllowed { .. }, _) => {
                let reason =
                    "The source of a copy request may not specifically refer to a delete marker by version id.";
                Refusal::InvalidRequest { reason: reason.to_owned() }.into()
            }
            error => error,
        })
    }
}

/// The refusal of a source that is longer than one request may copy.
pub(crate) fn too_large() -> Refusal {
    let reason = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
    Refusal::InvalidRequest { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_bucket_a_key_and_perhaps_a_version() {
        let source = |name: &str, version: Option<&str>| Source {
            bucket: "bkt".to_owned(),
            name: name.to_owned(),
            version_id: version.map(str::to_owned),
        };
        for (header, expected) in [
            ("bkt/key", source("key", None)),
            ("/bkt/key", source("key", None)),
            ("/bkt/a/b%20c%2B", source("a/b c+", None)),
            ("bkt%2Fkey", source("key", None)),
            ("bkt/a+b", source("a+b", None)),
            ("bkt/key?versionId=abc", source("key", Some("abc"))),
            ("bkt/a?b", source("a?b", None)),
            ("bkt//key", source("/key", None)),
        ] {
            assert_eq!(Source::parse(header).unwrap(), expected, "{header}");
        }
        for header in ["", "bkt", "/bkt", "/bkt/", "//key", "bkt/%ff"] {
            assert!(Source::parse(header).is_err(), "{header}");
        }
    }
}
