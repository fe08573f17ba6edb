//! Shapes: what is collected, how it is worded, and what the audit trail sees.

use std::collections::BTreeMap;

use super::*;
use crate::SecretBlob;

crate::text_enum! {
    enum Spec { Aes = "AES_256", Small = "AES_128" }
}

crate::shape! {
    struct Tag {
        "TagKey" key: String, required, [Rule::Length(1, 5)];
        "TagValue" value: String, required, [];
    }
}

crate::shape! {
    struct Input {
        "KeyId" key_id: String, required, [Rule::Length(1, 8), Rule::Pattern("[a-z/]+")];
        "Plaintext" plaintext: SecretBlob, optional, [Rule::Length(1, 4)];
        "NumberOfBytes" number: i32, optional, [Rule::Range(1, 1024)];
        "Spec" spec: Spec, optional, [];
        "Tags" tags: Vec<Tag>, default, [Rule::Length(0, 2)];
        "GrantTokens" grant_tokens: Vec<String>, default, [Rule::Length(0, 2), Rule::Each(&[Rule::Length(1, 3)])];
        "EncryptionContext" context: BTreeMap<String, String>, default, [];
        "Owner" owner: Tag, optional, [];
        "Owners" owners: Vec<Tag>, default, [];
        "Specs" specs: Vec<Spec>, default, [];
        "Unruled" unruled: Vec<String>, default, [];
        "DryRun" dry_run: bool, optional, [];
        "At" at: crate::Timestamp, optional, [];
    }
}

fn accept(json: &str) -> Result<Input, String> {
    crate::decode(crate::Protocol::json("1.1", ""), json.as_bytes()).map_err(|fault| {
        assert_eq!(fault.code, "ValidationException", "{json} is well-formed");
        fault.message
    })
}

#[test]
fn violations_are_collected_and_worded_as_aws_words_them() {
    for (json, expect) in [
        (
            r#"{"Tags":[]}"#,
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
        ),
        (
            r#"{"KeyId":"a","NumberOfBytes":0}"#,
            "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            r#"{"KeyId":"a","Plaintext":"QUFBQUE="}"#,
            "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4",
        ),
        (
            r#"{"KeyId":"A","Spec":"X"}"#,
            "2 validation errors detected: Value 'A' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z/]+; Value 'X' at 'spec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]",
        ),
        (
            r#"{"KeyId":"a","Tags":[{"TagKey":"k","TagValue":"v"},{"TagKey":"toolong","TagValue":"v"}]}"#,
            "1 validation error detected: Value 'toolong' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 5",
        ),
        (
            r#"{"KeyId":"a","GrantTokens":["","abcd"]}"#,
            "2 validation errors detected: Value '' at 'grantTokens.1.member' failed to satisfy constraint: Member must have length greater than or equal to 1; Value 'abcd' at 'grantTokens.2.member' failed to satisfy constraint: Member must have length less than or equal to 3",
        ),
    ] {
        assert_eq!(accept(json).err().as_deref(), Some(expect));
    }
}

#[test]
fn a_list_that_is_too_long_is_refused_for_that_and_its_elements_are_not_looked_at() {
    let refused = |json: &str| accept(json).err().expect("refused");
    let long = "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 2";
    assert_eq!(refused(r#"{"KeyId":"a","Tags":[{},{},{}]}"#), long);
    // What is over the limit is not even decoded.
    assert_eq!(refused(r#"{"KeyId":"a","Tags":[{},{},7]}"#), long);
    let many = format!(r#"{{"KeyId":"a","Unruled":[{}7]}}"#, r#""","#.repeat(COUNT_MAX));
    let long = "1 validation error detected: Value at 'unruled' failed to satisfy constraint: Member must have length less than or equal to 1000";
    assert_eq!(refused(&many), long);
    let entries = (0..=COUNT_MAX).map(|n| format!(r#""{n}":"""#)).collect::<Vec<_>>().join(",");
    let long = "1 validation error detected: Value at 'encryptionContext' failed to satisfy constraint: Member must have length less than or equal to 1000";
    assert_eq!(refused(&format!(r#"{{"KeyId":"a","EncryptionContext":{{{entries}}}}}"#)), long);
}

#[test]
fn no_more_than_ten_violations_are_reported_and_no_message_is_long() {
    let elements = |element: &str| vec![element; COUNT_MAX].join(",");
    let refused = |json: String| accept(&json).err().expect("refused");
    let message = refused(format!(r#"{{"KeyId":"a","Owners":[{}]}}"#, elements("{}")));
    assert!(message.starts_with("10 validation errors detected: Value null at 'owners.1.member.tagKey' "), "{message}");
    assert_eq!(message.matches("failed to satisfy constraint").count(), 10);
    let long = format!(r#""{}""#, "a".repeat(10_000));
    let message = refused(format!(r#"{{"KeyId":"a","Specs":[{}]}}"#, elements(&long)));
    assert!(message.starts_with("8 validation errors detected: Value 'aaa"), "{message}");
    assert!(message.len() < 10_000, "{}", message.len());
}

#[test]
fn the_audit_trail_sees_lower_camel_names_and_no_secrets() {
    let input = accept(
        r#"{"KeyId":"a","Plaintext":"QUFB","NumberOfBytes":7,"Spec":"AES_256","Tags":[{"TagKey":"k","TagValue":"v"},
        {"TagKey":"\"","TagValue":"é"}],"EncryptionContext":{"B":"\\","A":""},"Owner":{"TagKey":"k","TagValue":"v"},
        "DryRun":false,"At":1763908618.123,"Ignored":1}"#,
    )
    .expect("valid");
    let expect = concat!(
        r#"{"keyId":"a","numberOfBytes":7,"spec":"AES_256","#,
        r#""tags":[{"tagKey":"k","tagValue":"v"},{"tagKey":"\"","tagValue":"é"}],"#,
        r#""encryptionContext":{"A":"","B":"\\"},"owner":{"tagKey":"k","tagValue":"v"},"#,
        r#""dryRun":false,"at":"2025-11-23T14:36:58Z"}"#
    );
    assert_eq!(serde_json::to_string(&Audited(&input)).expect("json"), expect);
    assert_eq!(crate::json::encode(&Audited(&input)).expect("json"), expect.as_bytes());
    let input = accept(r#"{"KeyId":"a"}"#).expect("valid");
    assert_eq!(
        crate::json::encode(&Audited(&input)).expect("json"),
        br#"{"keyId":"a"}"#,
        "what was not sent is not there"
    );
    assert!(Input::MEMBERS.iter().any(|member| member.name == "Plaintext" && member.secret));
}

crate::shape! {
    struct Broken {
        "Tags" tags: Vec<BrokenTag>, default, [Rule::Length(0, 2)];
    }
}

crate::shape! {
    struct BrokenTag {
        "Keys" keys: Vec<String>, default, [Rule::Each(&[Rule::Length(1, 3), Rule::Pattern("[")])];
    }
}

#[test]
fn a_pattern_that_cannot_be_read_is_found_at_any_depth() {
    assert_eq!(unreadable_pattern(Broken::MEMBERS), Some("["));
    assert_eq!(unreadable_pattern(Input::MEMBERS), None);
}

#[test]
fn the_first_violation_is_known_as_data_and_decides_the_fault_of_a_service_that_has_its_own() {
    let fault = |json: &str| {
        let headers = http::HeaderMap::new();
        let (method, uri) = (http::Method::POST, http::Uri::from_static("/"));
        let head =
            crate::protocol::Head { method: &method, uri: &uri, headers: &headers, scope: None, host_label: None };
        let claim = crate::protocol::Claim::Operation("Op");
        let json_protocol = crate::Protocol::json("1.1", "");
        let decoded =
            crate::protocol::decode_request_with::<Input>(json_protocol, &head, &claim, json.as_bytes(), |breach| {
                let code = match (breach.member, breach.wrong) {
                    ("KeyId", Wrong::Missing) => "KeyRequired",
                    ("KeyId", Wrong::Value) => "KeyInvalid",
                    ("Unruled", Wrong::Count) => "TooMany",
                    _ => return None,
                };
                Some(crate::Fault::sender(code, ""))
            });
        decoded.err().expect("refused").code
    };
    assert_eq!(fault("{}"), "KeyRequired");
    assert_eq!(fault(r#"{"KeyId":""}"#), "KeyInvalid");
    assert_eq!(fault(r#"{"KeyId":"a","Tags":[{"TagKey":""}]}"#), "ValidationException");
    let many = vec![r#""""#; 1001].join(",");
    assert_eq!(fault(&format!(r#"{{"KeyId":"a","Unruled":[{many}]}}"#)), "TooMany");
}
