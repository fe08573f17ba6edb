//! The same input, output and faults through either protocol.

use serde::Serialize;

use super::*;
use crate::shape::Rule;

const JSON: Protocol = Protocol::json("1.1", "TrentService");
const QUERY: Protocol = Protocol::query("https://iam.amazonaws.com/doc/2010-05-08/");

crate::shape! {
    struct Input {
        "UserName" user_name: String, required, [Rule::Length(1, 4)];
        "Tags" tags: Vec<String>, default, [Rule::Each(&[Rule::Length(1, 2)])];
    }
}

#[test]
fn an_input_is_decoded_and_checked_in_either_protocol() {
    for (protocol, body) in
        [(JSON, r#"{"UserName":"bob","Tags":["a"]}"#), (QUERY, "Action=X&UserName=bob&Tags.member.1=a")]
    {
        let input: Input = decode(protocol, body.as_bytes()).expect("accepted");
        assert_eq!((input.user_name.as_str(), input.tags), ("bob", vec!["a".to_owned()]));
    }
}

#[test]
fn violations_have_each_protocols_code_and_the_same_words() {
    let message = "2 validation errors detected: Value null at 'userName' failed to satisfy constraint: Member must \
                   not be null; Value '' at 'tags.1.member' failed to satisfy constraint: Member must have length \
                   greater than or equal to 1";
    for (protocol, body, code) in
        [(JSON, r#"{"Tags":[""]}"#, "ValidationException"), (QUERY, "Tags.member.1=", "ValidationError")]
    {
        let fault = decode::<Input>(protocol, body.as_bytes()).err().expect("refused");
        assert_eq!(fault, Fault::sender(code, message));
    }
    for (protocol, body, code) in [(JSON, "{", "SerializationException"), (QUERY, "Tags=a", "MalformedInput")] {
        assert_eq!(decode::<Input>(protocol, body.as_bytes()).err().expect("refused").code, code);
    }
}

#[test]
fn an_output_is_encoded_in_either_protocol() {
    #[derive(Serialize)]
    struct Output {
        #[serde(rename = "Arn")]
        arn: &'static str,
    }
    for (protocol, expected) in [
        (JSON, r#"{"Arn":"a"}"#),
        (
            QUERY,
            "<OpResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><OpResult><Arn>a</Arn></OpResult>\
             <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></OpResponse>",
        ),
    ] {
        let body = encode_output(protocol, "Op", "id", &Output { arn: "a" }).expect("written");
        assert_eq!(String::from_utf8_lossy(&body), expected);
    }
    // A tuple has no place in XML.
    assert_eq!(encode_output(QUERY, "Op", "id", &(1, 2)).err().map(|fault| fault.code), Some("InternalFailure"));
}

#[test]
fn content_types_are_each_protocols_own() {
    assert_eq!(JSON.content_type(), "application/x-amz-json-1.1");
    assert_eq!(Protocol::json("1.0", "").content_type(), "application/x-amz-json-1.0");
    assert_eq!(QUERY.content_type(), "text/xml");
}

#[test]
fn common_faults_have_each_protocols_code_and_status() {
    let unknown = CommonFault::UnknownOperation { operation: "Fly".into(), version: "2010-05-08".into() };
    let denied = CommonFault::AccessDenied("User: a is not authorized".into());
    for (fault, json, query) in [
        (unknown, ("UnknownOperationException", 400), ("InvalidAction", 400)),
        (CommonFault::MissingAction, ("UnknownOperationException", 400), ("MissingAction", 400)),
        (denied, ("AccessDeniedException", 400), ("AccessDenied", 403)),
        (CommonFault::Throttling, ("ThrottlingException", 400), ("Throttling", 400)),
        (CommonFault::InternalFailure, ("InternalFailure", 500), ("InternalFailure", 500)),
        (CommonFault::ServiceUnavailable, ("ServiceUnavailableException", 503), ("ServiceUnavailable", 503)),
        (CommonFault::Serialization(String::new()), ("SerializationException", 400), ("MalformedInput", 400)),
        (CommonFault::RequestEntityTooLarge, ("RequestEntityTooLargeException", 413), ("RequestEntityTooLarge", 413)),
        (CommonFault::Validation(String::new()), ("ValidationException", 400), ("ValidationError", 400)),
    ] {
        let in_json = fault.clone().fault(JSON);
        assert_eq!((in_json.code, in_json.status), json);
        let in_query = fault.fault(QUERY);
        assert_eq!((in_query.code, in_query.status), query);
    }
}

#[test]
fn faults_are_encoded_in_either_protocol() {
    let fault = CommonFault::UnknownOperation { operation: "Fly".into(), version: "2010-05-08".into() };
    let body = encode_fault(JSON, "id", &fault.clone().fault(JSON));
    assert_eq!(body, br#"{"__type":"UnknownOperationException"}"#);
    let body = encode_fault(QUERY, "id", &fault.fault(QUERY));
    assert_eq!(
        String::from_utf8_lossy(&body),
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>InvalidAction</Code><Message>Could not find operation Fly for version 2010-05-08</Message></Error>\
         <RequestId>id</RequestId></ErrorResponse>"
    );
}

#[test]
fn a_query_service_answers_in_json_to_callers_who_ask_for_it() {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        users: Vec<User>,
        is_truncated: bool,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct User {
        user_name: &'static str,
        create_date: crate::Timestamp,
    }
    let Protocol::Query(query) = QUERY else { panic!("another protocol") };
    let json = Protocol::Query(Query { json: true, ..query });
    let user = User { user_name: "b\"ob", create_date: crate::Timestamp::from_millis(1_763_908_618_000) };
    let body = encode_output(json, "ListUsers", "id", &Output { users: vec![user], is_truncated: false });
    assert_eq!(
        String::from_utf8_lossy(&body.expect("written")),
        r#"{"ListUsersResponse":{"ListUsersResult":{"Users":[{"UserName":"b\"ob","CreateDate":1763908618.0}],"IsTruncated":false},"ResponseMetadata":{"RequestId":"id"}}}"#
    );
    let body = encode_output(json, "DeleteUser", "id", &()).expect("written");
    assert_eq!(String::from_utf8_lossy(&body), r#"{"DeleteUserResponse":{"ResponseMetadata":{"RequestId":"id"}}}"#);
    let body = encode_fault(json, "id", &Fault::sender("NoSuchEntity", "a \"b\""));
    assert_eq!(
        String::from_utf8_lossy(&body),
        r#"{"Error":{"Code":"NoSuchEntity","Message":"a \"b\"","Type":"Sender"},"RequestId":"id"}"#
    );
    assert_eq!(json.content_type(), "application/json");
}
