//! rpc-v2-cbor against two clients' own code: what botocore and the JavaScript SDK serialise is read, and botocore reads
//! our answers. The scripts beside the golden files made them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has to stop, saying why"
)]

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde::Serialize;
use serde_json::Value;
use wire::protocol::{Answering, Claim, Head, decode_request, encode, encode_output, route};
use wire::shape::Rule;
use wire::{Blob, Fault, Protocol, Timestamp, encode_fault};

const CBOR: Protocol = Protocol::cbor("Golden", "org.example");
const JSON: Protocol = Protocol::json("1.1", "Golden");

wire::text_enum! {
    enum Status { Active = "Active" }
}

wire::shape! {
    struct Tag {
        "Key" key: String, required, [];
        "Value" value: String, optional, [];
    }
}

wire::shape! {
    struct Input {
        "Name" name: String, optional, [];
        "Count" count: i32, optional, [Rule::Range(-5, i32::MAX as i64)];
        "Long" long: i64, optional, [];
        "Flag" flag: bool, optional, [];
        "Data" data: Blob, optional, [];
        "At" at: Timestamp, optional, [];
        "Status" status: Status, optional, [];
        "Tags" tags: Vec<Tag>, default, [];
        "Names" names: Vec<String>, default, [];
        "Context" context: BTreeMap<String, String>, default, [];
        "Owner" owner: Owner, optional, [];
    }
}

wire::shape! {
    struct Owner {
        "Key" key: String, optional, [];
    }
}

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a golden file")).expect("JSON")
}

fn bytes(hex: &Value) -> Vec<u8> {
    unhex(hex.as_str().expect("hexadecimal"))
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("a byte")).collect()
}

fn decode(body: &[u8]) -> Result<Input, Fault> {
    wire::decode(CBOR, body)
}

fn is_everything(input: &Input) {
    assert_eq!(input.name.as_deref(), Some("kü🔑"));
    assert_eq!((input.count, input.long, input.flag), (Some(-5), Some(5_000_000_000), Some(true)));
    assert_eq!(input.data, Some(Blob(vec![0, 1, 255])));
    assert_eq!(input.at, Some(Timestamp::from_millis(1_763_908_618_123)));
    assert_eq!(input.status, Some(Status::Active));
    let tags: Vec<_> = input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_deref())).collect();
    assert_eq!(tags, [("a", Some("1")), ("b", None)]);
    assert_eq!(input.names, ["x", ""]);
    assert_eq!(input.context, BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]));
    assert_eq!(input.owner.as_ref().and_then(|owner| owner.key.as_deref()), Some("o"));
}

#[test]
fn what_botocore_sends_is_claimed_and_read() {
    for (name, request) in golden("cbor_botocore")["requests"].as_object().expect("requests") {
        let mut headers = HeaderMap::new();
        for (name, value) in request["headers"].as_object().expect("headers") {
            let name = HeaderName::try_from(name.as_str()).expect("a name");
            headers.insert(name, HeaderValue::from_str(value.as_str().expect("a text")).expect("a value"));
        }
        let uri = Uri::try_from(request["path"].as_str().expect("a path")).expect("a path");
        let head =
            Head { method: &Method::POST, uri: &uri, headers: &headers, scope: Some("golden"), host_label: None };
        let services: [(_, _, &[Protocol]); 2] = [("other", "golden", &[JSON]), ("golden", "golden", &[CBOR, JSON])];
        let routed = route(services, &head).expect("claimed");
        assert_eq!((routed.service, routed.protocol, &routed.claim), ("golden", CBOR, &Claim::Operation("Op")));
        let input: Input = decode_request(CBOR, &head, &routed.claim, &bytes(&request["body"])).expect(name);
        match name.as_str() {
            "everything" => is_everything(&input),
            "extremes" => {
                assert_eq!((input.count, input.long), (Some(i32::MAX), Some(i64::MIN)));
                assert_eq!(input.name.map(|name| name.len()), Some(300));
                assert_eq!(input.at, Some(Timestamp::from_millis(1_763_908_618_000)));
            }
            _ => assert!(input.name.is_none() && input.tags.is_empty()),
        }
    }
}

#[test]
fn what_the_javascript_sdk_sends_is_read() {
    let golden = golden("cbor_smithy");
    is_everything(&decode(&bytes(&golden["everything"])).expect("everything"));
    assert!(decode(&bytes(&golden["nothing"])).expect("nothing").name.is_none());
    let nulls = decode(&bytes(&golden["nulls"])).expect("nulls");
    assert!(nulls.name.is_none() && nulls.tags.is_empty());
}

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Output {
    name: Option<&'static str>,
    count: Option<i32>,
    long: Option<i64>,
    flag: Option<bool>,
    data: Option<Blob>,
    at: Option<Timestamp>,
    status: Option<Status>,
    tags: Option<Vec<OutputTag>>,
    names: Option<Vec<&'static str>>,
    context: Option<BTreeMap<&'static str, &'static str>>,
    owner: Option<OutputTag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutputTag {
    key: &'static str,
    value: Option<&'static str>,
}

#[test]
fn botocore_reads_what_is_answered() {
    let golden = golden("cbor_botocore");
    let answers = &golden["answers"];
    let output = Output {
        name: Some("kü🔑"),
        count: Some(-5),
        long: Some(5_000_000_000),
        flag: Some(true),
        data: Some(Blob(vec![0, 1, 255])),
        at: Some(Timestamp::from_millis(1_763_908_618_123)),
        status: Some(Status::Active),
        tags: Some(vec![OutputTag { key: "a", value: Some("1") }]),
        names: Some(vec!["x", ""]),
        context: Some(BTreeMap::from([("a", "1"), ("b", "2")])),
        owner: Some(OutputTag { key: "o", value: None }),
    };
    let answering = Answering { operation: "Op", request_id: "id", members: &[], status: 200 };
    let answer = encode(CBOR, answering, &output).expect("written");
    assert_eq!((answer.status, answer.body), (200, bytes(&answers["everything"]["body"])));
    let read = &answers["everything"]["read"];
    assert_eq!(read["At"], 1_763_908_618_123_i64);
    assert_eq!(
        (&read["Name"], &read["Data"], &read["Tags"][0]["Value"]),
        (&"kü🔑".into(), &"0001ff".into(), &"1".into())
    );
    assert_eq!(encode_output(CBOR, "Op", "id", &()).expect("written"), bytes(&answers["nothing"]["body"]));
    assert_eq!(encode_output(CBOR, "Op", "id", &Output::default()).expect("written"), [0xbf, 0xff]);
    let fault = encode_fault(CBOR, "id", &Fault::sender("Refused", "cant"));
    assert_eq!(fault, bytes(&answers["refused"]["body"]));
    assert_eq!(answers["refused"]["read"]["Error"]["Code"], "Refused");
    assert_eq!(answers["refused"]["read"]["Error"]["Message"], "cant");
    assert_eq!((CBOR.content_type(), CBOR.headers().len()), ("application/cbor", 1));
}

#[test]
fn values_in_pieces_of_any_width_are_read() {
    let read = |hex: &str| decode(&unhex(hex)).unwrap_or_else(|fault| panic!("{hex}: {fault:?}"));
    // {_ "Name": (_ "a", "", "bc"), "Data": (_ h'00', h'', h'01ff'), "Names": [_ "x"], "Context": {_ (_ "a"): "b"}}
    let input = read("bf644e616d657f61616062626 3ff64446174615f41004042 01ffff654e616d65739f6178ff67436f6e74657874bf7f6161ff6162ffff".replace(' ', "").as_str());
    assert_eq!((input.name.as_deref(), input.data), (Some("abc"), Some(Blob(vec![0, 1, 255]))));
    assert_eq!((input.names, input.context.len()), (vec!["x".to_owned()], 1));
    for (hex, millis) in [
        ("a1624174c100", 0),
        ("a1624174c120", -1000),
        ("a1624174c11a69231c0a", 1_763_908_618_000),
        ("a1624174c1fb3ff8000000000000", 1500),
        ("a1624174c1fa3fc00000", 1500),
        ("a1624174c1f93e00", 1500),
        ("a1624174c1f9be00", -1500),
        ("a1624174c1f90001", 0),
        ("a1624174d90001fa3fc00000", 1500),
    ] {
        assert_eq!(read(hex).at, Some(Timestamp::from_millis(millis)), "{hex}");
    }
    // Numbers may be wider than need be.
    assert_eq!(read("a165436f756e741b0000000000000007").count, Some(7));
    assert!(read("").name.is_none());
}

#[test]
fn what_is_malformed_or_of_another_type_is_a_serialization_fault() {
    for (hex, message) in [
        ("a1644e616d6505", "NUMBER_VALUE can not be converted to a String"),
        ("a1644e616d6541 00", "BYTES_VALUE can not be converted to a String"),
        ("a1644e616d65f5", "TRUE_VALUE can not be converted to a String"),
        ("a1644e616d6580", "Start of list found where not expected"),
        ("a1644e616d65a0", "Start of structure or map found where not expected."),
        ("a1644e616d65c100", "TAGGED_VALUE can not be converted to a String"),
        ("a16444617461623041", "only base-64-encoded strings are convertible to bytes"),
        ("a165436f756e741a80000000", "NUMBER_VALUE can not be converted to an Integer"),
        ("a165436f756e74f93e00", "DECIMAL_VALUE can not be converted to an Integer"),
        ("a1644c6f6e671bffffffffffffffff", "NUMBER_VALUE can not be converted to a Long"),
        ("a1644c6f6e673bffffffffffffffff", "NUMBER_VALUE can not be converted to a Long"),
        ("a16241741a69231c0a", "NUMBER_VALUE can not be converted to a Timestamp"),
        ("a1624174c074323032352d31312d32335431343a33363a35385a", "TAGGED_VALUE can not be converted to a Timestamp"),
        ("a1624174c1f97e00", "DECIMAL_VALUE can not be converted to a Timestamp"),
        ("a1624174c16161", "STRING_VALUE can not be converted to a Timestamp"),
        ("a2644e616d656161644e616d656162", "duplicate field `Name`"),
        ("a1654e616d657381f6", "NULL_VALUE can not be converted to a String"),
        ("80", "Start of list found where not expected"),
        ("f6", "Expected null"),
        // What is not CBOR, or not the protocol's, has no message.
        ("a1", ""),
        ("a10500", ""),
        ("a1644e616d6562c328", ""),
        ("a1644e616d65ff", ""),
        ("a000", ""),
        ("bf644e616d656161", ""),
        ("a1654e616d6573 9bffffffffffffffff6161", ""),
        ("a1644e616d657bffffffffffffffff61", ""),
        ("a164446174615bffffffffffffffff61", ""),
        ("bbffffffffffffffff", ""),
        ("a1644e616d657f4161ff", ""),
        ("a1644e616d657f7f6161ffff", ""),
        ("a16141ff", ""),
        ("a161411c", ""),
        ("a16141fc", ""),
    ] {
        let fault = decode(&unhex(&hex.replace(' ', ""))).err().unwrap_or_else(|| panic!("{hex} was accepted"));
        assert_eq!((fault.code, fault.message.as_str()), ("SerializationException", message), "{hex}");
    }
    let nested = |open: &[u8], count: usize| [b"\xa1\x61A".as_slice(), &open.repeat(count), b"\x00"].concat();
    for open in [&b"\x81"[..], b"\xa1\x61a", b"\xc1"] {
        assert!(decode(&nested(open, 50)).is_ok(), "an unknown member is skipped");
        assert!(decode(&nested(open, 100_000)).is_err(), "but not at every depth");
    }
    let fault = decode(&unhex("a165436f756e7425")).err().expect("out of range");
    assert_eq!(fault.code, "ValidationException");
}
