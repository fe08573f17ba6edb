//! Amazon Resource Names: `arn:partition:service:region:account:resource`.

use std::fmt;
use std::str::FromStr;

use memchr::memchr_iter;

/// An ARN held as its text, with the boundaries of its six parts.
///
/// Source: IAM User Guide, "Amazon Resource Names (ARNs)".
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    text: String,
    /// Where parts 2 to 6 (partition, service, region, account, resource) begin.
    starts: [u16; 5],
}

/// The text is not an ARN: fewer than six parts, the wrong prefix, or longer than 2048 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ARN")]
pub struct ArnError;

/// The longest ARN that is accepted, in bytes.
const LENGTH_MAX: usize = 2048;

impl Arn {
    /// Puts an ARN together in the `aws` partition.
    #[must_use]
    pub fn new(service: &str, region: &str, account: &str, resource: &str) -> Self {
        let text = format!("arn:aws:{service}:{region}:{account}:{resource}");
        Self::index(&text).map_or_else(
            // INVARIANT: five colons were just written, so only an over-long resource gets here; it is cut nowhere
            // else and compares as itself.
            || Self { starts: [4, 8, 8, 8, 8], text: text.clone() },
            |starts| Self { starts, text: text.clone() },
        )
    }

    fn index(text: &str) -> Option<[u16; 5]> {
        if text.len() > LENGTH_MAX || !text.starts_with("arn:") {
            return None;
        }
        let mut starts = [0_u16; 5];
        let mut colons = text.bytes().enumerate().filter(|(_, byte)| *byte == b':').map(|(at, _)| at + 1);
        for start in &mut starts {
            *start = u16::try_from(colons.next()?).ok()?;
        }
        Some(starts)
    }

    fn part(&self, index: usize) -> &str {
        let start = self.starts.get(index).map_or(0, |at| usize::from(*at));
        let end = self.starts.get(index + 1).map_or(self.text.len(), |at| usize::from(*at) - 1);
        self.text.get(start..end).unwrap_or_default()
    }

    /// The partition, `aws` as a rule.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(0)
    }

    /// The service, such as `kms`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(1)
    }

    /// The region, empty for global services.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(2)
    }

    /// The account id, empty for resources without an owner.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(3)
    }

    /// The resource, with any further colons and slashes.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(4)
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The account that a text names in an ARN's place for it; empty if the ARN leaves it out, and `None` if the text has
/// not so many parts.
#[must_use]
pub fn account_of(arn: &str) -> Option<&str> {
    let mut colons = memchr_iter(b':', arn.as_bytes());
    let start = colons.nth(3)? + 1;
    arn.get(start..colons.next().unwrap_or(arn.len()))
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let starts = Self::index(text).ok_or(ArnError)?;
        Ok(Self { text: text.to_owned(), starts })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl serde::Serialize for Arn {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Arn {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_arn_are_found_and_the_resource_keeps_its_colons() {
        let arn: Arn = "arn:aws:iam::111122223333:user/a:b/c".parse().expect("an ARN");
        assert_eq!(
            (arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()),
            ("aws", "iam", "", "111122223333", "user/a:b/c")
        );
        assert_eq!(Arn::new("iam", "", "111122223333", "user/a:b/c"), arn);
    }

    #[test]
    fn what_is_not_an_arn_is_refused() {
        for text in ["", "arn:", "arn:aws:kms:us-east-1:1", "urn:aws:kms:us-east-1:1:key/x"] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
        assert!(format!("arn:aws:kms:r:1:{}", "x".repeat(2048)).parse::<Arn>().is_err());
    }
}
