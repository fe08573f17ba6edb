//! Bodies made to cost much: what decoding, checking and recording one takes is bounded by its length.
//!
//! The only test of its binary: it counts what the whole process allocates.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use wire::shape::{Audited, Rule, VIOLATIONS_MAX};
use wire::{Blob, Protocol, SecretBlob, Timestamp};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

wire::text_enum! {
    enum Grantable { Decrypt = "Decrypt", Encrypt = "Encrypt", Generate = "GenerateDataKey" }
}

wire::shape! {
    struct Tag {
        "Key" key: String, required, [Rule::Length(1, 128), Rule::Pattern(r"[\w+=,.@-]+")];
        "Value" value: String, required, [Rule::Length(0, 256)];
    }
}

wire::shape! {
    struct ContextEntry {
        "ContextKeyName" name: String, required, [Rule::Length(5, 256)];
        "ContextKeyValues" values: Vec<String>, default, [];
    }
}

wire::shape! {
    /// Every kind of member that the services have.
    struct Input {
        "KeyId" key_id: String, optional, [Rule::Length(1, 2048)];
        "PolicyDocument" document: String, optional,
            [Rule::Length(1, 131_072), Rule::Pattern(r"[\u0009\u000A\u000D\u0020-\u00FF]+")];
        "Path" path: String, optional,
            [Rule::Length(1, 512), Rule::Pattern(r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)")];
        "Description" description: String, optional, [];
        "Plaintext" plaintext: SecretBlob, optional, [Rule::Length(1, 4096)];
        "Ciphertext" ciphertext: Blob, optional, [];
        "At" at: Timestamp, optional, [];
        "Number" number: i32, optional, [Rule::Range(1, 1000)];
        "Tags" tags: Vec<Tag>, default, [];
        "FewTags" few_tags: Vec<Tag>, default, [Rule::Length(0, 50)];
        "Operations" operations: Vec<Grantable>, default, [];
        "PolicyArns" policy_arns: Vec<String>, default, [Rule::Each(&[Rule::Length(20, 2048)])];
        "ContextEntries" context_entries: Vec<ContextEntry>, default, [];
        "EncryptionContext" context: BTreeMap<String, String>, default, [];
    }
}

const MIB: usize = 1 << 20;

/// Memory in bytes that any body may take, beside four times its length.
const ALLOWANCE: usize = 64 * 1024;

const JSON: Protocol = Protocol::json("1.1", "");
const QUERY: Protocol = Protocol::query("");
const CBOR: Protocol = Protocol::cbor("", "");
const REST: Protocol = Protocol::rest_xml("", &[]);

/// `{before}{element},{element},…{after}` of about so many bytes.
fn filled(bytes: usize, before: &str, element: &str, after: &str) -> String {
    let count = bytes.saturating_sub(before.len() + after.len()) / (element.len() + 1);
    format!("{before}{}{after}", vec![element; count].join(","))
}

/// The parameters that `parameter` makes of 1, 2, 3 and so on, in about so many bytes.
fn numbered(bytes: usize, parameter: impl Fn(usize) -> String) -> String {
    let mut form = String::from("Action=A");
    for number in 1.. {
        let parameter = parameter(number);
        if form.len() + parameter.len() >= bytes {
            break;
        }
        form.push('&');
        form.push_str(&parameter);
    }
    form
}

/// Bodies of about so many bytes, each with a name.
fn bodies(bytes: usize) -> Vec<(&'static str, Protocol, Vec<u8>)> {
    let json = |name, body: String| (name, JSON, body.into_bytes());
    let query = |name, body: String| (name, QUERY, body.into_bytes());
    let list = |name, member: &str, element: &str| {
        json(name, filled(bytes, &format!(r#"{{"KeyId":"x","{member}":["#), element, "]}"))
    };
    let text = |name, member: &str, part: &str| {
        let body = part.repeat((bytes - 40) / part.len());
        json(name, format!(r#"{{"KeyId":"x","{member}":"{body}"}}"#))
    };
    let nested = (bytes - 40) / 2;
    // A map of one member whose value begins so and goes on with this part again and again.
    let cbor = |name, member: &str, value: &[u8], part: &[u8]| {
        let mut body = vec![0xbf, 0x78, u8::try_from(member.len()).unwrap_or_default()];
        body.extend_from_slice(member.as_bytes());
        body.extend_from_slice(value);
        let count = (bytes - body.len() - 4) / part.len();
        body.extend_from_slice(&part.repeat(count));
        body.extend_from_slice(b"\xff\xff");
        (name, CBOR, body)
    };
    let xml = |name, before: &str, part: &str, after: &str| {
        let count = (bytes - before.len() - after.len() - 20) / part.len();
        (name, REST, format!("<Input>{before}{}{after}</Input>", part.repeat(count)).into_bytes())
    };
    let mut all = vec![
        cbor("CBOR lists in lists", "a", b"", b"\x81"),
        cbor("CBOR lists in lists that have no end", "a", b"", b"\x9f"),
        cbor("CBOR maps in maps that have no end", "a", b"", b"\xbf\x60"),
        cbor("CBOR tags of tags", "a", b"", b"\xc1"),
        cbor("a CBOR list in a list that is known", "Tags", b"", b"\x81"),
        cbor("a CBOR list that claims to be long", "Tags", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", b"\xa0"),
        cbor(
            "a CBOR map that claims to be long",
            "EncryptionContext",
            b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x60\x60",
        ),
        cbor("CBOR bytes that claim to be long", "Plaintext", b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", b"a"),
        cbor("CBOR bytes in empty pieces", "Plaintext", b"\x5f", b"\x40"),
        cbor("CBOR bytes in pieces", "Ciphertext", b"\x5f", b"\x41a"),
        cbor("a CBOR text in empty pieces", "Description", b"\x7f", b"\x60"),
        cbor("a CBOR text in pieces", "Description", b"\x7f", b"\x61a"),
        cbor("CBOR texts", "PolicyArns", b"\x9f", b"\x60"),
        cbor("empty CBOR structures", "Tags", b"\x9f", b"\xa0"),
        cbor("CBOR nulls in a list", "Tags", b"\x9f", b"\xf6"),
        cbor("one key of a CBOR map again and again", "EncryptionContext", b"\xbf", b"\x60\x60"),
        cbor("unknown CBOR members", "a", b"\x00", b"\x60\x00"),
        cbor("unknown texts of CBOR in pieces", "a", b"\x7f", b"\x60"),
        xml("elements in elements", "", "<a>", ""),
        xml("elements in a text", "<Description>", "<a>", ""),
        xml("unknown elements", "", "<a/>", ""),
        xml("unknown elements in elements", "", "<a><b>c</b></a>", ""),
        xml("empty structures in XML", "<Tags>", "<member/>", "</Tags>"),
        xml("tags in XML", "<Tags>", "<member><Key>k</Key><Value/></member>", "</Tags>"),
        xml("texts in XML", "<PolicyArns>", "<member>a</member>", "</PolicyArns>"),
        xml("entries in XML", "<EncryptionContext>", "<entry><key/><value/></entry>", "</EncryptionContext>"),
        xml("attributes", "<a ", "b='' ", "/>"),
        xml("attributes without values", "<a ", "b ", "/>"),
        xml("one long name", "<", "a", ">"),
        xml("a text in XML", "<Description>", "a", "</Description>"),
        xml("references in XML", "<Description>", "&amp;", "</Description>"),
        xml("references without an end", "<Description>", "&amp", "</Description>"),
        xml("characters by number", "<Description>", "&#x1F600;", "</Description>"),
        xml("line ends", "<Description>", "\r\n", "</Description>"),
        xml("pieces of literal text", "<Description>", "<![CDATA[a]]>", "</Description>"),
        xml("literal text without an end", "<Description><![CDATA[", "]]", "</Description>"),
        xml("comments", "", "<!---->", ""),
        xml("comments in a text", "<Description>a", "<!---->b", "</Description>"),
        xml("a comment without an end", "<!--", "-", ""),
        xml("a document type of entities", "<!DOCTYPE a [", "<!ENTITY a \"aaaa\">", "]>"),
        xml("base64 in XML", "<Ciphertext>", "AAAA", "</Ciphertext>"),
        xml("white space in XML", "", " ", ""),
        list("empty structures", "Tags", "{}"),
        list("empty structures in a short list", "FewTags", "{}"),
        list("tags", "Tags", r#"{"Key":"k","Value":"v"}"#),
        list("tags that break every rule", "Tags", r#"{"Key":"","Value":null}"#),
        list("unknown operations", "Operations", r#""""#),
        list("long unknown operations", "Operations", &format!(r#""{}""#, "a".repeat(1000))),
        list("short texts", "PolicyArns", r#""a""#),
        list("long texts", "PolicyArns", &format!(r#""{}""#, "a".repeat(2049))),
        list("nothing", "Tags", "null"),
        list("lists in structures", "ContextEntries", r#"{"ContextKeyName":"aaaaa"}"#),
        json("many members", filled(bytes, r#"{"KeyId":"x","#, r#""a":1"#, "}")),
        json("one member again and again", filled(bytes, "{", r#""Number":1"#, "}")),
        json("one key of a map again and again", filled(bytes, r#"{"EncryptionContext":{"#, r#""a":"""#, "}}")),
        json("nested lists", format!(r#"{{"Tags":{}{}}}"#, "[".repeat(nested), "]".repeat(nested))),
        json("nested lists that are ignored", format!(r#"{{"a":{}{}}}"#, "[".repeat(nested), "]".repeat(nested))),
        json("lists without an end", "[".repeat(bytes)),
        json("structures without an end", r#"{"ContextEntries":[{"ContextKeyValues":["#.repeat(bytes / 40)),
        json("digits", format!(r#"{{"Number":{}}}"#, "9".repeat(bytes - 20))),
        json("a digit after the other", format!(r#"{{"At":0.{}}}"#, "9".repeat(bytes - 20))),
        json("white space", format!(r#"{}{{"KeyId":"x"}}"#, " ".repeat(bytes - 20))),
        text("a long text", "Description", "a"),
        text("escapes", "Description", r"\u0001"),
        text("tabs", "Description", r"\t"),
        text("quotes", "Description", r#"\""#),
        text("one escape and much else", "Description", &format!("\\n{}", "a".repeat(bytes - 100))),
        text("a long text that has to match", "PolicyDocument", "a"),
        text("a long path", "Path", "/a/"),
        text("emoji that have to match", "PolicyDocument", "\u{1f600}"),
        text("base64", "Ciphertext", "AAAA"),
        text("base64 that is secret", "Plaintext", "AAAA"),
        text("what is not base64", "Ciphertext", "!"),
        query("ampersands", "&".repeat(bytes)),
        query("empty names", "=&".repeat(bytes / 2)),
        query("parameters", numbered(bytes, |n| format!("a{n}"))),
        query("tags", numbered(bytes, |n| format!("Tags.member.{n}.Key=k&Tags.member.{n}.Value=v"))),
        query("half tags", numbered(bytes, |n| format!("Tags.member.{n}.Key="))),
        query("texts", numbered(bytes, |n| format!("PolicyArns.member.{n}=a"))),
        query("escaped texts", numbered(bytes, |n| format!("PolicyArns.member.{n}=%61%62"))),
        query(
            "entries",
            numbered(bytes, |n| format!("EncryptionContext.entry.{n}.key={n}&EncryptionContext.entry.{n}.value=")),
        ),
        query(
            "lists in structures",
            numbered(bytes, |n| format!("ContextEntries.member.1.ContextKeyValues.member.{n}=a")),
        ),
        query("long names that begin alike", numbered(bytes, |n| format!("{}{n}=", "a".repeat(bytes / 2500)))),
        query("deep names", numbered(bytes, |n| format!("{}{n}=", "Tags.".repeat(30)))),
        query("too deep names", "a.".repeat(bytes / 2)),
        query("one name again and again", "KeyId=x&".repeat(bytes / 8)),
        query("one long value", format!("Description={}", "a".repeat(bytes - 20))),
        query("one long value with a space", format!("Description=+{}", "a".repeat(bytes - 20))),
        query("spaces", format!("Description={}", "+".repeat(bytes - 20))),
        query("escapes", format!("Description={}", "%09".repeat((bytes - 20) / 3))),
        query("a document of tabs", format!("PolicyDocument={}", "\t".repeat(bytes.min(131_000)))),
        query("broken escapes", format!("Description={}", "%".repeat(bytes - 20))),
        query("what is not UTF-8", format!("Description={}", "%FF".repeat((bytes - 20) / 3))),
    ];
    let pairs: Vec<_> = (0..bytes / 14).map(|n| format!(r#""{n}":"""#)).collect();
    all.push(json("entries", format!(r#"{{"EncryptionContext":{{{}}}}}"#, pairs.join(","))));
    let path = r#"{"ContextKeyName":"aaaaa","ContextKeyValues":["#;
    let entry = filled(bytes / 50, path, r#""a""#, "]}");
    all.push(list("many lists of texts", "ContextEntries", &entry));
    all
}

/// Decodes, checks and records a body as the dispatch does; the fault as it is answered.
fn serve(protocol: Protocol, body: &[u8]) -> Option<Vec<u8>> {
    match wire::decode::<Input>(protocol, body) {
        Ok(input) => {
            drop(wire::json::encode(&Audited(&input)).expect("JSON"));
            None
        }
        Err(fault) => Some(wire::encode_fault(protocol, "an-id", &fault)),
    }
}

#[test]
fn no_body_takes_more_memory_than_four_times_its_length() {
    for bytes in [64 * 1024, MIB / 2] {
        for (name, protocol, body) in bodies(bytes) {
            // What is made once, such as compiled patterns, is not the body's.
            drop(serve(protocol, &body));
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let fault = serve(protocol, &body);
            let taken = ALLOCATOR.peak_usage().saturating_sub(before);
            let allowed = 4 * body.len() + ALLOWANCE;
            assert!(taken <= allowed, "{name}: {taken} bytes for {} in {protocol:?}", body.len());
            let fault = fault.unwrap_or_default();
            assert!(fault.len() <= 16 * 1024, "{name}: a fault of {} bytes", fault.len());
            let violations = String::from_utf8_lossy(&fault).matches("failed to satisfy").count();
            assert!(violations <= VIOLATIONS_MAX, "{name}: {violations} violations");
        }
    }
}

/// `cargo test --release -p sealstack-wire --test hostile -- --ignored --nocapture`
#[test]
#[ignore = "measures time: for a release build on a machine that does nothing else"]
fn no_body_takes_longer_than_twenty_milliseconds_a_mebibyte() {
    let mut worst = Duration::ZERO;
    for (name, protocol, body) in bodies(MIB) {
        let fastest = (0..5).map(|_| {
            let started = Instant::now();
            drop(serve(protocol, &body));
            started.elapsed()
        });
        let fastest = fastest.min().unwrap_or_default();
        eprintln!("{fastest:>12.1?}  {name} ({} bytes, {protocol:?})", body.len());
        worst = worst.max(fastest);
    }
    assert!(worst <= Duration::from_millis(20), "{worst:?}");
}
