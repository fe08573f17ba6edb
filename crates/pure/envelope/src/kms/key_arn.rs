//! The ARNs of KMS keys and aliases, and how Multi-Region keys match.

/// Resource that an ARN names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource<'a> {
    Key(&'a str),
    Alias,
}

/// The ARN of a KMS key or alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyArn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: Resource<'a>,
}

impl<'a> KeyArn<'a> {
    /// Source: AWS Encryption SDK Specification, AWS KMS Key ARN.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (partition, service, region, account, resource) = (part()?, part()?, part()?, part()?, part()?);
        let (kind, id) = resource.split_once('/').filter(|(_, id)| !id.is_empty())?;
        let resource = match kind {
            "key" => Resource::Key(id),
            "alias" => Resource::Alias,
            _ => return None,
        };
        (service == "kms").then_some(Self { partition, region, account, resource })
    }

    /// The ARN of a key, not of an alias.
    pub(crate) fn parse_key(text: &'a [u8]) -> Option<(Self, &'a str)> {
        let arn = Self::parse(std::str::from_utf8(text).ok()?)?;
        match arn.resource {
            Resource::Key(id) => Some((arn, id)),
            Resource::Alias => None,
        }
    }

    /// Whether it names a Multi-Region key.
    pub(crate) fn is_multi_region(&self) -> bool {
        matches!(self.resource, Resource::Key(id) if id.starts_with("mrk-"))
    }

    /// The ARN of the same key in another region.
    pub(crate) fn in_region(&self, region: &str) -> Option<String> {
        let Resource::Key(id) = self.resource else { return None };
        Some(format!("arn:{}:kms:{region}:{}:key/{id}", self.partition, self.account))
    }
}

/// Whether two ARNs name the same key, or replicas of the same Multi-Region key.
///
/// Source: AWS Encryption SDK Specification, AWS KMS MRK Match for Decrypt.
pub(crate) fn multi_region_match(one: &str, other: &str) -> bool {
    one == other
        || matches!(
            (KeyArn::parse(one), KeyArn::parse(other)),
            (Some(a), Some(b)) if a.is_multi_region() && KeyArn { region: b.region, ..a } == b
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:us-east-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const MRK: &str = "arn:aws:kms:us-east-1:222222222222:key/mrk-4321abcd12ab34cd56ef1234567890ab";

    #[test]
    fn arns_of_keys_and_aliases_are_read() {
        let (arn, id) = KeyArn::parse_key(KEY.as_bytes()).unwrap();
        assert_eq!((arn.partition, arn.region, arn.account), ("aws", "us-east-1", "222222222222"));
        assert_eq!(id, "1234abcd-12ab-34cd-56ef-1234567890ab");
        let alias = "arn:aws:kms:us-east-1:222222222222:alias/mrk-not/a-key";
        assert_eq!(KeyArn::parse(alias).unwrap().resource, Resource::Alias);
        assert!(!KeyArn::parse(alias).unwrap().is_multi_region());
        assert!(KeyArn::parse_key(alias.as_bytes()).is_none());
        for wrong in [
            "",
            "arn",
            "mrk-4321",
            "alias/a",
            "arn:aws:kms:us-east-1:222222222222:key/",
            "arn:aws:kms:us-east-1::key/a",
            "arn:aws:kms::222222222222:key/a",
            "arn::kms:us-east-1:222222222222:key/a",
            "arn:aws:s3:us-east-1:222222222222:key/a",
            "arn:aws:kms:us-east-1:222222222222:key",
            "arn:aws:kms:us-east-1:222222222222:grant/a",
            "nra:aws:kms:us-east-1:222222222222:key/a",
        ] {
            assert_eq!(KeyArn::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_multi_region_keys_match_across_regions() {
        let elsewhere = |arn: &str| arn.replace("us-east-1", "eu-west-1");
        assert!(
            multi_region_match(KEY, KEY) && multi_region_match(MRK, MRK) && multi_region_match(MRK, &elsewhere(MRK))
        );
        assert!(!multi_region_match(KEY, &elsewhere(KEY)));
        assert!(!multi_region_match(MRK, &elsewhere(MRK).replace("222222222222", "333333333333")));
        assert!(!multi_region_match(MRK, &elsewhere(MRK).replace("arn:aws:", "arn:aws-cn:")));
        assert!(!multi_region_match(MRK, KEY));
        assert_eq!(KeyArn::parse(MRK).unwrap().in_region("eu-west-1"), Some(elsewhere(MRK)));
    }
}
