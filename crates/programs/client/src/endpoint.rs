//! Where a service is reached in a region when nobody says otherwise: AWS's own endpoints.
//!
//! Source: AWS General Reference, "Service endpoints"; partitions as botocore's `partitions.json` has them.

/// Partitions by the beginning of their regions' names, with their domain.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-gov-", "amazonaws.com"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
];

/// Whether `region` can be the name of one. It comes into a host's name, and a message can bring it along.
pub(crate) fn is_region(region: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&region.len())
        && region.bytes().all(allowed)
        && !region.starts_with('-')
        && !region.ends_with('-')
}

/// AWS's endpoint of a service.
pub(crate) fn public(service: &str, region: &str, fips: bool) -> String {
    let domain =
        PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("amazonaws.com", |found| found.1);
    let fips = if fips { "-fips" } else { "" };
    format!("https://{service}{fips}.{region}.{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_domain() {
        for (region, expected) in [
            ("us-east-1", "https://kms.us-east-1.amazonaws.com"),
            ("cn-north-1", "https://kms.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "https://kms.us-gov-west-1.amazonaws.com"),
            ("us-iso-east-1", "https://kms.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "https://kms.us-isob-east-1.sc2s.sgov.gov"),
            ("eusc-de-east-1", "https://kms.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(public("kms", region, false), expected);
        }
        assert_eq!(public("sts", "eu-west-1", true), "https://sts-fips.eu-west-1.amazonaws.com");
    }

    #[test]
    fn no_region_leads_to_another_host() {
        assert!(is_region("us-east-1"));
        for wrong in ["", "evil.example/", "a.b", "us-east-1#", "x@y", "-a", "a-", "US-EAST-1", &"a".repeat(33)] {
            assert!(!is_region(wrong), "{wrong}");
        }
    }
}
