//! Names and paths of an account's entities, and the ARNs that they make.
//!
//! Knows form only; whether somebody bears a name is for the records.

use wire::Arn;

use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;

/// The path of whatever was made without one.
pub(crate) const ROOT_PATH: &str = "/";

/// Paths of users, groups and roles, as AWS prints the rule.
pub(crate) const PATH: &str = r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)";

/// Paths of managed policies, as AWS prints the rule.
pub(crate) const POLICY_PATH: &str = r"((/[A-Za-z0-9\.,\+@=_-]+)*)/";

/// Prefixes that paths are filtered by, as AWS prints the rule.
pub(crate) const PATH_PREFIX: &str = r"\u002F[\u0021-\u007F]*";

/// Unique ids and access key ids, as AWS prints the rule.
pub(crate) const ID: &str = r"[\w]+";

/// Names are unique in an account without regard to ASCII case; other letters are not allowed in them.
pub(crate) fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Checks the letters of a name; its length is checked with the input's shape.
///
/// # Errors
/// `ValidationError`, which names `parameter`.
pub(crate) fn check(name: &str, parameter: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if name.bytes().all(allowed) {
        return Ok(());
    }
    Err(IamError::Validation(format!(
        "The specified value for {parameter} is invalid. It must contain only alphanumeric characters and/or the \
         following: +=,.@_-"
    )))
}

/// The ARN of what bears `name` under `path`, which begins and ends with a slash.
pub(crate) fn arn(kind: Kind, account: &str, path: &str, name: &str) -> Arn {
    Arn::new("iam", "", account, &format!("{kind}{path}{name}"))
}

/// An ARN's resource taken apart: `user/division/team/Ana` is a user, `/division/team/` and `Ana`.
pub(crate) struct Located<'a> {
    pub(crate) kind: Kind,
    pub(crate) path: &'a str,
    pub(crate) name: &'a str,
}

/// The entity that an IAM ARN names; `None` for the root user, for STS's sessions and for kinds that IAM does not have.
pub(crate) fn locate(arn: &Arn) -> Option<Located<'_>> {
    if arn.service() != "iam" || !arn.region().is_empty() {
        return None;
    }
    let resource = arn.resource();
    let slash = resource.find('/')?;
    let (kind, rest) = resource.split_at_checked(slash)?;
    let kind = match kind {
        "user" => Kind::User,
        "group" => Kind::Group,
        "role" => Kind::Role,
        "policy" => Kind::Policy,
        "instance-profile" => Kind::InstanceProfile,
        _ => return None,
    };
    let (path, name) = rest.split_at_checked(rest.rfind('/')? + 1)?;
    (!name.is_empty()).then_some(Located { kind, path, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_awss_letters() {
        for name in ["Ana", "a+b=c,d.e@f_g-h", "0"] {
            assert!(check(name, "userName").is_ok(), "{name}");
        }
        for name in ["a b", "a/b", "a*", "ä", "a:b", "a\u{7f}"] {
            let error = check(name, "userName").expect_err(name);
            assert!(error.to_string().starts_with("The specified value for userName is invalid."), "{error}");
        }
    }

    #[test]
    fn an_arn_tells_kind_path_and_name() {
        for (text, expected) in [
            ("arn:aws:iam::111122223333:user/Ana", Some((Kind::User, "/", "Ana"))),
            ("arn:aws:iam::111122223333:role/a/b/Deploy", Some((Kind::Role, "/a/b/", "Deploy"))),
            ("arn:aws:iam::aws:policy/job-function/Billing", Some((Kind::Policy, "/job-function/", "Billing"))),
            ("arn:aws:iam::111122223333:root", None),
            ("arn:aws:iam::111122223333:user/", None),
            ("arn:aws:iam::111122223333:mfa/x", None),
            ("arn:aws:sts::111122223333:assumed-role/a/b", None),
            ("arn:aws:iam:us-east-1:111122223333:user/Ana", None),
        ] {
            let parsed: Arn = text.parse().expect("an ARN");
            let located = locate(&parsed).map(|found| (found.kind, found.path, found.name));
            assert_eq!(located, expected, "{text}");
            if let Some((kind, path, name)) = expected {
                assert_eq!(arn(kind, parsed.account(), path, name), parsed);
            }
        }
    }
}
