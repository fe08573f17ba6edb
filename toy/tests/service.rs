//! The promises of `docs/adding-a-service.md`, seen from outside: one service in three protocols, payloads that flow
//! both ways, and calls without HTTP.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has to stop"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use crypto::Key256;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use journal::Journal;
use policy::{Context, Kind, Named, Policies, Policy, Principal, Reason, Request, ResourceSide, permit};
use service::ports::{Authority, Claim, Credential, CredentialError, Proof};
use service::{
    Behalf, BoxFuture, Caller, Core, Gateway, Head, Hosts, MaybeReady, Need, Observer, Performer, Reply, RequestOrigin,
    ResourcePolicy, Seen, Trail,
};
use store::Store;
use toy::{DescribeBox, DescribeBoxInput, Toy};
use wire::Timestamp;
use wire::sigv4::{Payload, RequestParts, Rules, Signer, SigningKey};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Knows two callers: one who may do everything, one who may only describe.
struct Two(Vec<(&'static str, Policy, Arc<Caller>)>);

impl Two {
    fn new() -> Self {
        let caller = |name: &'static str, action: &str| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
            );
            let arn = format!("arn:aws:iam::111122223333:user/{name}").parse().expect("an ARN");
            let caller = Caller::new(Principal::user(arn, "AIDATOY"), name.to_owned(), Context::new(), None);
            (name, Policy::parse(&text, Kind::Identity).expect("a policy"), Arc::new(caller))
        };
        Self(vec![caller("owner", "toy:*"), caller("reader", "toy:DescribeBox")])
    }

    fn find(&self, name: &str) -> Option<&(&'static str, Policy, Arc<Caller>)> {
        self.0.iter().find(|(known, ..)| *known == name)
    }
}

impl Authority for Two {
    fn credential<'a>(&'a self, claim: Claim<'a>, _: Timestamp) -> MaybeReady<'a, Result<Credential, CredentialError>> {
        let Claim { access_key_id, date, region, service, .. } = claim;
        MaybeReady::ready(self.find(access_key_id).ok_or(CredentialError::Unknown).map(|(_, _, caller)| Credential {
            caller: Arc::clone(caller),
            signing_key: Arc::new(SigningKey::derive(b"secret", date, region, service)),
        }))
    }

    fn authenticate<'a>(&'a self, _: Proof<'a>, _: Timestamp) -> BoxFuture<'a, Result<Arc<Caller>, CredentialError>> {
        Box::pin(async { Err(CredentialError::Unknown) })
    }

    fn decide<'a>(
        &'a self,
        caller: &'a Caller,
        need: &'a Need<'a>,
        context: &'a Context<'a>,
    ) -> MaybeReady<'a, Result<Result<(), Reason>, store::StoreError>> {
        let none = [];
        let own = self.find(&caller.access_key_id).map(|(_, policy, _)| [Named { name: "own", policy }]);
        let request = Request {
            principal: &caller.principal,
            action: need.action,
            resource: &need.resource,
            resource_account: None,
            context,
        };
        let identity = own.as_ref().map_or(&none[..], |own| own);
        let resource = match &need.guard {
            ResourcePolicy::Shared(policy) => ResourceSide::Shared(Named { name: "shelf", policy }),
            _ => ResourceSide::None,
        };
        let (boundary, session, service_control) = (None, None, &[][..]);
        MaybeReady::ready(Ok(permit(&request, &Policies { identity, boundary, session, service_control, resource })))
    }

    fn record_use(&self, _: &Caller, _: &'static str, _: &str, _: Timestamp) {}

    fn sealed_refusal<'a>(
        &'a self,
        _: &'a Caller,
        _: &'a Need<'a>,
        _: &'a Context<'a>,
        _: &'a Reason,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { None })
    }
}

struct Nobody;

impl Observer for Nobody {
    fn seen(&self, _: &Seen<'_>) {}
}

struct World {
    gateway: Gateway,
    performer: Performer<Toy>,
    authority: Arc<Two>,
    journal: Journal,
    key: Key256,
    directory: tempfile::TempDir,
}

fn world() -> World {
    let directory = tempfile::tempdir().expect("a directory");
    let key = Key256::random();
    let journal = Journal::open(journal::Config::new(directory.path().join("audit")), &key).expect("a journal");
    let trail = Trail::new(journal.clone());
    let authority = Arc::new(Two::new());
    let core = Arc::new(Core::new(Arc::clone(&authority) as _, trail.clone(), Arc::new(Nobody), || NOW));
    let blobs = blobs::Blobs::in_directory(&directory.path().join("blobs")).expect("a place for blobs");
    let owner = blobs::Owner::new(&key, b"toy");
    let store = Store::open_in_memory().expect("a store");
    store.attach(Arc::new(trail.clone()));
    let anybody = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",
        "Action":["toy:GetBox","toy:PutBox"],"Resource":"*"}]}"#;
    let anybody = Policy::parse(anybody, Kind::Resource).expect("a policy");
    let toy = Arc::new(Toy::new(store, blobs, owner).with_open_shelf("street", anybody));
    let performer = Performer::new(Arc::clone(&core), Arc::clone(&toy));
    World {
        gateway: Gateway::new(core).with_hosts(Hosts::below(["localhost".to_owned()])).with(toy),
        performer,
        authority,
        journal,
        key,
        directory,
    }
}

/// A request that is yet to be signed.
struct Call<'a> {
    method: Method,
    target: &'a str,
    headers: &'a [(&'static str, &'a str)],
    body: &'a [u8],
}

impl World {
    async fn send(&self, user: &str, call: Call<'_>, rules: Rules) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("localhost"));
        for (name, value) in call.headers {
            headers.insert(HeaderName::from_static(name), value.parse().expect("a value"));
        }
        let signer = Signer {
            access_key_id: user,
            secret_access_key: b"secret",
            session_token: None,
            region: "us-east-1",
            service: "toy",
            rules,
        };
        let uri: http::Uri = call.target.parse().expect("a target");
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        let parts = RequestParts { method: call.method.as_str(), path, query, headers: &headers, host: None };
        let payload = if rules.stated_payload { Payload::Stated } else { Payload::Body(call.body) };
        let added = signer.sign(&parts, payload, NOW).expect("signed");
        headers.extend(added);
        let head = Head { method: &call.method, uri: &uri, headers: &headers, ip: HERE, secure: true };
        self.gateway.serve(head, Bytes::copy_from_slice(call.body)).await
    }

    /// Sends a request that nobody signed.
    async fn unsigned(&self, call: Call<'_>) -> Reply {
        let mut headers = HeaderMap::new();
        for (name, value) in call.headers {
            headers.insert(HeaderName::from_static(name), value.parse().expect("a value"));
        }
        let uri = call.target.parse().expect("a target");
        let head = Head { method: &call.method, uri: &uri, headers: &headers, ip: HERE, secure: true };
        self.gateway.serve(head, Bytes::copy_from_slice(call.body)).await
    }

    async fn rest(&self, user: &str, call: Call<'_>) -> Reply {
        self.send(user, call, Rules::S3).await
    }

    /// Everything in the audit trail, once nothing more comes.
    fn records(self) -> Vec<serde_json::Value> {
        drop((self.gateway, self.performer));
        self.journal.close().expect("flushed");
        let mut found = Vec::new();
        journal::read(
            &self.directory.path().join("audit"),
            &self.key,
            0..=u64::MAX,
            journal::Order::OldestFirst,
            |record| {
                found.push(serde_json::from_slice(record.bytes).expect("JSON"));
                std::ops::ControlFlow::Continue(())
            },
        )
        .expect("readable");
        found
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    String::from_utf8(crypto::hex::encode_hash(&crypto::sha256(bytes)).to_vec()).expect("digits")
}

async fn text(reply: Reply) -> String {
    let bytes = match reply.stream {
        Some(stream) => stream.collect().await.expect("to its end").to_bytes().to_vec(),
        None => reply.body,
    };
    String::from_utf8(bytes).expect("UTF-8")
}

async fn put(world: &World, user: &str, stated: &str, body: &[u8]) -> Reply {
    let headers = [("x-amz-content-sha256", stated), ("x-amz-meta-label", "fragile")];
    world.rest(user, Call { method: Method::PUT, target: "/attic/a%20box", headers: &headers, body }).await
}

#[tokio::test]
async fn payloads_flow_in_and_out_under_the_permission_of_their_caller() {
    let world = world();
    let body = vec![b'x'; 300_000];
    let stored = put(&world, "owner", &sha256_hex(&body), &body).await;
    assert_eq!((stored.status, stored.error), (201, None));
    assert!(stored.headers.contains_key("x-amz-checksum-sha256"));

    let empty = sha256_hex(b"");
    let get = |user| {
        let headers = [("x-amz-content-sha256", &*empty)];
        let world = &world;
        async move {
            world.rest(user, Call { method: Method::GET, target: "/attic/a%20box", headers: &headers, body: b"" }).await
        }
    };
    let got = get("owner").await;
    assert_eq!((got.status, got.headers["x-amz-meta-label"].to_str().expect("a text")), (200, "fragile"));
    assert_eq!(text(got).await.len(), body.len());
    let refused = get("reader").await;
    assert_eq!((refused.status, refused.error), (403, Some("AccessDenied")));
    assert_eq!(put(&world, "reader", &sha256_hex(&body), &body).await.error, Some("AccessDenied"));

    let records = world.records();
    let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().expect("a name")).collect();
    assert_eq!(names, ["PutBox", "GetBox", "GetBox", "PutBox"]);
}

#[tokio::test]
async fn a_payload_that_is_not_what_its_head_says_changes_nothing() {
    let world = world();
    let other = sha256_hex(b"something else");
    let refused = put(&world, "owner", &other, b"contents").await;
    assert_eq!((refused.status, refused.error), (400, Some("XAmzContentSHA256Mismatch")));
    let headers = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let call = Call { method: Method::GET, target: "/attic/a%20box", headers: &headers, body: b"" };
    assert_eq!(world.rest("owner", call).await.error, Some("NoSuchBox"));
    let call = Call { method: Method::POST, target: "/attic?echo", headers: &headers, body: b"there and back" };
    let reply = world.rest("owner", call).await;
    assert_eq!(text(reply).await, "there and back");
}

#[tokio::test]
async fn a_request_that_nobody_signed_may_do_what_a_resource_policy_allows_anybody() {
    let world = world();
    let call = |method, target, body| Call { method, target, headers: &[], body };
    assert_eq!(world.unsigned(call(Method::PUT, "/street/box", b"found")).await.status, 201);
    let reply = world.unsigned(call(Method::GET, "/street/box", b"")).await;
    assert_eq!(text(reply).await, "found");
    for (method, target) in [(Method::GET, "/attic/box"), (Method::PUT, "/attic/box"), (Method::POST, "/street?echo")] {
        let reply = world.unsigned(call(method, target, b"")).await;
        assert_eq!((reply.status, reply.error), (403, Some("AccessDenied")), "{target}");
        assert!(text(reply).await.contains("<Message>Access Denied</Message>"));
    }
    // Who claims to be somebody is not anonymous.
    for (target, headers) in [
        ("/street/box", &[("authorization", "AWS AKIA:c2lnbmF0dXJl")][..]),
        ("/street/box?AWSAccessKeyId=AKIA&Signature=x&Expires=1", &[]),
        ("/street/box?X-Amz-Credential=AKIA", &[]),
        ("/street/box?X%2DAmz%2DSignature=00", &[]),
    ] {
        let reply = world.unsigned(Call { method: Method::GET, target, headers, body: b"" }).await;
        assert_eq!((reply.status, reply.stream.is_some()), (400, false), "{target}");
    }
    let records = world.records();
    let last = records.iter().find(|record| record["eventName"] == "GetBox").expect("recorded");
    assert_eq!(last["userIdentity"]["type"], "Unknown");
}

#[tokio::test]
async fn an_unsigned_body_is_held_to_what_its_head_says() {
    let world = world();
    let put = |headers, body| Call { method: Method::PUT, target: "/street/box", headers, body };
    let digest = sha256_hex(b"contents");
    let headers = [("x-amz-content-sha256", &*digest)];
    assert_eq!(world.unsigned(put(&headers, b"contents")).await.status, 201);
    assert_eq!(world.unsigned(put(&headers, b"others")).await.error, Some("XAmzContentSHA256Mismatch"));
    let chunks = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n";
    let unsigned = [
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "3"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    assert_eq!(world.unsigned(put(&unsigned, chunks)).await.status, 201);
    let mut signed = unsigned;
    signed[0].1 = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    assert_eq!(world.unsigned(put(&signed, chunks)).await.error, Some("AccessDenied"));
}

#[tokio::test]
async fn a_fault_names_what_it_is_about_and_an_answer_to_head_has_no_body() {
    let world = world();
    let headers = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let call = |method| Call { method, target: "/attic/none", headers: &headers, body: b"" };
    let reply = world.rest("owner", call(Method::GET)).await;
    assert_eq!(reply.content_type(), Some("application/xml"));
    let body = text(reply).await;
    assert!(body.contains("<Code>NoSuchBox</Code>") && body.contains("<Box>none</Box><RequestId>"), "{body}");
    let reply = world.rest("owner", call(Method::HEAD)).await;
    assert_eq!((reply.status, reply.body.len(), reply.content_type()), (405, 0, None));
}

#[tokio::test]
async fn a_host_below_a_name_stands_for_the_first_label_of_the_path() {
    fn call<'a>(target: &'a str, headers: &'a [(&'static str, &'a str)], body: &'a str) -> Call<'a> {
        let method = if body.is_empty() { Method::GET } else { Method::PUT };
        Call { method, target, headers, body: body.as_bytes() }
    }
    let world = world();
    let street = [("host", "Street.localhost:4566")];
    assert_eq!(world.unsigned(call("/a/b", &street, "x")).await.status, 201);
    let bare = [("host", "localhost:4566")];
    assert_eq!(text(world.unsigned(call("/street/a/b", &bare, "")).await).await, "x");
    assert_eq!(text(world.unsigned(call("/a/b", &street, "")).await).await, "x");
    // An address has nothing below it, and a host that is another's name gives no label.
    for host in ["127.0.0.1:4566", "street.example"] {
        let elsewhere = [("host", host)];
        assert_eq!(world.unsigned(call("/a/b", &elsewhere, "")).await.status, 403, "{host}");
    }
    // What a signature covers is what decides.
    let headers = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("host", "attic.localhost")];
    let put = Call { method: Method::PUT, target: "/box", headers: &headers, body: b"y" };
    assert_eq!(world.rest("owner", put).await.status, 201);
    let headers = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let get = Call { method: Method::GET, target: "http://street.localhost/attic/box", headers: &headers, body: b"" };
    assert_eq!(text(world.rest("owner", get).await).await, "y");
}

#[tokio::test]
async fn chunks_are_only_for_operations_whose_payload_flows() {
    let world = world();
    let headers =
        [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("x-amz-decoded-content-length", "0")];
    let call = |method| Call { method, target: "/attic/box", headers: &headers, body: b"0\r\n\r\n" };
    assert_eq!(world.rest("owner", call(Method::PUT)).await.status, 201);
    let refused = world.rest("owner", call(Method::GET)).await;
    assert_eq!((refused.status, refused.error), (400, Some("InvalidArgument")));
}

#[tokio::test]
async fn one_operation_answers_in_json_and_cbor_and_without_http() {
    let world = world();
    put(&world, "owner", &sha256_hex(b"abc"), b"abc").await;
    let json = Call {
        method: Method::POST,
        target: "/",
        headers: &[("x-amz-target", "Toy_20261129.DescribeBox"), ("content-type", "application/x-amz-json-1.1")],
        body: br#"{"Shelf":"attic","Box":"a box"}"#,
    };
    assert_eq!(text(world.send("reader", json, Rules::STANDARD).await).await, r#"{"Bytes":3,"Label":"fragile"}"#);

    let cbor = Call {
        method: Method::POST,
        target: "/service/Toy_20261129/operation/DescribeBox",
        headers: &[("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")],
        body: b"\xbf\x65Shelf\x65attic\x63Box\x65a box\xff",
    };
    let reply = world.send("reader", cbor, Rules::STANDARD).await;
    assert_eq!((reply.status, reply.content_type()), (200, Some("application/cbor")));
    assert!(reply.body.windows(7).any(|part| part == b"fragile"), "{:?}", reply.body);

    let (_, _, caller) = world.authority.find("reader").expect("known");
    let origin =
        RequestOrigin { ip: HERE, secure: true, host: None, user_agent: "git", via: Some("codecommit.amazonaws.com") };
    let behalf = Behalf { caller, region: "us-east-1", origin: &origin };
    let input = |name: &str| DescribeBoxInput { shelf: "attic".to_owned(), name: name.to_owned() };
    let found = world.performer.perform::<DescribeBox>(behalf, input("a box")).await.expect("described");
    assert_eq!((found.bytes, found.label.as_deref()), (3, Some("fragile")));
    let missing = world.performer.perform::<DescribeBox>(behalf, input("none")).await.err().expect("missing");
    assert_eq!(missing.code, "NoSuchBox");
    let last = world.records().pop().expect("records");
    assert_eq!(
        (&last["eventName"], &last["userIdentity"]["invokedBy"]),
        (&"DescribeBox".into(), &"codecommit.amazonaws.com".into())
    );
}
