//! Query's answers in XML: AWS's own layout, and every text read back as it was written.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::Serialize;

use crate::encode::xml::legal;
use crate::protocol::{Protocol, encode_fault, encode_output};
use crate::{Blob, Fault, SecretBlob, Timestamp};

const QUERY: Protocol = Protocol::query("https://iam.amazonaws.com/doc/2010-05-08/");

crate::text_enum! {
    enum Status { Active = "Active" }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct User {
    path: String,
    password_last_used: Option<Timestamp>,
    create_date: Option<Timestamp>,
    tags: Vec<Tag>,
    summary: BTreeMap<String, i32>,
    is_truncated: bool,
    status: Option<Status>,
    blob: Option<Blob>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<T> {
    user: T,
}

fn written<T: Serialize>(output: &T) -> String {
    String::from_utf8(encode_output(QUERY, "GetUser", "id", output).expect("written")).expect("UTF-8")
}

#[test]
fn an_output_stands_in_its_result_element() {
    let user = User {
        path: "/<a>&\"'/".into(),
        create_date: Some(Timestamp::from_millis(1_763_908_618_123)),
        tags: vec![Tag { key: "k".into(), value: String::new() }, Tag { key: "l".into(), value: "ü".into() }],
        summary: BTreeMap::from([("Users".to_owned(), 27), ("Groups".to_owned(), -1)]),
        is_truncated: true,
        status: Some(Status::Active),
        blob: Some(Blob(vec![0, 1])),
        ..User::default()
    };
    assert_eq!(
        written(&Output { user }),
        "<GetUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetUserResult><User>\
         <Path>/&lt;a&gt;&amp;&quot;&apos;/</Path><CreateDate>2025-11-23T14:36:58Z</CreateDate>\
         <Tags><member><Key>k</Key><Value></Value></member><member><Key>l</Key><Value>ü</Value></member></Tags>\
         <Summary><entry><key>Groups</key><value>-1</value></entry><entry><key>Users</key><value>27</value></entry>\
         </Summary><IsTruncated>true</IsTruncated><Status>Active</Status><Blob>AAE=</Blob></User></GetUserResult>\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetUserResponse>"
    );
    let empty = written(&Output { user: User::default() });
    assert!(empty.contains("<Tags></Tags><Summary></Summary><IsTruncated>false</IsTruncated></User>"), "{empty}");
    let secret = written(&Output { user: SecretBlob(vec![255; 3].into()) });
    assert!(secret.contains("<User>////</User>"), "{secret}");
}

#[test]
fn an_operation_without_output_has_no_result_element() {
    assert_eq!(
        written(&()),
        "<GetUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata>\
         <RequestId>id</RequestId></ResponseMetadata></GetUserResponse>"
    );
}

#[test]
fn a_fault_says_whose_it_is() {
    let fault = Fault::sender("ValidationError", "Value '<' at 'userName'");
    assert_eq!(
        String::from_utf8(encode_fault(QUERY, "id", &fault)).expect("UTF-8"),
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>ValidationError</Code><Message>Value &apos;&lt;&apos; at &apos;userName&apos;</Message></Error>\
         <RequestId>id</RequestId></ErrorResponse>"
    );
    let fault = Fault::new("InternalFailure", 500, "");
    assert!(String::from_utf8_lossy(&encode_fault(QUERY, "id", &fault)).contains("<Type>Receiver</Type>"));
}

#[test]
fn forms_that_xml_has_no_place_for_are_refused() {
    #[derive(Serialize)]
    enum Choice {
        Value(i32),
    }
    assert!(encode_output(QUERY, "A", "id", &Output { user: Choice::Value(1) }).is_err());
    assert!(encode_output(QUERY, "A", "id", &Output { user: (1, 2) }).is_err());
}

/// The texts of the document's elements, in order, by name.
fn texts(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    let mut open: Vec<(String, String)> = Vec::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => open.push((start.name().as_ref().to_owned(), String::new())),
            Event::End(_) => found.push(open.pop().expect("an open element")),
            Event::Text(text) => open.last_mut().expect("an open element").1.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let escaped = format!("&{};", entity.xml10_content());
                open.last_mut()
                    .expect("an open element")
                    .1
                    .push_str(&quick_xml::escape::unescape(&escaped).expect("an entity"));
            }
            Event::Eof => return found,
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn every_text_is_read_back_as_it_was_written(
        path in any::<String>(),
        tags in prop::collection::vec((any::<String>(), "[ \t\r\n<>&'\"\u{0}-\u{1f}]{0,8}"), 0..4),
    ) {
        let expected: Vec<String> = std::iter::once(&path)
            .chain(tags.iter().flat_map(|(key, value)| [key, value]))
            .map(|text| legal(text).into_owned())
            .collect();
        let tags = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
        let xml = written(&Output { user: User { path, tags, ..User::default() } });
        let read: Vec<String> = texts(&xml)
            .into_iter()
            .filter(|(name, _)| ["Path", "Key", "Value"].contains(&name.as_str()))
            .map(|(_, text)| text)
            .collect();
        prop_assert_eq!(read, expected);
    }
}
