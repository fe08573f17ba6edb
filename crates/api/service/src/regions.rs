//! Which Regions there are: AWS's, and those that the operator adds.
//!
//! Each one that keys are made in gets a domain key of its own, so a caller cannot name just any. Knows no services.

use std::sync::Arc;

/// Every Region of AWS's partitions, sorted.
///
/// Source: `partitions.json` of AWS's SDKs.
const KNOWN: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// The longest name of a Region, in bytes.
const LENGTH_MAX: usize = 32;

/// The Regions that are served: AWS's by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    added: Arc<[String]>,
}

impl Regions {
    /// AWS's and these. Names that [`is_region`] refuses are served nowhere.
    #[must_use]
    pub fn with(added: impl IntoIterator<Item = String>) -> Self {
        Self { added: added.into_iter().filter(|name| is_region(name)).collect() }
    }

    /// Whether there is such a Region.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        KNOWN.binary_search(&name).is_ok() || self.added.iter().any(|added| added == name)
    }
}

/// Whether `text` can be the name of a Region: up to 32 lower-case letters, digits and hyphens, no hyphen at an end.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awss_regions_are_sorted_and_well_formed() {
        assert!(KNOWN.is_sorted());
        assert!(KNOWN.iter().all(|name| is_region(name) && Regions::default().has(name)));
    }

    #[test]
    fn only_what_is_known_or_added_is_a_region() {
        let regions = Regions::with(["moon-1", "Mars", "", "a/b", &"x".repeat(33)].map(str::to_owned));
        assert!(regions.has("moon-1") && regions.has("eu-west-1"));
        assert!(!Regions::default().has("moon-1"));
        for name in ["", "Mars", "a/b", "us-east-9", "us-east-1 ", "US-EAST-1", &"x".repeat(33)] {
            assert!(!regions.has(name), "{name:?}");
        }
    }

    #[test]
    fn a_name_is_up_to_32_letters_digits_and_hyphens() {
        for (text, expect) in [
            ("a", true),
            ("moon-1", true),
            (&*"x".repeat(32), true),
            (&*"x".repeat(33), false),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("A", false),
            ("a_b", false),
            ("ü", false),
        ] {
            assert_eq!(is_region(text), expect, "{text:?}");
        }
    }
}
