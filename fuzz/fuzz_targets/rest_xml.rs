//! Requests of restXml: routing and decoding them never panics.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;
use wire::protocol::{Claim, Head, Route, decode_request};
use wire::shape::Binding::{Attribute, Flat, Header, Item, Label, Name, Payload, PrefixHeaders, Query};
use wire::shape::Rule;

static ROUTES: &[Route] = &[
    Route { operation: "Put", method: "PUT", uri: "/{Bucket}/{Key+}", header: "", status: 200 },
    Route { operation: "List", method: "PUT", uri: "/{Bucket}?list-type=2", header: "", status: 200 },
    Route { operation: "Copy", method: "PUT", uri: "/{Bucket}/{Key+}?part", header: "x-amz-copy-source", status: 200 },
];

const PROTOCOL: wire::Protocol = wire::Protocol::rest_xml("urn:fuzz", ROUTES);

wire::shape! {
    struct Tag {
        "Type" kind: String, optional, [], [Name("xsi:type"), Attribute];
        "Key" key: String, required, [Rule::Length(1, 128)];
    }
}

wire::shape! {
    struct Settings {
        "TagSet" tags: Vec<Tag>, default, [Rule::Length(0, 50)], [Item("Tag")];
        "Rules" rules: Vec<Tag>, default, [], [Name("Rule"), Flat];
        "At" at: wire::Timestamp, optional, [];
        "Count" count: i32, optional, [];
        "Blob" blob: wire::Blob, optional, [];
        "Map" map: std::collections::BTreeMap<String, String>, default, [];
    }
}

wire::shape! {
    struct Input {
        "Bucket" bucket: String, required, [Rule::Length(3, 63)], [Label];
        "Key" key: String, optional, [Rule::Length(1, 1024)], [Label];
        "Part" part: i32, optional, [], [Query("part")];
        "Ids" ids: Vec<String>, default, [], [Query("id")];
        "Since" since: wire::Timestamp, optional, [], [Header("if-modified-since")];
        "Metadata" metadata: std::collections::BTreeMap<String, String>, default, [], [PrefixHeaders("x-amz-meta-")];
        "Settings" settings: Settings, optional, [], [Payload];
    }
}

fuzz_target!(|input: (&str, Vec<(&str, &[u8])>, &[u8])| {
    let (uri, named, body) = input;
    let Ok(uri) = Uri::try_from(uri) else { return };
    let mut headers = HeaderMap::new();
    for (name, value) in named.into_iter().take(16) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let head = Head { method: &Method::PUT, uri: &uri, headers: &headers, scope: Some("s3"), host_label: None };
    let claim = PROTOCOL.claims("s3", &head).unwrap_or(Claim::Nowhere);
    let _ = decode_request::<Input>(PROTOCOL, &head, &claim, body);
    let _ = wire::decode::<Settings>(PROTOCOL, body);
});
