//! Whole calls, from a signed request to an answer, with real policies, a real KMS and a clock that the tests turn.

mod access;
mod configurations;
mod cross_origin;
mod forms;
mod lifecycles;
mod lists;
mod matrix;
mod multipart;
mod names;
mod objects;

use std::cell::Cell;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, RwLock};

use buckets::{Condition, Details, EntryVersion, Etag, Headers, ObjectKey, Protection, Put, Sealed};
use bytes::Bytes;
use crypto::Key256;
use http::{HeaderMap, HeaderName, Method};
use http_body_util::BodyExt as _;
use journal::Journal;
use kms::{Kms, ServiceDataKeys};
use policy::{Context, Kind, Named, Policies, Policy, Principal, Reason, Request, ResourceSide, permit};
use serde_json::{Value, json};
use service::ports::{Authority, Claim, Credential, CredentialError, EventDelivery, Principals, Proof};
use service::{
    BoxFuture, Caller, Core, Deliveries, Gateway, Head, MaybeReady, Need, Observer, Performer, ResourcePolicy, Seen,
    Trail,
};
use store::{Store, StoreError, Tx};
use wire::sigv4::{Payload, RequestParts, Rules, Signer, SigningKey};
use wire::{Arn, Timestamp};

use crate::S3;
use crate::record::BucketRecord;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER_ACCOUNT: &str = "444455556666";
pub(crate) const REGION: &str = "us-east-1";
const START: i64 = 1_790_000_000_000;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(START) };
}

/// Whoever calls: an identity and what its policies say.
struct Identity {
    caller: Arc<Caller>,
    policies: Vec<Policy>,
}

/// The users that exist.
#[derive(Default)]
pub(crate) struct People {
    identities: RwLock<HashMap<String, Identity>>,
}

impl Authority for People {
    fn credential<'a>(&'a self, claim: Claim<'a>, _: Timestamp) -> MaybeReady<'a, Result<Credential, CredentialError>> {
        let identities = self.identities.read().expect("no test panicked");
        let Claim { access_key_id, date, region, service, .. } = claim;
        let credential = identities.get(access_key_id).map(|identity| Credential {
            caller: Arc::clone(&identity.caller),
            signing_key: Arc::new(SigningKey::derive(b"secret", date, region, service)),
        });
        MaybeReady::ready(credential.ok_or(CredentialError::Unknown))
    }

    fn authenticate<'a>(&'a self, _: Proof<'a>, _: Timestamp) -> BoxFuture<'a, Result<Arc<Caller>, CredentialError>> {
        Box::pin(async { Err(CredentialError::Unknown) })
    }

    fn decide<'a>(
        &'a self,
        caller: &'a Caller,
        need: &'a Need<'a>,
        context: &'a Context<'a>,
    ) -> MaybeReady<'a, Result<Result<(), Reason>, StoreError>> {
        let identities = self.identities.read().expect("no test panicked");
        let policies = identities.get(&caller.access_key_id).map_or(&[][..], |identity| &identity.policies);
        let named: Vec<_> = policies.iter().map(|policy| Named { name: "own", policy }).collect();
        let request = Request {
            principal: &caller.principal,
            action: need.action,
            resource: &need.resource,
            resource_account: need.owner().filter(|owner| !owner.is_empty()),
            context,
        };
        let resource = match &need.guard {
            ResourcePolicy::Shared(policy) => ResourceSide::Shared(Named { name: "bucket policy", policy }),
            ResourcePolicy::Mandatory(policy) => ResourceSide::Mandatory(Named { name: "key policy", policy }),
            _ => ResourceSide::None,
        };
        MaybeReady::ready(Ok(permit(&request, &Policies { identity: &named, resource, ..Policies::default() })))
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

impl Principals for People {
    fn unique_id<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let id = match arn.resource() {
                "root" => Some(arn.account().to_owned()),
                name => name.strip_prefix("user/").filter(|name| *name != "missing").map(|name| format!("AIDA{name}")),
            };
            Ok(id)
        })
    }
}

struct Nobody;

impl Observer for Nobody {
    fn seen(&self, _: &Seen<'_>) {}
}

/// Takes the messages of events.
#[derive(Default)]
struct Taken(Mutex<Vec<(String, Value)>>);

impl EventDelivery for Taken {
    fn deliver<'a>(&'a self, destination: &'a str, message: &'a str) -> BoxFuture<'a, Result<(), String>> {
        let message = serde_json::from_str(message).expect("JSON");
        self.0.lock().expect("no test panicked").push((destination.to_owned(), message));
        Box::pin(async { Ok(()) })
    }
}

/// A server in memory.
pub(crate) struct World {
    s3: Arc<S3>,
    people: Arc<People>,
    deliveries: Deliveries,
    taken: Arc<Taken>,
    gateway: Gateway,
    _directory: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) error: Option<&'static str>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl World {
    /// A server with two accounts. Of the first: `admin`, whose policies allow everything, `reader`, who may read and list,
    /// and `nobody`, who may nothing. Of the second: `stranger`, whose policies allow everything.
    pub(crate) fn new() -> Self {
        NOW.set(START);
        let store = Store::open_in_memory().expect("a store");
        let directory = tempfile::tempdir().expect("a directory");
        let journal = Journal::open(journal::Config::new(directory.path()), &Key256::random()).expect("a journal");
        let people = Arc::new(People::default());
        let trail = Trail::new(journal);
        store.attach(Arc::new(trail.clone()));
        let clock = || Timestamp::from_millis(NOW.get());
        let core = Arc::new(Core::new(people.clone(), trail, Arc::new(Nobody), clock));
        let taken = Arc::new(Taken::default());
        let deliveries = Deliveries::new(store.clone(), taken.clone());
        let kms = Arc::new(Kms::new(store.clone(), people.clone()));
        let data_keys = ServiceDataKeys::new(Performer::new(Arc::clone(&core), Arc::clone(&kms)));
        let blobs = blobs::Blobs::in_directory(&directory.path().join("blobs")).expect("blobs");
        let contents = buckets::Contents::new(store.clone(), blobs);
        let s3 = Arc::new(S3::new(store, contents, people.clone(), Arc::new(data_keys)));
        let gateway = Gateway::new(core).with(kms).with(Arc::clone(&s3));
        let world = Self { s3, people, deliveries, taken, gateway, _directory: directory };
        for (name, account) in [("admin", ACCOUNT), ("stranger", OTHER_ACCOUNT)] {
            world.user(name, account, &[allow(&json!("*"), "*")]);
        }
        world.user("reader", ACCOUNT, &[allow(&json!(["s3:Get*", "s3:List*"]), "*")]);
        world.user("nobody", ACCOUNT, &[]);
        world
    }

    /// Adds a user, or changes one, who has a policy of each of the statements.
    pub(crate) fn user(&self, name: &str, account: &str, statements: &[Value]) {
        let policy = |statement: &Value| {
            let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
            Policy::parse(&text, Kind::Identity).expect("a policy")
        };
        let principal = Principal::user(user_arn(account, name).parse().expect("an ARN"), format!("AIDA{name}"));
        let caller = Arc::new(Caller::new(principal, name.to_owned(), Context::new(), None));
        let policies = statements.iter().map(policy).collect();
        self.people
            .identities
            .write()
            .expect("no test panicked")
            .insert(name.to_owned(), Identity { caller, policies });
    }

    /// Sends a request, such as `GET /b?acl`, with headers and a body.
    pub(crate) async fn send(&self, caller: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send_in(REGION, caller, request, headers, body).await
    }

    /// As [`send`](Self::send), signed for another Region.
    pub(crate) async fn send_in(
        &self,
        region: &str,
        caller: &str,
        request: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.send_to(("s3", region), caller, request, headers, body).await
    }

    /// As [`send`](Self::send), to another service.
    pub(crate) async fn send_to(
        &self,
        (service, region): (&str, &str),
        caller: &str,
        request: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let (method, target) = request.split_once(' ').expect("a method and a target");
        let uri: http::Uri = target.parse().expect("a target");
        let mut map = HeaderMap::new();
        map.insert("host", "s3.example.com:8443".parse().expect("a value"));
        for (name, value) in headers {
            map.insert(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
        }
        let parts = RequestParts {
            method,
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: &map,
            host: None,
        };
        let signer = Signer {
            access_key_id: caller,
            secret_access_key: b"secret",
            session_token: None,
            region,
            service,
            rules: if service == "s3" { Rules::S3 } else { Rules::STANDARD },
        };
        let now = Timestamp::from_millis(NOW.get());
        let signed = signer.sign(&parts, Payload::Body(body), now).expect("signs");
        map.extend(signed);
        let method: Method = method.parse().expect("a method");
        self.deliver(&method, &uri, &map, body).await
    }

    /// Sends a request as it is.
    pub(crate) async fn deliver(&self, method: &Method, uri: &http::Uri, headers: &HeaderMap, body: &[u8]) -> Answer {
        let ip = Ipv4Addr::LOCALHOST.into();
        let head = Head { method, uri, headers, ip, secure: true };
        let reply = self.gateway.serve(head, Bytes::copy_from_slice(body)).await;
        let body = match reply.stream {
            Some(stream) => stream.collect().await.expect("a whole stream").to_bytes(),
            None => reply.body.into(),
        };
        Answer { status: reply.status, error: reply.error, headers: reply.headers, body }
    }

    async fn record(&self, bucket: &str) -> BucketRecord {
        let name = bucket.to_owned();
        let found = self.s3.store.read(move |tx| tx.get::<BucketRecord>("", &name)).await;
        found.expect("read").expect("a bucket")
    }

    /// Puts an object past the operations, and returns its version.
    pub(crate) async fn object(&self, bucket: &str, key: &str, content: &[u8]) -> EntryVersion {
        let S3 { store, contents, .. } = &*self.s3;
        let record = self.record(bucket).await;
        let objects = record.objects().expect("an id");
        let mut writer = contents.writer(&objects, &Arc::new(ObjectKey::generate()), Etag::Md5);
        writer.write(Bytes::copy_from_slice(content)).await.expect("written");
        let content = writer.finish().await.expect("finished");
        let details = details(content.etag.clone());
        let (put, key) = (put(&record), key.to_owned());
        let change = move |tx: &mut Tx<'_>| objects.put(tx, &key, details, &content, &put);
        store.write(change).await.expect("put")
    }

    /// Deletes an object past the operations.
    pub(crate) async fn delete_object(&self, bucket: &str, key: &str) {
        let store = &self.s3.store;
        let (record, key) = (self.record(bucket).await, key.to_owned());
        let (objects, put) = (record.objects().expect("an id"), put(&record));
        store.write(move |tx: &mut Tx<'_>| objects.delete(tx, &key, &put)).await.expect("deleted");
    }

    /// Begins an upload past the operations.
    pub(crate) async fn upload(&self, bucket: &str, key: &str) {
        let (record, key) = (self.record(bucket).await, key.to_owned());
        let (objects, now_ms) = (record.objects().expect("an id"), u64::try_from(NOW.get()).expect("after 1970"));
        let begin = move |tx: &mut Tx<'_>| objects.begin_upload(tx, &key, details(String::new()), None, now_ms);
        self.s3.store.write(begin).await.expect("begun");
    }

    /// Carries out the rules of all buckets. Returns how many versions, markers and uploads were removed.
    pub(crate) async fn carry_out_lifecycles(&self) -> usize {
        self.s3.carry_out_lifecycles(Timestamp::from_millis(NOW.get())).await.expect("carried out")
    }

    /// Delivers the events that wait. Returns destinations and messages.
    pub(crate) async fn delivered(&self) -> Vec<(String, Value)> {
        self.deliveries.deliver_due(Timestamp::from_millis(NOW.get())).await.expect("delivered");
        std::mem::take(&mut *self.taken.0.lock().expect("no test panicked"))
    }

    /// Lets time pass.
    pub(crate) fn pass_seconds(&self, seconds: i64) {
        NOW.set(NOW.get() + seconds * 1000);
    }

    /// Sends a request that must succeed, with an XML body.
    pub(crate) async fn done(&self, caller: &str, request: &str, body: &str) -> Answer {
        let answer = self.send(caller, request, &[], body.as_bytes()).await;
        assert_eq!(answer.error, None, "{request} by {caller}: {}", answer.text());
        answer
    }

    /// Sends a request that must fail. Returns the error's name.
    pub(crate) async fn refused(&self, caller: &str, request: &str, body: &str) -> &'static str {
        let answer = self.send(caller, request, &[], body.as_bytes()).await;
        answer.error.unwrap_or_else(|| panic!("{request} by {caller} succeeded: {}", answer.text()))
    }
}

/// The details of a plain version.
fn details(etag: String) -> Details {
    Details {
        etag,
        headers: Headers::default(),
        metadata: Vec::new(),
        tags: Vec::new(),
        storage_class: None,
        checksum: None,
        protection: Protection::Bucket(Sealed(Vec::new())),
        retention: None,
        legal_hold: false,
    }
}

/// How a version is put into a bucket now.
fn put(record: &BucketRecord) -> Put {
    let versioning = record.object_versioning();
    Put { versioning, condition: Condition::None, now_ms: u64::try_from(NOW.get()).expect("after 1970") }
}

pub(crate) fn user_arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user/{name}")
}

/// A statement that allows actions on a resource.
pub(crate) fn allow(actions: &Value, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

/// A bucket policy of one statement.
pub(crate) fn policy_of(principal: &Value, actions: &Value, resources: &Value) -> String {
    let statement = json!({"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": resources});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}
