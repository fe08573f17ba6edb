//! awsJson: what is accepted, what is refused in which words, what answers look like.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::protocol::{Protocol, encode_fault, encode_output};
use crate::shape::{Member, Rule, Shape as _};
use crate::{Blob, Fault, SecretBlob, Timestamp};

const JSON: Protocol = Protocol::json("1.1", "");

crate::text_enum! {
    enum Spec { Aes = "AES_256" }
}

crate::shape! {
    struct Tag {
        "TagKey" key: String, required, [];
        "TagValue" value: String, required, [];
    }
}

crate::shape! {
    struct Input {
        "KeyId" key_id: String, optional, [];
        "Number" number: i32, optional, [];
        "Long" long: i64, optional, [];
        "DryRun" dry_run: bool, optional, [];
        "Blob" blob: Blob, optional, [];
        "At" at: Timestamp, optional, [];
        "Spec" spec: Spec, optional, [];
        "Tags" tags: Vec<Tag>, default, [];
        "Names" names: Vec<String>, default, [Rule::Length(0, 10)];
        "Context" context: BTreeMap<String, String>, default, [];
    }
}

fn decoded(body: impl AsRef<[u8]>) -> Result<<Input as Member>::Wire, Fault> {
    let read = |body| {
        let mut reader = crate::Reader::new(crate::reader::Source::Json(Reader::new(body)?));
        let wire = Input::read(&mut reader, 0)?;
        reader.finish().map(|()| wire)
    };
    read(body.as_ref()).map_err(|error: crate::Malformed| Fault::sender("SerializationException", error.into_message()))
}

fn accepted(body: &str) -> Input {
    Input::accept(decoded(body).expect("decoded")).expect("accepted")
}

#[test]
fn what_stands_in_the_wrong_place_is_named_as_aws_names_it() {
    for (body, message) in [
        (r#"{"KeyId":5}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"KeyId":5.5}"#, "DECIMAL_VALUE can not be converted to a String"),
        (r#"{"KeyId":true}"#, "TRUE_VALUE can not be converted to a String"),
        (r#"{"KeyId":false}"#, "FALSE_VALUE can not be converted to a String"),
        (r#"{"KeyId":[]}"#, "Start of list found where not expected"),
        (r#"{"KeyId":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"Spec":1}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"Number":"5"}"#, "STRING_VALUE can not be converted to an Integer"),
        (r#"{"Number":true}"#, "TRUE_VALUE can not be converted to an Integer"),
        (r#"{"Number":2147483648}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"Number":1.5}"#, "DECIMAL_VALUE can not be converted to an Integer"),
        (r#"{"Number":{"a":[]}}"#, "Start of structure or map found where not expected."),
        (r#"{"Long":"5"}"#, "STRING_VALUE can not be converted to a Long"),
        (r#"{"Long":18446744073709551615}"#, "NUMBER_VALUE can not be converted to a Long"),
        (r#"{"DryRun":"true"}"#, "STRING_VALUE can not be converted to a Boolean"),
        (r#"{"DryRun":1}"#, "NUMBER_VALUE can not be converted to a Boolean"),
        (r#"{"Blob":1}"#, "only base-64-encoded strings are convertible to bytes"),
        (r#"{"Blob":"=+/="}"#, "only base-64-encoded strings are convertible to bytes"),
        (r#"{"Blob":[1]}"#, "Start of list found where not expected"),
        (r#"{"At":"yesterday"}"#, "STRING_VALUE can not be converted to a Timestamp"),
        (r#"{"Tags":"a"}"#, "Expected list or null"),
        (r#"{"Tags":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"Tags":["a"]}"#, "Expected null"),
        (r#"{"Tags":[["k","v"]]}"#, "Start of list found where not expected"),
        (r#"{"Tags":[{"TagKey":1}]}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"Names":[null]}"#, "NULL_VALUE can not be converted to a String"),
        (r#"{"Context":[]}"#, "Start of list found where not expected"),
        (r#"{"Context":"a"}"#, "Expected null"),
        (r#"{"Context":{"a":1}}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"KeyId":"a","KeyId":"b"}"#, "duplicate field `KeyId`"),
        ("[]", "Start of list found where not expected"),
        (r#"["a"]"#, "Start of list found where not expected"),
        ("1", "Expected null"),
        ("null", "Expected null"),
        // What is not JSON at all has no message.
        ("{", ""),
        ("nonsense", ""),
        (r#"{"KeyId":"a"} x"#, ""),
        (r#"{"KeyId":"\ud800"}"#, ""),
        (r#"{"KeyId":"a",}"#, ""),
    ] {
        let fault = decoded(body).err().unwrap_or_else(|| panic!("{body} was accepted"));
        assert_eq!(
            (fault.code, fault.status, fault.message.as_str()),
            ("SerializationException", 400, message),
            "{body}"
        );
    }
    let fault = decoded(b"{\"KeyId\":\"\xff\"}").err().expect("not UTF-8");
    assert_eq!(fault.message, "");
}

#[test]
fn an_input_is_decoded_with_its_unknown_members_ignored() {
    for body in ["", "{}", r#"{"KeyId":null,"Tags":null,"Other":{"a":[1,{"b":null}]}}"#] {
        let input = accepted(body);
        assert!(input.key_id.is_none() && input.tags.is_empty());
    }
    let input = accepted(
        r#"{"KeyId":"k\u00fc\/","Number":-5,"Long":5000000000,"DryRun":true,"Blob":"AAE=","At":1763908618.123,
            "Spec":"AES_256","Tags":[{"TagKey":"k","TagValue":"v"}],"Names":["a","b"],"Context":{"x":"y"}}"#,
    );
    assert_eq!(input.key_id.as_deref(), Some("kü/"));
    assert_eq!((input.number, input.long, input.dry_run), (Some(-5), Some(5_000_000_000), Some(true)));
    assert_eq!(input.blob, Some(Blob(vec![0, 1])));
    assert_eq!(input.at, Some(Timestamp::from_millis(1_763_908_618_123)));
    assert_eq!(input.names, ["a", "b"]);
    assert_eq!(input.context, BTreeMap::from([("x".to_owned(), "y".to_owned())]));
    assert_eq!(input.tags.len(), 1);
    assert_eq!(input.spec, Some(Spec::Aes));
    assert_eq!(accepted(r#"{"At":5}"#).at, Some(Timestamp::from_millis(5000)));
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = format!(r#"{{"Tags":{}1{}}}"#, open.repeat(100_000), close.repeat(100_000));
        assert!(decoded(&nested).is_err());
        // What is ignored is skipped without recursion.
        let ignored = format!(r#"{{"Other":{}1{}}}"#, open.repeat(100_000), close.repeat(100_000));
        let _ = decoded(&ignored);
    }
}

#[test]
fn answers_are_written_as_aws_writes_them() {
    #[derive(Serialize)]
    struct Output {
        #[serde(rename = "Plaintext")]
        plaintext: SecretBlob,
        #[serde(rename = "KeyId")]
        key_id: &'static str,
    }
    let output = Output { plaintext: SecretBlob(vec![0; 32].into()), key_id: "arn" };
    assert_eq!(
        encode(&output).expect("written"),
        br#"{"Plaintext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","KeyId":"arn"}"#
    );
    assert_eq!(encode_output(JSON, "Op", "id", &()).expect("written"), b"");
    let fault = Fault::sender("NotFoundException", "Invalid keyId '\"'");
    assert_eq!(encode_fault(JSON, "id", &fault), br#"{"__type":"NotFoundException","message":"Invalid keyId '\"'"}"#);
    let fault = Fault::sender("InvalidCiphertextException", "");
    assert_eq!(encode_fault(JSON, "id", &fault), br#"{"__type":"InvalidCiphertextException"}"#);
}

#[test]
fn every_form_of_an_output_is_written_as_serde_json_writes_it_without_what_is_absent() {
    #[derive(Serialize)]
    struct Wrapped(u8);
    #[derive(Serialize)]
    enum Choice {
        Plain,
        Holding(Wrapped),
    }
    #[derive(Serialize)]
    struct Inner {
        #[serde(skip_serializing_if = "Option::is_none")]
        absent_first: Option<u8>,
        texts: Vec<&'static str>,
        something: Option<i64>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        blob: Blob,
        empty: Blob,
        at: Timestamp,
        yes: bool,
        least: i64,
        most: u64,
        third: f64,
        letter: char,
        pair: (u8, &'static str),
        choices: [Choice; 2],
        inner: Vec<Inner>,
        none: Vec<Inner>,
        map: BTreeMap<String, Vec<Choice>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        skipped: Option<u8>,
        any: serde_json::Value,
    }
    let output = Output {
        blob: Blob((0..=255).collect()),
        empty: Blob(Vec::new()),
        at: Timestamp::from_millis(1_763_908_618_123),
        yes: true,
        least: i64::MIN,
        most: u64::MAX,
        third: 1.0 / 3.0,
        letter: '"',
        pair: (1, "two"),
        choices: [Choice::Plain, Choice::Holding(Wrapped(7))],
        inner: vec![Inner {
            absent_first: None,
            texts: vec!["", "a\"b\\", "\u{0}\u{1f}\u{7f}é\u{1F511}"],
            something: Some(-1),
        }],
        none: Vec::new(),
        map: BTreeMap::from([("\n".to_owned(), vec![Choice::Plain]), ("b".to_owned(), Vec::new())]),
        skipped: None,
        any: serde_json::json!({"a": [1, null, {"b": -0.5}], "c": {}}),
    };
    let written = encode(&output).expect("written");
    assert_eq!(String::from_utf8_lossy(&written), serde_json::to_string(&output).expect("written"));
    assert!(encode(&BTreeMap::from([(1, 2)])).is_err(), "a number is no name");
}

#[test]
fn an_absent_member_leaves_no_trace() {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        first: Option<u8>,
        text: &'static str,
        unit: (),
        inner: Option<Box<Self>>,
        map: BTreeMap<&'static str, Option<u8>>,
        list: [Option<u8>; 2],
        last: Option<u8>,
    }
    let output = |inner: Option<Output>, text| Output {
        first: None,
        text,
        unit: (),
        inner: inner.map(Box::new),
        map: BTreeMap::from([("null", None)]),
        list: [None, Some(1)],
        last: None,
    };
    let written = encode(&output(Some(output(None, "")), "null")).expect("written");
    let expected = r#"{"Text":"null","Inner":{"Text":"","Map":{"null":null},"List":[null,1]},"Map":{"null":null},"List":[null,1]}"#;
    assert_eq!(String::from_utf8_lossy(&written), expected);

    #[derive(Serialize)]
    struct Nothing {
        one: Option<u8>,
        two: Option<u8>,
    }
    assert_eq!(encode(&Nothing { one: None, two: None }).expect("written"), b"{}");
}

proptest! {
    #[test]
    fn a_text_is_written_as_serde_json_writes_it(text in "[ -~\\x00-\\x1f\"\\\\é🔑]{0,40}") {
        let expected = serde_json::to_string(&text).expect("written");
        prop_assert_eq!(is_plain(&text), expected == format!("\"{text}\""));
        prop_assert_eq!(encode(&text).expect("written"), expected.as_bytes());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(fault) = decoded(&body) {
            prop_assert_eq!(fault.code, "SerializationException");
        }
    }

    #[test]
    fn no_json_makes_the_decoder_panic(
        body in r#"\{("(KeyId|Number|Blob|At|Tags|Names|Context|a)":(1|-5e9|"a"|null|true|\[("a"|1|\{\}|null)\]|\{"a":"b"\}),?){0,4}\}"#,
    ) {
        if let Err(fault) = decoded(&body) {
            prop_assert!(!fault.message.contains("line"), "{}", fault.message);
        }
    }
}
