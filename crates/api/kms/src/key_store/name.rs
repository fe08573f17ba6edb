//! The constraints of the members of key stores, and how a store's id is made.

use crypto::{hex, random_bytes};
use wire::shape::Rule;

pub(super) const STORE_NAME: Rule = Rule::Length(1, 256);
pub(super) const CLUSTER_LENGTH: Rule = Rule::Length(19, 24);
pub(super) const CLUSTER_PATTERN: Rule = Rule::Pattern("cluster-[2-7a-zA-Z]{11,16}");
pub(super) const TRUST_ANCHOR: Rule = Rule::Length(1, 5000);
pub(super) const PASSWORD: Rule = Rule::Length(7, 32);
pub(super) const ENDPOINT_LENGTH: Rule = Rule::Length(10, 128);
pub(super) const ENDPOINT_PATTERN: Rule = Rule::Pattern("^https://[a-zA-Z0-9.-]+$");
pub(super) const PATH_LENGTH: Rule = Rule::Length(10, 128);
pub(super) const PATH_PATTERN: Rule = Rule::Pattern(r"^(/[a-zA-Z0-9\/_-]+/kms/xks/v\d{1,2})$|^(/kms/xks/v\d{1,2})$");
pub(super) const VPC_SERVICE_LENGTH: Rule = Rule::Length(20, 64);
pub(super) const VPC_SERVICE_PATTERN: Rule =
    Rule::Pattern(r"^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$");
pub(super) const ACCOUNT_LENGTH: Rule = Rule::Length(12, 12);
pub(super) const ACCOUNT_PATTERN: Rule = Rule::Pattern("[0-9]{12}");
const ACCESS_KEY_LENGTH: Rule = Rule::Length(20, 30);
const ACCESS_KEY_PATTERN: Rule = Rule::Pattern("^[A-Z2-7]+$");
const SECRET_LENGTH: Rule = Rule::Length(43, 64);
const SECRET_PATTERN: Rule = Rule::Pattern(r"^[a-zA-Z0-9\/+=]+$");

wire::shape! {
    /// The credential that signs requests to a proxy.
    pub(crate) struct ProxyCredential {
        "AccessKeyId" access_key_id: wire::SecretText, required, [ACCESS_KEY_LENGTH, ACCESS_KEY_PATTERN];
        "RawSecretAccessKey" raw_secret_access_key: wire::SecretText, required, [SECRET_LENGTH, SECRET_PATTERN];
    }
}

/// A new store's id: `cks-` and 17 hexadecimal digits.
pub(super) fn random_id() -> String {
    let mut bytes = [0; 9];
    random_bytes(&mut bytes);
    let mut id = format!("cks-{}", hex::encode(&bytes));
    id.pop();
    id
}
