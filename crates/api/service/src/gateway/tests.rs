//! The whole path of a call, with a service of two operations and an authority of two users.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Mutex;

use crypto::Key256;
use policy::{Kind, Named, Policies, Policy, Principal, Reason, Request, ResourceSide, permit};
use serde::Serialize;
use wire::SecretBlob;
use wire::shape::{Shape as _, body_bytes_max};
use wire::sigv4::{Signer, SigningKey};

use super::*;
use crate::body::BodyError;
use crate::core::{Observer, Seen};
use crate::maybe_ready::{BoxFuture, MaybeReady};
use crate::ports::{Authority, Claim, Credential, Proof};
use crate::trail::Trail;
use crate::{Call, Entry, Need, Operation, Permit, ServiceError, operations};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Things by name; only `cup` exists.
struct Toy {
    store: store::Store,
}

/// How full a thing is.
#[derive(Serialize, serde::Deserialize)]
struct Level(u32);

impl store::Record for Level {
    const COLLECTION: &'static str = "levels";
}

#[derive(Debug, thiserror::Error)]
enum ToyError {
    #[error("no thing named {0}")]
    Missing(String),
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl ServiceError for ToyError {
    fn fault(&self) -> Fault {
        match self {
            Self::Missing(_) => Fault::sender("NotFoundException", self.to_string()),
            Self::Store(_) => Fault::new("InternalException", 500, ""),
        }
    }
}

impl Service for Toy {
    const NAME: &'static str = "toy";
    const EVENT_SOURCE: &'static str = "toy.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[Protocol::json("1.1", "ToyService")];
    type Error = ToyError;

    fn operations() -> &'static [Entry<Self>] {
        operations![Take, Fill, Spill]
    }
}

wire::shape! {
    struct TakeInput {
        "Name" name: String, required, [wire::shape::Rule::Length(1, 8)];
        "Password" password: SecretBlob, optional, [];
    }
}

#[derive(Serialize)]
struct Taken {
    #[serde(rename = "Name")]
    name: String,
}

async fn find(name: &str) -> Result<String, ToyError> {
    if name == "cup" { Ok(name.to_owned()) } else { Err(ToyError::Missing(name.to_owned())) }
}

fn arn(name: &str) -> String {
    format!("arn:aws:toy:us-east-1:111122223333:thing/{name}")
}

macro_rules! toy_operation {
    ($name:ident, $effect:expr, $action:literal) => {
        struct $name;

        impl Operation for $name {
            type Service = Toy;
            const NAME: &'static str = stringify!($name);
            const AUDIT: AuditClass = $effect;
            type Input = TakeInput;
            type Output = Taken;
            type Target = String;

            async fn find(input: &TakeInput, _: &Call<'_, Toy>) -> Result<String, ToyError> {
                find(&input.name).await
            }

            fn needs(input: &TakeInput, _: Option<&String>, _: &Call<'_, Toy>) -> Vec<Need<'static>> {
                vec![Need::identity($action, arn(&input.name)).with("toy:Name", input.name.clone())]
            }

            async fn run(_: TakeInput, target: Permit<String>, call: &Call<'_, Toy>) -> Result<Taken, ToyError> {
                let name = target.into_inner();
                if $effect == AuditClass::Change {
                    call.write(&call.service.store, |tx| Ok::<_, ToyError>(tx.put("", "cup", &Level(1))?)).await?;
                    // A second transaction of the same call.
                    call.write(&call.service.store, |tx| Ok::<_, ToyError>(tx.put("", "cup", &Level(2))?)).await?;
                }
                if Self::NAME == "Spill" { Err(ToyError::Missing(name)) } else { Ok(Taken { name }) }
            }
        }
    };
}
toy_operation!(Take, AuditClass::Use, "toy:Take");
toy_operation!(Fill, AuditClass::Change, "toy:Fill");
// Changes something, and fails then.
toy_operation!(Spill, AuditClass::Change, "toy:Spill");

/// Knows users by access key; a user's policy is the map's value.
struct Users(BTreeMap<&'static str, Policy>);

impl Authority for Users {
    fn credential<'a>(&'a self, claim: Claim<'a>, _: Timestamp) -> MaybeReady<'a, Result<Credential, CredentialError>> {
        MaybeReady::boxed(async move {
            let Claim { access_key_id: id, date, region, service, .. } = claim;
            if !self.0.contains_key(id) {
                return Err(CredentialError::Unknown);
            }
            let arn = format!("arn:aws:iam::111122223333:user/{id}").parse().expect("an ARN");
            Ok(Credential {
                caller: Arc::new(Caller::new(Principal::user(arn, "AIDATOY"), id.to_owned(), Context::new(), None)),
                signing_key: Arc::new(SigningKey::derive(b"secret", date, region, service)),
            })
        })
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
        MaybeReady::boxed(async move {
            let policy = &self.0[caller.access_key_id.as_str()];
            let request = Request {
                principal: &caller.principal,
                action: need.action,
                resource: &need.resource,
                resource_account: None,
                context,
            };
            let identity = [Named { name: "own", policy }];
            Ok(permit(
                &request,
                &Policies {
                    identity: &identity,
                    boundary: None,
                    session: None,
                    service_control: &[],
                    resource: ResourceSide::None,
                },
            ))
        })
    }

    fn record_use(&self, _: &Caller, _: &'static str, _: &str, _: Timestamp) {}

    fn sealed_refusal<'a>(
        &'a self,
        _: &'a Caller,
        need: &'a Need<'a>,
        _: &'a Context<'a>,
        reason: &'a Reason,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move { Some(format!("<{} {reason}>", need.action)) })
    }
}

struct Nobody;

impl Observer for Nobody {
    fn seen(&self, _: &Seen<'_>) {}
}

struct World {
    gateway: Gateway,
    journal: Journal,
    key: Key256,
    directory: tempfile::TempDir,
    store: store::Store,
    trail: Trail,
}

use journal::Journal;

fn world() -> World {
    let directory = tempfile::tempdir().expect("a directory");
    let key = Key256::random();
    let journal = Journal::open(journal::Config::new(directory.path()), &key).expect("a journal");
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"toy:*","Resource":"*",
        "Condition":{"StringLike":{"toy:Name":"*"}}}]}"#;
    let nothing = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"toy:Nothing","Resource":"*"}]}"#;
    let users = Users(BTreeMap::from([
        ("owner", Policy::parse(allow, Kind::Identity).expect("a policy")),
        ("stranger", Policy::parse(nothing, Kind::Identity).expect("a policy")),
    ]));
    let (store, trail) = (store::Store::open_in_memory().expect("a store"), Trail::new(journal.clone()));
    let core = Core::new(Arc::new(users), trail.clone(), Arc::new(Nobody), || NOW);
    let gateway = Gateway::new(Arc::new(core)).with(Arc::new(Toy { store: store.clone() }));
    World { gateway, journal, key, directory, store, trail }
}

impl World {
    /// Everything in the trail, once nothing more comes.
    fn records(self) -> Vec<serde_json::Value> {
        drop((self.gateway, self.trail, self.store));
        self.journal.close().expect("flushed");
        let mut found = Vec::new();
        journal::read(self.directory.path(), &self.key, 0..=u64::MAX, journal::Order::OldestFirst, |record| {
            found.push(serde_json::from_slice(record.bytes).expect("JSON"));
            std::ops::ControlFlow::Continue(())
        })
        .expect("readable");
        found
    }
}

fn request(operation: &str, body: &str) -> Incoming {
    let mut headers = HeaderMap::new();
    headers.insert("host", "localhost".parse().expect("a value"));
    headers.insert("x-amz-target", operation.parse().expect("a value"));
    Incoming {
        method: http::Method::POST,
        uri: "/".parse().expect("a path"),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
        ip: Ipv4Addr::LOCALHOST.into(),
        secure: false,
    }
}

fn signed(user: &str, service: &str, operation: &str, body: &str) -> Incoming {
    let mut incoming = request(operation, body);
    let signer = Signer {
        access_key_id: user,
        secret_access_key: b"secret",
        session_token: None,
        region: "us-east-1",
        service,
        rules: Rules::STANDARD,
    };
    let parts = RequestParts { method: "POST", path: "/", query: "", headers: &incoming.headers, host: None };
    let added = signer.sign(&parts, Payload::Body(&incoming.body), NOW).expect("signed");
    incoming.headers.extend(added);
    incoming
}

fn said(reply: &Reply) -> (u16, Option<&'static str>, String) {
    (reply.status, reply.error, String::from_utf8_lossy(&reply.body).into_owned())
}

#[tokio::test]
async fn an_allowed_call_is_answered() {
    let world = world();
    let reply = world.gateway.handle(&signed("owner", "toy", "ToyService.Take", r#"{"Name":"cup"}"#)).await;
    assert_eq!(said(&reply), (200, None, r#"{"Name":"cup"}"#.to_owned()));
}

#[tokio::test]
async fn a_stranger_cannot_tell_missing_from_forbidden() {
    let world = world();
    for name in ["cup", "jug"] {
        let body = format!(r#"{{"Name":"{name}"}}"#);
        let reply = world.gateway.handle(&signed("stranger", "toy", "ToyService.Take", &body)).await;
        let expect = format!(
            r#"{{"__type":"AccessDeniedException","message":"User: arn:aws:iam::111122223333:user/stranger is not authorized to perform: toy:Take on resource: {} because no identity-based policy allows the toy:Take action. Encoded authorization failure message: <toy:Take no identity-based policy allows it>"}}"#,
            arn(name)
        );
        assert_eq!(said(&reply), (400, Some("AccessDeniedException"), expect));
        let reply = world.gateway.handle(&signed("owner", "toy", "ToyService.Take", &body)).await;
        assert_eq!(reply.error, (name == "jug").then_some("NotFoundException"));
    }
}

#[tokio::test]
async fn what_is_not_properly_signed_is_refused() {
    let world = world();
    let body = r#"{"Name":"cup"}"#;
    let mut changed_body = signed("owner", "toy", "ToyService.Take", body);
    changed_body.body = Bytes::from_static(br#"{"Name":"jug"}"#);
    let mut changed_target = signed("owner", "toy", "ToyService.Take", body);
    changed_target.headers.insert("x-amz-target", "ToyService.Fill".parse().expect("a value"));
    for (incoming, code) in [
        (request("ToyService.Take", body), "MissingAuthenticationTokenException"),
        (signed("nobody", "toy", "ToyService.Take", body), "UnrecognizedClientException"),
        (signed("owner", "iam", "ToyService.Take", body), "InvalidSignatureException"),
        (changed_body, "InvalidSignatureException"),
        (changed_target, "InvalidSignatureException"),
    ] {
        let reply = world.gateway.handle(&incoming).await;
        assert_eq!(reply.error, Some(code), "{:?}", said(&reply));
    }
}

#[tokio::test]
async fn bad_input_is_answered_as_aws_answers_it() {
    let world = world();
    for (operation, body, code) in [
        ("ToyService.Take", "{", "SerializationException"),
        ("ToyService.Take", r#"{"Name":1}"#, "SerializationException"),
        ("ToyService.Take", "{}", "ValidationException"),
        ("ToyService.Take", r#"{"Name":"far too long"}"#, "ValidationException"),
        ("ToyService.Break", "{}", "UnknownOperationException"),
        ("OtherService.Take", "{}", "UnknownOperationException"),
        ("ToyService", "{}", "UnknownOperationException"),
    ] {
        let reply = world.gateway.handle(&signed("owner", "toy", operation, body)).await;
        assert_eq!(reply.error, Some(code), "{operation} {body}");
    }
}

#[tokio::test]
async fn every_call_is_in_the_trail_and_no_secret_is() {
    let world = world();
    world.store.attach(Arc::new(world.trail.clone()));
    world.store.tidy().await.expect("handed over");
    let with_secret = r#"{"Name":"cup","Password":"c2VzYW1l"}"#;
    let calls = [
        (signed("owner", "toy", "ToyService.Take", with_secret), "Take", "owner", None),
        (signed("owner", "toy", "ToyService.Fill", with_secret), "Fill", "owner", None),
        (signed("stranger", "toy", "ToyService.Take", with_secret), "Take", "stranger", Some("AccessDeniedException")),
        (request("ToyService.Take", "{}"), "Take", "", Some("MissingAuthenticationTokenException")),
        (signed("owner", "toy", "ToyService.Break", "{}"), "-", "owner", Some("UnknownOperationException")),
    ];
    let mut expected = Vec::new();
    for (incoming, event, user, error) in calls {
        let reply = world.gateway.handle(&incoming).await;
        expected.push((event.to_owned(), user.to_owned(), error.map(str::to_owned), reply.request_id));
    }
    drop((world.gateway, world.trail, world.store));
    world.journal.close().expect("flushed");
    let mut found = Vec::new();
    journal::read(world.directory.path(), &world.key, 0..=u64::MAX, journal::Order::OldestFirst, |record| {
        let text = String::from_utf8(record.bytes.to_vec()).expect("UTF-8");
        assert!(!text.contains("c2VzYW1l") && !text.contains("sesame"), "{text}");
        let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        found.push((
            text("eventName").expect("a name"),
            event["userIdentity"]["userName"].as_str().unwrap_or_default().to_owned(),
            text("errorCode"),
            text("requestID").expect("an id"),
        ));
        assert_eq!(event["eventTime"], NOW.iso8601());
        std::ops::ControlFlow::Continue(())
    })
    .expect("readable");
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_change_carries_its_record_and_a_failure_after_it_has_another() {
    let world = world();
    let fill = signed("owner", "toy", "ToyService.Fill", r#"{"Name":"cup"}"#);
    let spill = signed("owner", "toy", "ToyService.Spill", r#"{"Name":"cup"}"#);
    let filled = world.gateway.handle(&fill).await;
    let spilt = world.gateway.handle(&spill).await;
    assert_eq!((filled.error, spilt.error), (None, Some("NotFoundException")));
    // Nobody has taken the records of the changes yet: they are where the changes are.
    assert_eq!(world.store.standing().expect("it").recorded, 2, "one for each call");
    world.store.attach(Arc::new(world.trail.clone()));
    world.store.tidy().await.expect("handed over");
    let records = world.records();
    let brief = |record: &serde_json::Value| {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        (text("eventName"), text("requestID"), text("errorCode"))
    };
    let id = |reply: &Reply| reply.request_id.clone();
    assert_eq!(
        records.iter().map(brief).collect::<Vec<_>>(),
        [
            ("Spill".to_owned(), id(&spilt), "NotFoundException".to_owned()),
            ("Fill".to_owned(), id(&filled), String::new()),
            ("Spill".to_owned(), id(&spilt), String::new()),
        ]
    );
    let ids: std::collections::BTreeSet<_> = records.iter().map(|record| record["eventID"].to_string()).collect();
    assert_eq!(ids.len(), 3, "each record has an id of its own");
}

#[tokio::test]
async fn strangers_write_little() {
    let world = world();
    let long = "x".repeat(20_000);
    let mut bare = request("ToyService.Take", r#"{"Name":"cup"}"#);
    bare.headers.insert("user-agent", long.parse().expect("a value"));
    for _ in 0..500 {
        assert_eq!(world.gateway.handle(&bare).await.error, Some("MissingAuthenticationTokenException"));
    }
    let mut unknown = signed(&long[..100], "toy", "ToyService.Take", r#"{"Name":"cup"}"#);
    unknown.ip = Ipv4Addr::new(127, 0, 0, 2).into();
    unknown.headers.insert("user-agent", long.parse().expect("a value"));
    assert_eq!(world.gateway.handle(&unknown).await.error, Some("UnrecognizedClientException"));
    world.trail.record_suppressed(NOW.plus_days(1)).expect("kept");
    let records = world.records();
    assert_eq!(records.len(), 10 + 1 + 1, "ten of one source, one of the other, and the rest together");
    let counted = records.last().expect("one");
    assert_eq!(counted["additionalEventData"]["callsCountedTogether"], 490);
    assert_eq!(counted["sourceIPAddress"], "127.0.0.1");
    for record in &records {
        assert!(record.to_string().len() < 2048, "{}", record.to_string().len());
    }
}

#[tokio::test]
async fn a_change_is_refused_before_it_is_made_when_its_record_has_no_room() {
    let world = world();
    let _all = world.journal.reserve(31 << 20).expect("room");
    let _rest = world.journal.reserve((1 << 20) - 4096).expect("room");
    let fill = world.gateway.handle(&signed("owner", "toy", "ToyService.Fill", r#"{"Name":"cup"}"#)).await;
    assert_eq!((fill.status, fill.error), (503, Some("ServiceUnavailableException")));
    assert_eq!(world.store.standing().expect("it").recorded, 0);
    let level = world.store.read(|tx| tx.get::<Level>("", "cup")).await.expect("read");
    assert!(level.is_none(), "nothing was changed");
}

/// Forms, one of which is taken from nobody in particular.
struct Forms;

#[derive(Debug, thiserror::Error)]
enum FormsError {
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl ServiceError for FormsError {
    fn fault(&self) -> Fault {
        Fault::new("InternalFailure", 500, "")
    }
}

impl Service for Forms {
    const NAME: &'static str = "forms";
    const EVENT_SOURCE: &'static str = "forms.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[Protocol::query("https://forms.amazonaws.com/doc/2020-01-01/")];
    const UNSIGNED: &'static [&'static str] = &["Fill"];
    type Error = FormsError;

    fn operations() -> &'static [Entry<Self>] {
        operations![FillForm, StoreForm]
    }
}

wire::shape! {
    struct FormInput {
        "Text" text: String, required, [wire::shape::Rule::Length(1, 10_000)];
    }
}

wire::shape! {
    struct ShortFormInput {
        "Text" text: String, required, [wire::shape::Rule::Length(1, 8)];
    }
}

macro_rules! form_operation {
    ($kind:ident, $name:literal, $input:ident) => {
        struct $kind;

        impl Operation for $kind {
            type Service = Forms;
            const NAME: &'static str = $name;
            const AUDIT: AuditClass = AuditClass::Use;
            type Input = $input;
            type Output = ();
            type Target = ();

            async fn find(_: &$input, _: &Call<'_, Forms>) -> Result<(), FormsError> {
                Ok(())
            }

            fn needs(_: &$input, _: Option<&()>, _: &Call<'_, Forms>) -> Vec<Need<'static>> {
                Vec::new()
            }

            async fn run(_: $input, _: Permit<()>, _: &Call<'_, Forms>) -> Result<(), FormsError> {
                Ok(())
            }
        }
    };
}
form_operation!(FillForm, "Fill", ShortFormInput);
form_operation!(StoreForm, "Store", FormInput);

fn form(user: Option<&str>, body: &str) -> Incoming {
    let Some(user) = user else {
        let mut unsigned = request("-", body);
        unsigned.headers.remove("x-amz-target");
        return unsigned;
    };
    let mut incoming = form(None, body);
    let signer = Signer {
        access_key_id: user,
        secret_access_key: b"secret",
        session_token: None,
        region: "us-east-1",
        service: "forms",
        rules: Rules::STANDARD,
    };
    let parts = RequestParts { method: "POST", path: "/", query: "", headers: &incoming.headers, host: None };
    let added = signer.sign(&parts, Payload::Body(&incoming.body), NOW).expect("signed");
    incoming.headers.extend(added);
    incoming
}

/// Which operations were seen.
#[derive(Default)]
struct Names(Mutex<Vec<&'static str>>);

impl Observer for Names {
    fn seen(&self, call: &Seen<'_>) {
        self.0.lock().expect("no panic").push(call.operation);
    }
}

#[tokio::test]
async fn nothing_is_read_of_a_body_whose_sender_is_not_known() {
    let mut world = world();
    let names = Arc::new(Names::default());
    Arc::get_mut(&mut world.gateway.core).expect("one gateway").observer = Arc::<Names>::clone(&names);
    let gateway = world.gateway.with(Arc::new(Forms));
    let long = format!("Action=Fill&Text=abc&Ignored={}", "a".repeat(UNSIGNED_BODY_BYTES_MAX));
    let mut changed = form(Some("owner"), "Action=Store&Text=a");
    changed.body = Bytes::from_static(b"Action=Store&Text=b");
    for (incoming, operation, error) in [
        (form(Some("owner"), "Action=Store&Text=a"), "Store", None),
        (form(Some("owner"), "Action=Other"), "-", Some("InvalidAction")),
        (form(None, "Action=Fill&Text=abc"), "Fill", None),
        (form(None, "Action=Store&Text=abc"), "-", Some("MissingAuthenticationTokenException")),
        (form(None, &long), "-", Some("RequestEntityTooLargeException")),
        (form(Some("nobody"), "Action=Store&Text=a"), "-", Some("InvalidClientTokenId")),
        (changed, "-", Some("SignatureDoesNotMatch")),
    ] {
        let reply = gateway.handle(&incoming).await;
        assert_eq!(reply.error, error, "{:?}", said(&reply));
        assert_eq!(names.0.lock().expect("no panic").pop(), Some(operation), "{error:?}");
    }
}

/// A body that is never there, and remembers how many bytes were asked for.
struct Asked(Arc<Mutex<Option<usize>>>);

impl RequestBody for Asked {
    async fn whole(&mut self, bytes_max: usize) -> Result<Bytes, BodyError> {
        *self.0.lock().expect("no panic") = Some(bytes_max);
        Err(BodyError::Aborted)
    }

    fn stated_length(&self) -> Option<u64> {
        None
    }

    fn stream(&mut self) -> crate::ByteStream {
        Bytes::new().stream()
    }
}

#[tokio::test]
async fn a_body_is_no_longer_than_its_operation_has_use_for() {
    let gateway = world().gateway.with(Arc::new(Forms));
    let most = async |incoming: &Incoming| {
        let asked = Arc::new(Mutex::new(None));
        let reply = gateway.serve(incoming.head(), Asked(Arc::clone(&asked))).await;
        let asked = *asked.lock().expect("no panic");
        assert!(asked.is_none() || reply.error == Some("IncompleteBody"), "{:?}", reply.error);
        asked
    };
    let store = body_bytes_max(FormInput::MEMBERS);
    assert!(store > BODY_BYTES_LEAST);
    // Only the parameters say which of a service's operations it is.
    assert_eq!(most(&form(Some("owner"), "Action=Fill")).await, Some(store));
    for incoming in [
        form(None, "Action=Store"),
        signed("owner", "toy", "ToyService.Fill", "{}"),
        signed("owner", "toy", "ToyService.Unknown", "{}"),
        signed("owner", "other", "-", "{}"),
    ] {
        assert_eq!(most(&incoming).await, Some(BODY_BYTES_LEAST), "{:?}", incoming.headers);
    }
    // Whoever names no credential that is known for this service sends no body.
    for incoming in [
        request("ToyService.Fill", "{}"),
        signed("nobody", "toy", "ToyService.Fill", "{}"),
        signed("owner", "other", "ToyService.Fill", "{}"),
        form(Some("nobody"), "Action=Fill"),
    ] {
        assert_eq!(most(&incoming).await, None, "{:?}", incoming.headers);
    }
    let padding = "a".repeat(BODY_BYTES_LEAST);
    for (action, error) in [("Fill", Some("RequestEntityTooLarge")), ("Store", None)] {
        let reply = gateway.handle(&form(Some("owner"), &format!("Action={action}&Text=a&Ignored={padding}"))).await;
        assert_eq!(reply.error, error, "{action}");
    }
}
