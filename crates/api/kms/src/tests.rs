//! Whole calls, from a signed request to an answer, with real policies and a clock that the tests turn.

mod aliases;
mod authorisation;
mod coherence;
mod data_keys;
mod destruction;
mod domain_keys;
mod grants;
mod imports;
mod key_stores;
mod keys;
mod last_usage;
mod managed_keys;
mod matrix;
mod multi_region;
mod policies;
mod rotations;
mod shapes;
mod specs;
mod speed;
mod states;
mod usage;

use std::cell::Cell;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, RwLock};

use crypto::Key256;
use journal::Journal;
use policy::{Context, Kind, Named, Policies, Policy, Principal, Reason, Request, ResourceSide, permit};
use serde_json::{Value, json};
use service::ports::{Authority, Claim, Credential, CredentialError, Principals, Proof};
use service::{
    BoxFuture, Caller, Core, Gateway, Incoming, MaybeReady, Need, Observer, Regions, ResourcePolicy, Seen, Trail,
};
use store::{Store, StoreError};
use wire::sigv4::{Payload, RequestParts, Rules, Signer, SigningKey};
use wire::{Arn, Timestamp};

use crate::Kms;
use crate::error::KmsError;
use crate::record::{KeyRecord, domain};

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
    policy: Option<Policy>,
}

/// The users and roles that exist.
#[derive(Default)]
pub(crate) struct People {
    identities: RwLock<HashMap<String, Identity>>,
    ids: RwLock<HashMap<String, String>>,
}

impl Authority for People {
    fn credential<'a>(&'a self, claim: Claim<'a>, _: Timestamp) -> MaybeReady<'a, Result<Credential, CredentialError>> {
        MaybeReady::boxed(async move {
            let identities = self.identities.read().expect("no test panicked");
            let identity = identities.get(claim.access_key_id).ok_or(CredentialError::Unknown)?;
            let Claim { date, region, service, .. } = claim;
            Ok(Credential {
                caller: Arc::clone(&identity.caller),
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
    ) -> MaybeReady<'a, Result<Result<(), Reason>, StoreError>> {
        MaybeReady::boxed(async move {
            let identities = self.identities.read().expect("no test panicked");
            let identity = &identities[&caller.access_key_id];
            let named: Vec<_> = identity.policy.iter().map(|policy| Named { name: "own", policy }).collect();
            let resource = |policy| Named { name: "key policy", policy };
            let request = Request {
                principal: &caller.principal,
                action: need.action,
                resource: &need.resource,
                resource_account: need.resource.split(':').nth(4),
                context,
            };
            let resource = match &need.guard {
                ResourcePolicy::Mandatory(policy) => ResourceSide::Mandatory(resource(policy)),
                ResourcePolicy::Granted(policy) => ResourceSide::Granted(resource(policy)),
                ResourcePolicy::GrantedToSession(policy) => ResourceSide::GrantedToSession(resource(policy)),
                _ => ResourceSide::None,
            };
            Ok(permit(&request, &Policies { identity: &named, resource, ..Policies::default() }))
        })
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
        Box::pin(async move { Ok(self.ids.read().expect("no test panicked").get(arn.as_str()).cloned()) })
    }
}

struct Nobody;

impl Observer for Nobody {
    fn seen(&self, _: &Seen<'_>) {}
}

/// A server in memory.
pub(crate) struct World {
    pub(crate) kms: Arc<Kms>,
    pub(crate) people: Arc<People>,
    pub(crate) store: Store,
    gateway: Gateway,
    core: Arc<Core>,
    _directory: tempfile::TempDir,
}

/// Outcome of a call: the answer, or `Code: message`.
pub(crate) type Answer = Result<Value, String>;

impl World {
    /// A server with two accounts. Of the first: `root`; `admin`, whose identity policies allow everything; `alice` and
    /// `bob`, who have none; `worker`, a session of a role. Of the second: `stranger` and `other-root`.
    pub(crate) fn new() -> Self {
        Self::over(Store::open_in_memory().expect("a store"))
    }

    pub(crate) fn over(store: Store) -> Self {
        Self::with(store, |kms| kms)
    }

    /// The same with what `configure` adds to KMS.
    pub(crate) fn with(store: Store, configure: impl FnOnce(Kms) -> Kms) -> Self {
        NOW.set(START);
        let directory = tempfile::tempdir().expect("a directory");
        let journal = Journal::open(journal::Config::new(directory.path()), &Key256::random()).expect("a journal");
        let people = Arc::new(People::default());
        let kms = Arc::new(configure(Kms::new(store.clone(), people.clone())));
        let clock = || Timestamp::from_millis(NOW.get());
        let trail = Trail::new(journal);
        store.attach(Arc::new(trail.clone()));
        let core = Core::new(people.clone(), trail, Arc::new(Nobody), clock).in_regions(kms.regions.clone());
        let core = Arc::new(core);
        let gateway = Gateway::new(Arc::clone(&core)).with(Arc::clone(&kms));
        let world = Self { kms, people, store, gateway, core, _directory: directory };
        for (name, account) in [("root", ACCOUNT), ("other-root", OTHER_ACCOUNT)] {
            world.add(name, Principal::root(account), None);
        }
        let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        world.user("admin", ACCOUNT, "AIDAADMIN", Some(everything));
        world.user("alice", ACCOUNT, "AIDAALICE", None);
        world.user("bob", ACCOUNT, "AIDABOB", None);
        world.user("stranger", OTHER_ACCOUNT, "AIDASTRANGER", None);
        let role: Arn = role_arn("Worker").parse().expect("an ARN");
        let session: Arn = session_arn("Worker", "shift").parse().expect("an ARN");
        world.people.ids.write().expect("no test panicked").insert(role.to_string(), "AROAWORKER".to_owned());
        world.add("worker", Principal::role_session(session, role, "AROAWORKER"), None);
        world
    }

    fn add(&self, name: &str, principal: Principal, statement: Option<Value>) {
        let policy = statement.map(|statement| {
            let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
            Policy::parse(&text, Kind::Identity).expect("a policy")
        });
        let mut ids = self.people.ids.write().expect("no test panicked");
        if !principal.arn.as_str().contains(":assumed-role/") {
            ids.insert(principal.arn.to_string(), principal.unique_id.clone());
        }
        let mut identities = self.people.identities.write().expect("no test panicked");
        let caller = Arc::new(Caller::new(principal, name.to_owned(), Context::new(), None));
        identities.insert(name.to_owned(), Identity { caller, policy });
    }

    /// Adds a user, or changes one.
    pub(crate) fn user(&self, name: &str, account: &str, id: &str, statement: Option<Value>) {
        let arn = user_arn(account, name).parse().expect("an ARN");
        self.add(name, Principal::user(arn, id), statement);
    }

    /// Takes a user away.
    pub(crate) fn remove_user(&self, name: &str, account: &str) {
        self.people.ids.write().expect("no test panicked").remove(&user_arn(account, name));
        self.people.identities.write().expect("no test panicked").remove(name);
    }

    /// Lets time pass.
    pub(crate) fn pass_days(&self, days: i64) {
        NOW.set(self.now().plus_days(days).millis());
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW.get())
    }

    /// A signed request of `caller`.
    pub(crate) fn request(&self, caller: &str, region: &str, operation: &str, body: &str) -> Incoming {
        let mut headers = http::HeaderMap::new();
        headers.insert("host", "localhost".parse().expect("a value"));
        headers.insert("x-amz-target", format!("TrentService.{operation}").parse().expect("a value"));
        let parts = RequestParts { method: "POST", path: "/", query: "", headers: &headers, host: None };
        let signer = Signer {
            access_key_id: caller,
            secret_access_key: b"secret",
            session_token: None,
            region,
            service: "kms",
            rules: Rules::STANDARD,
        };
        let signed = signer.sign(&parts, Payload::Body(body.as_bytes()), self.now()).expect("signs");
        headers.extend(signed);
        Incoming {
            method: http::Method::POST,
            uri: "/".parse().expect("a path"),
            headers,
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
            ip: Ipv4Addr::LOCALHOST.into(),
            secure: false,
        }
    }

    pub(crate) async fn call_in(&self, region: &str, caller: &str, operation: &str, input: Value) -> Answer {
        let reply = self.gateway.handle(&self.request(caller, region, operation, &input.to_string())).await;
        let body: Value =
            if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).expect("JSON") };
        match reply.error {
            None => Ok(body),
            Some(code) => {
                assert_eq!(reply.status, if code == "KMSInternalException" { 500 } else { 400 });
                let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
                Err(format!("{code}: {message}"))
            }
        }
    }

    pub(crate) async fn call(&self, caller: &str, operation: &str, input: Value) -> Answer {
        self.call_in(REGION, caller, operation, input).await
    }

    /// As [`call`](Self::call), for what must succeed.
    pub(crate) async fn done(&self, caller: &str, operation: &str, input: Value) -> Value {
        match self.call(caller, operation, input.clone()).await {
            Ok(answer) => answer,
            Err(error) => panic!("{operation} by {caller} with {input} failed: {error}"),
        }
    }

    /// As [`call`](Self::call), for what must fail.
    pub(crate) async fn refused(&self, caller: &str, operation: &str, input: Value) -> String {
        match self.call(caller, operation, input.clone()).await {
            Ok(_) => panic!("{operation} by {caller} with {input} succeeded"),
            Err(error) => error,
        }
    }

    /// Makes a key with the default policy and returns its id.
    pub(crate) async fn key(&self) -> String {
        text(&self.done("admin", "CreateKey", json!({})).await["KeyMetadata"]["KeyId"])
    }

    /// Makes a key of another spec with the default policy and returns its id.
    pub(crate) async fn key_of(&self, spec: &str, usage: &str) -> String {
        let input = json!({"KeySpec": spec, "KeyUsage": usage});
        text(&self.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"])
    }

    /// Makes a key whose policy has these statements, besides the account's.
    pub(crate) async fn key_with(&self, statements: &[Value]) -> String {
        let policy = policy_with(statements);
        text(&self.done("admin", "CreateKey", json!({"Policy": policy})).await["KeyMetadata"]["KeyId"])
    }

    /// Changes a key's record behind KMS's back.
    pub(crate) async fn change_record(&self, key: &str, change: impl FnOnce(&mut KeyRecord) + Send + 'static) {
        let key = key.to_owned();
        let written = self.store.write(move |tx| {
            let mut record = tx.get::<KeyRecord>(&domain(ACCOUNT, REGION), &key)?.expect("the key");
            change(&mut record);
            tx.put(&domain(ACCOUNT, REGION), &key, &record)?;
            Ok::<_, KmsError>(())
        });
        written.await.expect("writes");
    }

    /// Encrypts `text` and returns the ciphertext in base64.
    pub(crate) async fn encrypted(&self, key: &str, text: &str) -> Value {
        let input = json!({"KeyId": key, "Plaintext": base64(text.as_bytes())});
        self.done("admin", "Encrypt", input).await["CiphertextBlob"].take()
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn from_base64(value: &Value) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(value.as_str().expect("text")).expect("base64")
}

pub(crate) fn user_arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user/{name}")
}

pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

pub(crate) fn session_arn(role: &str, session: &str) -> String {
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}")
}

pub(crate) fn arn_of(key: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}")
}

/// A key policy of the account's statement and these.
pub(crate) fn policy_with(statements: &[Value]) -> String {
    let root = json!({
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*",
    });
    let statements: Vec<_> = std::iter::once(&root).chain(statements).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// A statement that lets a user do something.
pub(crate) fn allow(user: &str, action: Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": user_arn(ACCOUNT, user)}, "Action": action, "Resource": "*"})
}

/// AWS's error for a caller whom no `why` policy allows an action on a key.
pub(crate) fn denied(user: &str, action: &str, key: &str, why: &str) -> String {
    let (user, key) = (user_arn(ACCOUNT, user), arn_of(key));
    format!(
        "AccessDeniedException: User: {user} is not authorized to perform: {action} on resource: {key} because no {why} policy allows the {action} action"
    )
}
