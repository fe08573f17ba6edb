//! CloudTrail's names for resources, by ARN: a type such as `AWS::KMS::Key`, and a name.

/// A resource as a look-up shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// Such as `AWS::KMS::Key`; none for what CloudTrail has no type for.
    pub(crate) kind: Option<&'static str>,
    /// Its name in IAM, its ARN elsewhere.
    pub(crate) name: &'a str,
}

/// The beginning of a resource's part of an ARN, by service, and the type that it stands for.
///
/// Source: CloudFormation's "AWS resource and property types reference", whose names CloudTrail uses.
const TYPES: &[(&str, &str, &str)] = &[
    ("kms", "key/", "AWS::KMS::Key"),
    ("kms", "alias/", "AWS::KMS::Alias"),
    ("iam", "user/", "AWS::IAM::User"),
    ("iam", "group/", "AWS::IAM::Group"),
    ("iam", "role/", "AWS::IAM::Role"),
    ("iam", "policy/", "AWS::IAM::Policy"),
    ("iam", "instance-profile/", "AWS::IAM::InstanceProfile"),
    ("iam", "oidc-provider/", "AWS::IAM::OIDCProvider"),
    ("iam", "access-key/", "AWS::IAM::AccessKey"),
];

/// Names the resource at `arn`.
pub(crate) fn named(arn: &str) -> Named<'_> {
    let mut parts = arn.splitn(6, ':');
    let (service, resource) = (parts.nth(2).unwrap_or_default(), parts.nth(2).unwrap_or_default());
    let found = TYPES.iter().find(|(of, prefix, _)| *of == service && resource.starts_with(prefix));
    let name = if service == "iam" { resource.rsplit('/').next().unwrap_or(arn) } else { arn };
    Named { kind: found.map(|(_, _, kind)| *kind), name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_cloudtrails_type_and_name() {
        let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        for (arn, kind, name) in [
            (key, Some("AWS::KMS::Key"), key),
            ("arn:aws:iam::111122223333:user/staff/alice", Some("AWS::IAM::User"), "alice"),
            ("arn:aws:iam::111122223333:role/deployer", Some("AWS::IAM::Role"), "deployer"),
            ("arn:aws:iam::111122223333:root", None, "root"),
            ("arn:aws:sns:us-east-1:111122223333:topic", None, "arn:aws:sns:us-east-1:111122223333:topic"),
            ("not an ARN", None, "not an ARN"),
        ] {
            assert_eq!(named(arn), Named { kind, name }, "{arn}");
        }
    }
}
