//! Where blobs are, as a setting names it. Opens nothing, and holds no secrets.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// The longest prefix in a bucket, so that every key stays within the 1,024 bytes of S3.
const PREFIX_BYTES_MAX: usize = 512;

/// Where blobs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Files in a directory of a local file system, made (mode 0700) if it is missing and its parent is not.
    Directory(PathBuf),
    /// Objects in a bucket of S3, or of anything that speaks its protocol.
    S3(S3Location),
}

/// A part of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Location {
    /// The bucket.
    pub bucket: String,
    /// The beginning of every key: empty, or it ends with a slash.
    pub prefix: String,
    /// `https://host:port` of the server; AWS's of the region when not given.
    pub endpoint: Option<String>,
    /// The region that requests are signed for; the profile's when not given.
    pub region: Option<String>,
    /// The profile of the AWS configuration with the credentials.
    pub profile: Option<String>,
}

/// A text that names no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no place for blobs: {reason}")]
pub struct LocationError {
    text: String,
    reason: &'static str,
}

impl Location {
    /// Reads `s3://BUCKET/PREFIX?endpoint=URL&region=NAME&profile=NAME`; any text without `://` is a directory.
    ///
    /// Credentials are not part of it, so that it can be logged: a profile names where they are.
    ///
    /// # Errors
    /// [`LocationError`] for another scheme, a name that no bucket has, and an unknown parameter.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let wrong = |reason| LocationError { text: text.to_owned(), reason };
        match text.split_once("://") {
            None if text.is_empty() => Err(wrong("it is empty")),
            None => Ok(Self::Directory(text.into())),
            Some(("s3", rest)) => S3Location::parse(rest).map(Self::S3).map_err(wrong),
            Some(_) => Err(wrong("only s3:// and directories are known")),
        }
    }
}

impl S3Location {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(allowed) || bucket.contains("..") {
            return Err("no bucket is called so");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
        let prefix = prefix.trim_matches('/');
        if prefix.len() > PREFIX_BYTES_MAX || !prefix.bytes().all(plain) || prefix.split('/').any(is_dots) {
            return Err("a prefix has letters, digits, and - . _ / only");
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let mut location = Self { bucket: bucket.to_owned(), prefix, endpoint: None, region: None, profile: None };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or("a parameter has no value")?;
            let value = percent_decode_str(value).decode_utf8().map_err(|_| "a parameter is not UTF-8")?;
            let place = match name {
                "endpoint" => &mut location.endpoint,
                "region" => &mut location.region,
                "profile" => &mut location.profile,
                _ => return Err("it has a parameter other than endpoint, region and profile"),
            };
            if value.is_empty() || place.replace(value.into_owned()).is_some() {
                return Err("a parameter is empty, or there twice");
            }
        }
        if let Some(endpoint) = &location.endpoint {
            let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
            let host = host.ok_or("the endpoint is no URL of https or http")?.trim_end_matches('/');
            if host.is_empty() || host.contains(['/', '?', '#', '@']) {
                return Err("an endpoint has a scheme, a host and perhaps a port only");
            }
        }
        Ok(location)
    }
}

fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

impl fmt::Display for S3Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(out),
            Self::S3(location) => location.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_by_a_url_and_a_directory_by_its_path() {
        assert_eq!(Location::parse("/var/blobs"), Ok(Location::Directory("/var/blobs".into())));
        let found =
            Location::parse("s3://a-bucket/some/where/?endpoint=https%3A%2F%2Fs3.example:9000&region=eu-west-1");
        let expected = S3Location {
            bucket: "a-bucket".to_owned(),
            prefix: "some/where/".to_owned(),
            endpoint: Some("https://s3.example:9000".to_owned()),
            region: Some("eu-west-1".to_owned()),
            profile: None,
        };
        assert_eq!(found, Ok(Location::S3(expected)));
        let Ok(Location::S3(bare)) = Location::parse("s3://bucket?profile=blobs") else { panic!("a bucket") };
        assert_eq!((bare.to_string().as_str(), bare.profile.as_deref()), ("s3://bucket/", Some("blobs")));
    }

    #[test]
    fn a_text_that_names_no_location_is_refused() {
        for wrong in [
            "",
            "gs://bucket/x",
            "s3://",
            "s3://Bucket",
            "s3://a..b",
            "s3://bucket/../x",
            "s3://bucket/a b",
            "s3://bucket?secret=x",
            "s3://bucket?region",
            "s3://bucket?region=",
            "s3://bucket?region=a&region=b",
            "s3://bucket?endpoint=ftp://x",
            "s3://bucket?endpoint=https://user@x",
            "s3://bucket?endpoint=https://x/path",
        ] {
            assert!(Location::parse(wrong).is_err(), "{wrong}");
        }
    }
}
