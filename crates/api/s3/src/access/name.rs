//! Names of buckets and of objects: their rules, and the member of inputs that names a bucket.
//!
//! Source: Amazon S3 User Guide, "General purpose bucket naming rules" and "Object key naming guidelines".

use std::ops::Deref;

use serde::ser::SerializeStruct;
use wire::shape::{Described, Member, Path, Rule, Violations};
use wire::{Malformed, Reader};

use crate::error::Refusal;

/// The most bytes of an object's name.
const KEY_BYTES_MAX: usize = 1024;

/// The name of a bucket as an input has it. The audit trail calls it `bucketName`, as CloudTrail does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketName(pub(crate) String);

impl Deref for BucketName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Described for BucketName {}

impl Member for BucketName {
    type Wire = String;

    fn read(reader: &mut Reader<'_>, count_max: usize) -> Result<String, Malformed> {
        String::read(reader, count_max)
    }

    fn check(wire: String, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        String::check(wire, path, rules, violations).map(Self)
    }

    fn audit<S: SerializeStruct>(&self, _: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field("bucketName", &self.0)
    }
}

/// Checks the name of a bucket.
///
/// # Errors
/// [`Refusal::InvalidBucketName`].
pub(crate) fn check_bucket_name(name: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let letters = name.bytes().all(|byte| plain(byte) || matches!(byte, b'.' | b'-'));
    let ends = name.bytes().next().is_some_and(plain) && name.bytes().last().is_some_and(plain);
    let labels = name.split('.').all(|label| !label.is_empty());
    let address = name.parse::<std::net::Ipv4Addr>().is_ok();
    let reserved = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
        || ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|suffix| name.ends_with(suffix));
    if (3..=63).contains(&name.len()) && letters && ends && labels && !address && !reserved {
        Ok(())
    } else {
        Err(Refusal::InvalidBucketName { bucket: name.to_owned() })
    }
}

/// Checks the name of an object.
///
/// # Errors
/// [`Refusal::KeyTooLongError`].
pub(crate) fn check_object_name(name: &str) -> Result<(), Refusal> {
    match name.len() {
        ..=KEY_BYTES_MAX => Ok(()),
        size => Err(Refusal::KeyTooLongError { size, most: KEY_BYTES_MAX }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets_are_those_that_aws_takes() {
        for name in ["abc", "a.b", "123", "my-bucket.example.com", &"a".repeat(63), "1.2.3.4.5"] {
            assert_eq!(check_bucket_name(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "ab",
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            ".ab",
            "ab.",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "abc-s3alias",
            &"a".repeat(64),
            "a b",
            "ab/",
            "\u{e4}bc",
        ] {
            assert!(check_bucket_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_objects_name_is_counted_in_bytes() {
        assert_eq!(check_object_name(&"\u{e4}".repeat(512)), Ok(()));
        assert!(check_object_name(&"\u{e4}".repeat(513)).is_err());
    }
}
