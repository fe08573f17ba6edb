//! Constraints that many input shapes share.

use wire::shape::Rule;

/// Of a key's or alias's name.
pub(crate) const KEY_ID: Rule = Rule::Length(1, 2048);

/// Of an alias name; it must also match [`NAME_PATTERN`].
pub(crate) const NAME_LENGTH: Rule = Rule::Length(1, 256);

/// Of alias and grant names.
pub(crate) const NAME_PATTERN: Rule = Rule::Pattern("^[a-zA-Z0-9:/_-]+$");

/// Of how much a page may hold.
pub(crate) const LIMIT: Rule = Rule::Range(1, 1000);

/// Of a marker; it must also match [`MARKER_PATTERN`].
pub(crate) const MARKER_LENGTH: Rule = Rule::Length(1, 1024);

/// Of a marker.
pub(crate) const MARKER_PATTERN: Rule = Rule::Pattern(r"[\u0020-\u00FF]*");

/// Of a ciphertext.
pub(crate) const CIPHERTEXT: Rule = Rule::Length(1, 6144);

/// Of a plaintext.
pub(crate) const PLAINTEXT: Rule = Rule::Length(1, 4096);

/// Of a signature or message authentication code.
pub(crate) const SIGNATURE: Rule = Rule::Length(1, 6144);

/// Of a public key.
pub(crate) const PUBLIC_KEY: Rule = Rule::Length(1, 8192);

/// Of a number of random bytes.
pub(crate) const NUMBER_OF_BYTES: Rule = Rule::Range(1, 1024);

/// Of a list of grant tokens.
pub(crate) const GRANT_TOKENS: Rule = Rule::Length(0, 10);

/// Of a grant token.
pub(crate) const GRANT_TOKEN: Rule = Rule::Length(1, 8192);

/// Of each grant token in a list.
pub(crate) const EACH_GRANT_TOKEN: Rule = Rule::Each(&[GRANT_TOKEN]);

/// Of a grant id.
pub(crate) const GRANT_ID: Rule = Rule::Length(1, 128);

/// Of a principal; it must also match [`PRINCIPAL_PATTERN`].
pub(crate) const PRINCIPAL_LENGTH: Rule = Rule::Length(1, 256);

/// Of a principal.
pub(crate) const PRINCIPAL_PATTERN: Rule = Rule::Pattern(r"^[\w+=,.@:/-]+$");

/// Of a service principal; it must also match [`SERVICE_PATTERN`].
pub(crate) const SERVICE_LENGTH: Rule = Rule::Length(1, 128);

/// Of a service principal.
pub(crate) const SERVICE_PATTERN: Rule = Rule::Pattern(r"^([A-Za-z0-9\-]+)\.([A-Za-z0-9\-]+)(\.[A-Za-z0-9\-]+)+$");

/// Of the id of a custom key store.
pub(crate) const CUSTOM_KEY_STORE_ID: Rule = Rule::Length(1, 64);

/// Of a description.
pub(crate) const DESCRIPTION: Rule = Rule::Length(0, 8192);

/// Of a key policy; it must also match [`POLICY_PATTERN`].
pub(crate) const POLICY_LENGTH: Rule = Rule::Length(1, 131_072);

/// Of a key policy.
pub(crate) const POLICY_PATTERN: Rule = Rule::Pattern(r"[\u0009\u000A\u000D\u0020-\u00FF]+");

/// Of the name of a key policy; it must also match [`POLICY_NAME_PATTERN`].
pub(crate) const POLICY_NAME_LENGTH: Rule = Rule::Length(1, 128);

/// Of the name of a key policy.
pub(crate) const POLICY_NAME_PATTERN: Rule = Rule::Pattern(r"[\w]+");

/// Of a Region; it must also match [`REGION_PATTERN`].
pub(crate) const REGION_LENGTH: Rule = Rule::Length(1, 32);

/// Of a Region.
pub(crate) const REGION_PATTERN: Rule = Rule::Pattern(r"^([a-z]+-){2,3}\d+$");

/// Of the id of key material; it must also match [`MATERIAL_ID_PATTERN`].
pub(crate) const MATERIAL_ID_LENGTH: Rule = Rule::Length(64, 64);

/// Of the id of key material.
pub(crate) const MATERIAL_ID_PATTERN: Rule = Rule::Pattern("^[a-f0-9]+$");
