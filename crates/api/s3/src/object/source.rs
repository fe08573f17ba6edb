//! The source of a copy: an object as the header `x-amz-copy-source` names it.

use percent_encoding::percent_decode_str;

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
