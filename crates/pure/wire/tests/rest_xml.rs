//! restXml as S3 speaks it: which request is for which operation, where members travel, what answers look like.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has to stop, saying why"
)]

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use wire::protocol::{
    Answer, Answering, Claim, Head, Matched, Route, Routed, decode_request, encode, encode_fault, presumed, route,
};
use wire::shape::Binding::{
    Attribute, Flat, Header, Item, Label, Name, Namespace, Payload, PrefixHeaders, Query, Status,
};
use wire::shape::{Output, Rule, Shape};
use wire::{Blob, CommonFault, Fault, Protocol, Timestamp};

const fn at(operation: &'static str, method: &'static str, uri: &'static str) -> Route {
    Route { operation, method, uri, header: "", status: 200 }
}

static ROUTES: &[Route] = &[
    at("ListBuckets", "GET", "/"),
    at("ListObjects", "GET", "/{Bucket}"),
    at("ListObjectsV2", "GET", "/{Bucket}?list-type=2"),
    at("GetBucketVersioning", "GET", "/{Bucket}?versioning"),
    at("CreateBucket", "PUT", "/{Bucket}"),
    at("PutBucketTagging", "PUT", "/{Bucket}?tagging"),
    at("HeadObject", "HEAD", "/{Bucket}/{Key+}"),
    at("GetObject", "GET", "/{Bucket}/{Key+}?x-id=GetObject"),
    at("PutObject", "PUT", "/{Bucket}/{Key+}?x-id=PutObject"),
    Route { header: "x-amz-copy-source", ..at("CopyObject", "PUT", "/{Bucket}/{Key+}") },
    at("UploadPart", "PUT", "/{Bucket}/{Key+}?partNumber&uploadId"),
    Route { header: "x-amz-copy-source", ..at("UploadPartCopy", "PUT", "/{Bucket}/{Key+}?partNumber&uploadId") },
    Route { status: 204, ..at("DeleteObject", "DELETE", "/{Bucket}/{Key+}") },
    at("DeleteObjects", "POST", "/{Bucket}?delete"),
    at("ListTagsForResource", "GET", "/v20180820/tags/{ResourceArn+}"),
];

const S3: Protocol = Protocol::rest_xml("http://s3.amazonaws.com/doc/2006-03-01/", ROUTES);

struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    scope: Option<&'static str>,
    host_label: Option<&'static str>,
}

impl Request {
    fn new(method: &str, uri: &str) -> Self {
        Self {
            method: Method::from_bytes(method.as_bytes()).expect("a method"),
            uri: Uri::try_from(uri).expect("a path"),
            headers: HeaderMap::new(),
            scope: Some("s3"),
            host_label: None,
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
        self
    }

    fn head(&self) -> Head<'_> {
        let Self { method, uri, headers, scope, host_label } = self;
        Head { method, uri, headers, scope: *scope, host_label: *host_label }
    }

    fn matched(&self) -> Option<Matched> {
        match S3.claims("s3", &self.head())? {
            Claim::Route(matched) => Some(matched),
            _ => None,
        }
    }

    fn decode<T: Shape>(&self, body: &str) -> Result<T, Fault> {
        let claim = S3.claims("s3", &self.head()).expect("claimed");
        decode_request(S3, &self.head(), &claim, body.as_bytes())
    }
}

#[test]
fn the_route_with_most_keys_and_headers_wins() {
    for (method, uri, operation) in [
        ("GET", "/", "ListBuckets"),
        ("GET", "/b", "ListObjects"),
        ("GET", "/b/", "ListObjects"),
        ("GET", "/b?prefix=versioning", "ListObjects"),
        ("GET", "/b?list-type=1", "ListObjects"),
        ("GET", "/b?list-type=2&prefix=a", "ListObjectsV2"),
        ("GET", "/b?prefix=a&list%2Dtype=2", "ListObjectsV2"),
        ("GET", "/b?versioning", "GetBucketVersioning"),
        ("GET", "/b?versioning=", "GetBucketVersioning"),
        ("GET", "/b/k?versioning", "GetObject"),
        ("GET", "/b//", "GetObject"),
        ("HEAD", "/b/a/b/c", "HeadObject"),
        ("PUT", "/b/", "CreateBucket"),
        ("PUT", "/b/k", "PutObject"),
        ("PUT", "/b/k?x-id=PutObject", "PutObject"),
        ("PUT", "/b/k?partNumber=1", "PutObject"),
        ("PUT", "/b/k?uploadId=u&partNumber=1", "UploadPart"),
        ("DELETE", "/b/k", "DeleteObject"),
        ("POST", "/b?delete", "DeleteObjects"),
        ("GET", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab", "ListTagsForResource"),
    ] {
        let matched = Request::new(method, uri).matched().unwrap_or_else(|| panic!("{method} {uri}"));
        assert_eq!(matched.route.operation, operation, "{method} {uri}");
    }
    let copy = |uri| Request::new("PUT", uri).with("x-amz-copy-source", "/a/b").matched().expect("a route");
    assert_eq!(copy("/b/k").route.operation, "CopyObject");
    assert_eq!(copy("/b/k?uploadId=u&partNumber=1").route.operation, "UploadPartCopy");
    for (method, uri) in [("POST", "/b"), ("GET", "//k"), ("PATCH", "/b/k"), ("POST", "/"), ("get", "/b")] {
        assert_eq!(Request::new(method, uri).matched(), None, "{method} {uri}");
    }
}

#[test]
fn labels_are_raw_and_decoded_once() {
    for (path, bucket, key) in [
        ("/b/k", "b", "k"),
        ("/b/a/b", "b", "a/b"),
        ("/b/a%2Fb", "b", "a/b"),
        ("/b//k", "b", "/k"),
        ("/b/a//b/", "b", "a//b/"),
        ("/b/./../k", "b", "./../k"),
        ("/b/%2e%2E/k", "b", "../k"),
        ("/b/a%2520b", "b", "a%20b"),
        ("/b/a+b%2Bc", "b", "a+b+c"),
        ("/b/%00", "b", "\0"),
        ("/b/%E2%82%ac", "b", "€"),
        ("/b/%3Fversioning", "b", "?versioning"),
        ("/%62/k", "b", "k"),
    ] {
        let labels = Request::new("PUT", path).matched().unwrap_or_else(|| panic!("{path}")).labels;
        assert_eq!(labels, [("Bucket", bucket.to_owned()), ("Key", key.to_owned())], "{path}");
    }
    // Not UTF-8, overlong, a surrogate, and signs that begin no escape.
    for path in ["/b/%FF", "/b/%C0%AF", "/b/%ED%A0%80", "/b/%", "/b/%4", "/b/%zz", "/b/a%2"] {
        assert_eq!(Request::new("PUT", path).matched(), None, "{path}");
    }
}

#[test]
fn a_host_may_give_the_bucket() {
    let hosted = |uri: &str| Request { host_label: Some("b"), ..Request::new("GET", uri) }.matched();
    assert_eq!(hosted("/").map(|matched| matched.route.operation), Some("ListObjects"));
    let matched = hosted("/a/b").expect("an object");
    assert_eq!(
        (matched.route.operation, &matched.labels[0].1, &matched.labels[1].1),
        ("GetObject", &"b".into(), &"a/b".into())
    );
    // The control API is no bucket's.
    assert_eq!(hosted("/v20180820/tags/x").map(|matched| matched.route.operation), Some("GetObject"));
}

#[test]
fn one_place_tells_protocols_apart() {
    const SERVICES: &[(&str, &[Protocol])] = &[
        ("kms", &[Protocol::json("1.1", "TrentService")]),
        ("codedeploy", &[Protocol::cbor("CodeDeploy_20141006", ""), Protocol::json("1.1", "CodeDeploy_20141006")]),
        ("iam", &[Protocol::query("https://iam.amazonaws.com/doc/2010-05-08/")]),
        ("s3", &[S3]),
    ];
    let routed = |request: &Request| {
        let named = SERVICES.iter().map(|(name, protocols)| (*name, *name, *protocols));
        let head = request.head();
        route(named, &head).map(|Routed { service, protocol, claim }| {
            let claim = match claim {
                Claim::Operation(name) => name.to_owned(),
                Claim::Form => "(form)".to_owned(),
                Claim::Route(matched) => matched.route.operation.to_owned(),
                Claim::Nowhere => "(nowhere)".to_owned(),
            };
            (service, protocol.content_type(), claim)
        })
    };
    let post = |scope| Request { scope, ..Request::new("POST", "/") };
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let cbor = "application/cbor";
    for (request, expected) in [
        (
            post(Some("kms")).with("x-amz-target", "TrentService.Encrypt"),
            Some(("kms", "application/x-amz-json-1.1", "Encrypt")),
        ),
        (
            post(Some("s3")).with("x-amz-target", "CodeDeploy_20141006.Fly"),
            Some(("codedeploy", "application/x-amz-json-1.1", "Fly")),
        ),
        (post(Some("kms")).with("x-amz-target", "Trent.Encrypt"), None),
        (post(Some("iam")).with("x-amz-target", "TrentService."), None),
        (post(Some("iam")), Some(("iam", "text/xml", "(form)"))),
        (post(Some("iam")).with("accept", "application/json"), Some(("iam", "application/json", "(form)"))),
        (post(Some("iam")).with("accept", "*/*"), Some(("iam", "text/xml", "(form)"))),
        (post(None).with(form.0, form.1), Some(("iam", "text/xml", "(form)"))),
        (Request { scope: None, ..Request::new("GET", "/?Action=X") }, Some(("iam", "text/xml", "(form)"))),
        (Request { scope: None, ..Request::new("GET", "/b/k") }, Some(("s3", "application/xml", "GetObject"))),
        (post(None), Some(("s3", "application/xml", "(nowhere)"))),
        (post(Some("ec2")), None),
        (
            Request::new("POST", "/service/CodeDeploy_20141006/operation/GetApplication")
                .with("smithy-protocol", "rpc-v2-cbor"),
            Some(("codedeploy", cbor, "GetApplication")),
        ),
        // CBOR is looked at first, behind whatever prefix.
        (
            Request::new("POST", "/x/service/CodeDeploy_20141006/operation/GetApplication")
                .with("smithy-protocol", "rpc-v2-cbor")
                .with("x-amz-target", "CodeDeploy_20141006.Fly"),
            Some(("codedeploy", cbor, "GetApplication")),
        ),
        (Request::new("POST", "/service/A/operation/B").with("smithy-protocol", "rpc-v2-cbor"), None),
        (Request::new("POST", "/service/A/operation/B").with("smithy-protocol", "rpc-v2-json"), None),
    ] {
        let found = routed(&request);
        let found = found.as_ref().map(|(service, kind, claim)| (*service, *kind, claim.as_str()));
        assert_eq!(found, expected, "{} {} {:?}", request.method, request.uri, request.headers);
    }
    for (request, expected) in [
        (post(None).with("x-amz-target", "x"), "application/x-amz-json-1.1"),
        (post(None).with("smithy-protocol", "rpc-v2-cbor"), cbor),
        (post(None), "application/x-amz-json-1.1"),
        (post(None).with(form.0, form.1), "text/xml"),
        (post(Some("s3")), "application/xml"),
        (post(Some("ec2")), "text/xml"),
        (post(None).with("authorization", "AWS4-HMAC-SHA256 x"), "text/xml"),
    ] {
        assert_eq!(presumed(&request.head()).content_type(), expected);
    }
}

wire::text_enum! {
    enum Acl { Private = "private", PublicRead = "public-read" }
}

wire::shape! {
    struct PutInput {
        "Bucket" bucket: String, required, [Rule::Length(3, 63)], [Label];
        "Key" key: String, required, [Rule::Length(1, 1024)], [Label];
        "Acl" acl: Acl, optional, [], [Header("x-amz-acl")];
        "PartNumber" part_number: i32, optional, [Rule::Range(1, 10_000)], [Query("partNumber")];
        "Attributes" attributes: Vec<String>, default, [], [Header("x-amz-object-attributes")];
        "Ids" ids: Vec<String>, default, [], [Query("id")];
        "Since" since: Timestamp, optional, [], [Header("if-modified-since")];
        "BypassLock" bypass_lock: bool, optional, [], [Header("x-amz-bypass-governance-retention")];
        "Metadata" metadata: BTreeMap<String, String>, default, [], [PrefixHeaders("x-amz-meta-")];
        "Body" body: Blob, optional, [], [Payload];
    }
}

#[test]
fn members_come_from_path_query_headers_and_body() {
    let request = Request::new("PUT", "/bucket/a%2Fb?partNumber=7&id=x&id=y+z%2B")
        .with("x-amz-acl", "private")
        .with("x-amz-object-attributes", "ETag, Checksum")
        .with("x-amz-object-attributes", "ObjectParts")
        .with("if-modified-since", "Sun, 23 Nov 2025 14:36:58 GMT")
        .with("x-amz-bypass-governance-retention", "TRUE")
        .with("x-amz-meta-color", "red")
        .with("x-amz-meta-color", "blue")
        .with("x-amz-meta-", "empty");
    let input: PutInput = request.decode("<not><xml").expect("accepted");
    assert_eq!((input.bucket.as_str(), input.key.as_str()), ("bucket", "a/b"));
    assert_eq!((input.acl, input.part_number, input.bypass_lock), (Some(Acl::Private), Some(7), Some(true)));
    assert_eq!(input.attributes, ["ETag", "Checksum", "ObjectParts"]);
    assert_eq!(input.ids, ["x", "y z+"]);
    assert_eq!(input.since, Some(Timestamp::from_millis(1_763_908_618_000)));
    let metadata = BTreeMap::from([("color".to_owned(), "red,blue".to_owned()), (String::new(), "empty".to_owned())]);
    assert_eq!(input.metadata, metadata);
    assert_eq!(input.body, Some(Blob(b"<not><xml".to_vec())));
    let input: PutInput = Request::new("PUT", "/bucket/k").decode("").expect("accepted");
    assert!(input.body.is_none() && input.acl.is_none() && input.metadata.is_empty());
    for (request, code) in [
        (Request::new("PUT", "/b/k"), "InvalidArgument"),
        (Request::new("PUT", "/bucket/k?partNumber=x"), "InvalidArgument"),
        (Request::new("PUT", "/bucket/k?partNumber=0"), "InvalidArgument"),
        (Request::new("PUT", "/bucket/k?id=%FF"), "InvalidURI"),
        (Request::new("PUT", "/bucket/k").with("x-amz-acl", "mine"), "InvalidArgument"),
        (Request::new("PUT", "/bucket/k").with("x-amz-acl", "private").with("x-amz-acl", "private"), "InvalidArgument"),
        (Request::new("PUT", "/bucket/k").with("if-modified-since", "yesterday"), "InvalidArgument"),
    ] {
        let fault = request.decode::<PutInput>("").err().unwrap_or_else(|| panic!("{}", request.uri));
        assert_eq!((fault.code, fault.status), (code, 400), "{}", request.uri);
    }
}

wire::shape! {
    struct Tag {
        "Key" key: String, required, [Rule::Length(1, 128)];
        "Value" value: String, required, [];
    }
}

wire::shape! {
    struct Grantee {
        "Type" kind: String, required, [], [Name("xsi:type"), Attribute];
        "ID" id: String, optional, [];
    }
}

wire::shape! {
    struct Settings {
        "TagSet" tags: Vec<Tag>, default, [Rule::Length(0, 3)], [Item("Tag")];
        "Rules" rules: Vec<String>, default, [Rule::Length(0, 2)], [Name("Rule"), Flat];
        "Quiet" quiet: bool, optional, [];
        "Count" count: i32, optional, [];
        "At" at: Timestamp, optional, [];
        "Grantee" grantee: Grantee, optional, [];
        "Pairs" pairs: BTreeMap<String, String>, default, [];
    }
}

wire::shape! {
    struct SettingsInput {
        "Bucket" bucket: String, required, [], [Label];
        "Settings" settings: Settings, required, [], [Payload, Name("Tagging")];
    }
}

wire::shape! {
    struct FlatInput {
        "Bucket" bucket: String, required, [], [Label];
        "Name" name: String, optional, [];
        "Tags" tags: Vec<Tag>, default, [], [Flat, Name("Tag")];
    }
}

fn settings(body: &str) -> Result<SettingsInput, Fault> {
    Request::new("PUT", "/bucket?tagging").decode(body)
}

#[test]
fn a_body_is_read_element_by_element() {
    let input = settings(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <!-- from a client -->
        <Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
          <Rule>a</Rule>
          <TagSet><Tag><Key>k&amp;&#x20AC;&lt;</Key><Value><![CDATA[<v>]]></Value></Tag><Other><Key/></Other>
            <Tag><Value/><Key>l</Key></Tag></TagSet>
          <Rule>b &gt;<!-- between --> c</Rule>
          <Unknown a="1"><Deep><Deeper>text</Deeper></Deep>text</Unknown>
          <Quiet> true </Quiet><Count>5</Count><At>2025-11-23T14:36:58.123Z</At>
          <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Canonical&quot;User"><ID>x</ID></Grantee>
          <Pairs><entry><key>a</key><value>1</value></entry><entry><key>b</key><value/></entry></Pairs>
        </Tagging>
        "#,
    )
    .expect("accepted");
    assert_eq!(input.bucket, "bucket");
    let settings = input.settings;
    let tags: Vec<_> = settings.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    assert_eq!(tags, [("k&€<", "<v>"), ("l", "")]);
    assert_eq!(settings.rules, ["a", "b > c"]);
    assert_eq!((settings.quiet, settings.count), (Some(true), Some(5)));
    assert_eq!(settings.at, Some(Timestamp::from_millis(1_763_908_618_123)));
    let grantee = settings.grantee.expect("a grantee");
    assert_eq!((grantee.kind.as_str(), grantee.id.as_deref()), ("Canonical\"User", Some("x")));
    assert_eq!(settings.pairs.len(), 2);
    let flat: FlatInput = Request::new("PUT", "/bucket?tagging")
        .decode("<Any><Tag><Key>a</Key><Value/></Tag><Name>n</Name><Tag><Key>b</Key><Value/></Tag></Any>")
        .expect("accepted");
    assert_eq!((flat.bucket.as_str(), flat.name.as_deref(), flat.tags.len()), ("bucket", Some("n"), 2));
    let empty: FlatInput = Request::new("PUT", "/bucket?tagging").decode("").expect("accepted");
    assert!(empty.name.is_none());
}

#[test]
fn a_body_that_is_not_what_was_asked_for_is_malformed_xml() {
    let deep = format!("<Tagging>{}</Tagging>", "<a>".repeat(100));
    let attributes = format!("<Tagging><Grantee {}/></Tagging>", r#"a="" "#.repeat(10));
    for body in [
        "x",
        "<Tagging>",
        "<Tagging/><Tagging/>",
        "<Tagging/>x",
        "<Other/>",
        "<Tagging></Other>",
        "<Tagging>text</Tagging>",
        "<Tagging><Count>five</Count></Tagging>",
        "<Tagging><Count>5</Count><Count>6</Count></Tagging>",
        "<Tagging><Count><a/></Count></Tagging>",
        "<Tagging><Quiet>maybe</Quiet></Tagging>",
        "<Tagging><At>now</At></Tagging>",
        "<Tagging><Rule>&unknown;</Rule></Tagging>",
        "<Tagging><Rule>&#0;</Rule></Tagging>",
        "<Tagging><Rule>&#xD800;</Rule></Tagging>",
        "<Tagging><Rule>& b</Rule></Tagging>",
        r#"<!DOCTYPE Tagging [<!ENTITY a "aaaa">]><Tagging><Rule>&a;</Rule></Tagging>"#,
        r#"<!DOCTYPE Tagging SYSTEM "file:///etc/passwd"><Tagging/>"#,
        "<?php x?><Tagging/>",
        "<Tagging><?pi x?></Tagging>",
        "<Tagging><TagSet>text</TagSet></Tagging>",
        "<Tagging><Pairs><entry><value>1</value></entry></Pairs></Tagging>",
        "<Tagging><Pairs><entry><key>1</key></entry></Pairs></Tagging>",
        "\u{feff}<Tagging",
        deep.as_str(),
        attributes.replace("a=\"\"", "a=").as_str(),
    ] {
        let fault = settings(body).err().unwrap_or_else(|| panic!("{body} was accepted"));
        assert_eq!((fault.code, fault.status), ("MalformedXML", 400), "{body}");
    }
    // A constraint is another matter.
    for body in ["", "<Tagging><TagSet><Tag><Value/></Tag></TagSet></Tagging>", attributes.as_str()] {
        assert_eq!(settings(body).err().map(|fault| fault.code), Some("InvalidArgument"), "{body}");
    }
    let many = format!("<Tagging>{}</Tagging>", "<Rule>x</Rule>".repeat(3));
    assert_eq!(settings(&many).err().map(|fault| fault.code), Some("InvalidArgument"));
}

wire::output! {
    struct Part {
        "PartNumber" number: i32, required;
        "ETag" e_tag: String, required;
    }
}

wire::output! {
    struct GranteeOutput {
        "Type" kind: String, required, [Name("xsi:type"), Attribute];
        "ID" id: String, optional;
    }
}

wire::output! {
    struct ListOutput {
        "RequestCharged" charged: String, optional, [Header("x-amz-request-charged")];
        "Name" name: String, optional;
        "LastModified" modified: Timestamp, optional;
        "Parts" parts: Vec<Part>, default, [Name("Part"), Flat];
        "Buckets" buckets: Vec<String>, required, [Item("Bucket")];
        "Grantee" grantee: GranteeOutput, optional, [Namespace("xsi", "http://www.w3.org/2001/XMLSchema-instance")];
        "IsTruncated" truncated: bool, required;
    }
}

wire::output! {
    struct HeadOutput {
        "ETag" e_tag: String, required, [Header("ETag")];
        "LastModified" modified: Timestamp, optional, [Header("last-modified")];
        "Length" length: i64, optional, [Header("content-length")];
        "Parts" parts: Vec<String>, default, [Header("x-amz-parts")];
        "Metadata" metadata: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-meta-")];
        "Status" status: i32, optional, [Status];
    }
}

wire::output! {
    struct TextOutput {
        "Policy" policy: String, required, [Payload];
    }
}

wire::output! {
    struct PayloadOutput {
        "VersionId" version: String, optional, [Header("x-amz-version-id")];
        "Part" part: Part, required, [Payload, Name("CopyObjectResult"), Namespace("", "urn:x")];
    }
}

fn written<T: Output>(operation: &str, output: &T) -> Answer {
    let answering = Answering { operation, request_id: "id", members: T::MEMBERS, status: 200 };
    encode(S3, answering, output).expect("written")
}

fn body(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).expect("UTF-8")
}

#[test]
fn an_answers_members_are_elements_headers_attributes_or_the_body() {
    let parts = vec![Part { number: 1, e_tag: "\"a\"".into() }, Part { number: 2, e_tag: "b".into() }];
    let output = ListOutput {
        charged: Some("requester".into()),
        name: Some("a<b".into()),
        modified: Some(Timestamp::from_millis(1_763_908_618_123)),
        parts,
        buckets: vec!["x".into(), "y".into()],
        grantee: Some(GranteeOutput { kind: "CanonicalUser".into(), id: Some("me".into()) }),
        truncated: false,
    };
    let answer = written("ListPartsResult", &output);
    assert_eq!(
        body(&answer),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>a&lt;b</Name>\
         <LastModified>2025-11-23T14:36:58.123Z</LastModified>\
         <Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part><Part><PartNumber>2</PartNumber><ETag>b</ETag>\
         </Part><Buckets><Bucket>x</Bucket><Bucket>y</Bucket></Buckets>\
         <Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>me</ID></Grantee>\
         <IsTruncated>false</IsTruncated></ListPartsResult>"
    );
    assert_eq!(answer.headers["x-amz-request-charged"], "requester");
    let metadata = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())]);
    let output = HeadOutput {
        e_tag: "\"e\"".into(),
        modified: Some(Timestamp::from_millis(1_763_908_618_123)),
        length: Some(7),
        parts: vec!["x".into(), "y".into()],
        metadata,
        status: Some(206),
    };
    let answer = written("HeadObject", &output);
    assert_eq!((answer.status, body(&answer)), (206, ""));
    for (name, value) in [
        ("etag", "\"e\""),
        ("last-modified", "Sun, 23 Nov 2025 14:36:58 GMT"),
        ("content-length", "7"),
        ("x-amz-parts", "x, y"),
        ("x-amz-meta-a", "1"),
        ("x-amz-meta-b", ""),
    ] {
        assert_eq!(answer.headers.get(name).map(HeaderValue::as_bytes), Some(value.as_bytes()), "{name}");
    }
    assert_eq!(answer.headers.len(), 6);
    let text = TextOutput { policy: r#"{"a":"<"}"#.into() };
    assert_eq!(body(&written("GetBucketPolicy", &text)), r#"{"a":"<"}"#);
    let part = Part { number: 1, e_tag: "e".into() };
    let answer = written("CopyObject", &PayloadOutput { version: None, part });
    assert_eq!(
        body(&answer),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CopyObjectResult xmlns=\"urn:x\"><PartNumber>1</PartNumber>\
         <ETag>e</ETag></CopyObjectResult>"
    );
    assert!(answer.headers.is_empty());
}

#[test]
fn a_value_that_no_header_can_carry_is_refused() {
    let metadata = |key: &str, value: &str| HeadOutput {
        e_tag: String::new(),
        modified: None,
        length: None,
        parts: vec![],
        metadata: BTreeMap::from([(key.to_owned(), value.to_owned())]),
        status: None,
    };
    for (key, value) in [("a", "1\r\nset-cookie: x"), ("a b", "1"), ("a\n", "1"), ("a", "\0")] {
        let answering =
            Answering { operation: "HeadObject", request_id: "id", members: HeadOutput::MEMBERS, status: 200 };
        let fault = encode(S3, answering, &metadata(key, value)).expect_err("refused");
        assert_eq!((fault.code, fault.status), ("InternalError", 500), "{key:?} {value:?}");
    }
}

#[test]
fn faults_are_s3s_own() {
    let fault = Fault::new("NoSuchKey", 404, "The specified key does not exist.").with_detail("Key", "a&b");
    let written = encode_fault(S3, "id", &fault);
    assert_eq!(
        String::from_utf8_lossy(&written),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
         <Message>The specified key does not exist.</Message><Key>a&amp;b</Key><RequestId>id</RequestId>\
         <HostId>pWFFJwzms769HdAStzlIZ33WGNSWSIvGCKPLQ841R90=</HostId></Error>"
    );
    assert_eq!((S3.request_id_header(), S3.has_error_type_header()), ("x-amz-request-id", false));
    let denied = CommonFault::AccessDenied("no".into()).fault(S3);
    assert_eq!((denied.code, denied.status, denied.message.as_str()), ("AccessDenied", 403, "no"));
    let nowhere = CommonFault::UnknownOperation { operation: String::new(), version: String::new() }.fault(S3);
    assert_eq!((nowhere.code, nowhere.status), ("MethodNotAllowed", 405));
}
