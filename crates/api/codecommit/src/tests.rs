//! Whole calls, from a signed request to an answer, with real policies, a real KMS and a clock that the tests turn.

mod branches;
mod comments;
mod commits;
mod differences;
mod files;
mod matrix;
mod merges;
mod pull_requests;
mod refusals;
mod repositories;
mod tags;
mod templates;
mod transfers;
mod triggers;

use std::cell::Cell;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, RwLock};

use crypto::Key256;
use git::{Git, Settings};
use journal::Journal;
use kms::{Kms, ServiceDataKeys};
use policy::{Context, Kind, Named, Policies, Policy, Principal, Reason, Request, ResourceSide, permit};
use serde_json::{Value, json};
use service::ports::{Authority, Claim, Credential, CredentialError, EventDelivery, Principals, Proof};
use service::{
    Behalf, BoxFuture, Caller, Core, Deliveries, Gateway, Incoming, MaybeReady, Need, Nowhere, Observer, Operation,
    Performer, RequestOrigin, ResourcePolicy, Seen, Trail,
};
use store::{Store, StoreError};
use wire::sigv4::{Payload, RequestParts, Rules, Signer, SigningKey};
use wire::{Arn, Fault, Timestamp};

use crate::CodeCommit;

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
            let named: Vec<_> = identity.policies.iter().map(|policy| Named { name: "own", policy }).collect();
            let request = Request {
                principal: &caller.principal,
                action: need.action,
                resource: &need.resource,
                resource_account: need.resource.split(':').nth(4),
                context,
            };
            let resource = match &need.guard {
                ResourcePolicy::Mandatory(policy) => ResourceSide::Mandatory(Named { name: "key policy", policy }),
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
        Box::pin(async move { Ok(arn.resource().strip_prefix("user/").map(|name| format!("AIDA{name}"))) })
    }
}

struct Nobody;

impl Observer for Nobody {
    fn seen(&self, _: &Seen<'_>) {}
}

/// How long a push may take for each 64 KiB while another waits: there is one turn.
pub(crate) const PACE: std::time::Duration = std::time::Duration::from_millis(200);

/// A server in memory.
pub(crate) struct World {
    pub(crate) codecommit: Arc<CodeCommit>,
    pub(crate) people: Arc<People>,
    pub(crate) core: Arc<Core>,
    pub(crate) deliveries: Deliveries,
    gateway: Gateway,
    _directory: tempfile::TempDir,
}

/// Outcome of a call: the answer, or `Code: message`.
pub(crate) type Answer = Result<Value, String>;

impl World {
    /// A server with two accounts. Of the first: `admin` and `ana`, whose policies allow everything, `reader`, who may
    /// read and pull, and `nobody`, who may nothing. Of the second: `stranger`, whose policies allow everything.
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(Nowhere))
    }

    /// The same with a way to the destinations of triggers.
    pub(crate) fn with(delivery: Arc<dyn EventDelivery>) -> Self {
        NOW.set(START);
        let store = Store::open_in_memory().expect("a store");
        let directory = tempfile::tempdir().expect("a directory");
        let journal = Journal::open(journal::Config::new(directory.path()), &Key256::random()).expect("a journal");
        let people = Arc::new(People::default());
        let trail = Trail::new(journal);
        store.attach(Arc::new(trail.clone()));
        let clock = || Timestamp::from_millis(NOW.get());
        let core = Arc::new(Core::new(people.clone(), trail, Arc::new(Nobody), clock));
        let kms = Arc::new(Kms::new(store.clone(), people.clone()));
        let data_keys = ServiceDataKeys::new(Performer::new(Arc::clone(&core), Arc::clone(&kms)));
        let blobs = blobs::Blobs::in_directory(&directory.path().join("blobs")).expect("blobs");
        let settings = Settings { threads: 1, receives_max: 1, pace: PACE, ..Settings::default() };
        let git = Git::new(store.clone(), blobs, settings);
        let deliveries = Deliveries::new(store.clone(), Arc::clone(&delivery));
        let codecommit = CodeCommit::new(store, git, Arc::new(data_keys));
        let codecommit = Arc::new(codecommit.with_trigger_delivery(delivery));
        let gateway = Gateway::new(Arc::clone(&core)).with(kms).with(Arc::clone(&codecommit));
        let world = Self { codecommit, people, core, deliveries, gateway, _directory: directory };
        for (name, account) in [("admin", ACCOUNT), ("ana", ACCOUNT), ("stranger", OTHER_ACCOUNT)] {
            world.user(name, account, &[allow(&json!("*"), "*")]);
        }
        let reads = json!(["codecommit:BatchGet*", "codecommit:Get*", "codecommit:List*", "codecommit:GitPull"]);
        world.user("reader", ACCOUNT, &[allow(&reads, "*")]);
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

    pub(crate) fn caller(&self, name: &str) -> Arc<Caller> {
        Arc::clone(&self.people.identities.read().expect("no test panicked")[name].caller)
    }

    /// Lets time pass.
    pub(crate) fn pass_seconds(&self, seconds: i64) {
        NOW.set(NOW.get() + seconds * 1000);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW.get())
    }

    fn request(&self, service: &str, target: &str, caller: &str, body: &str) -> Incoming {
        let mut headers = http::HeaderMap::new();
        headers.insert("host", "git.example.com:8443".parse().expect("a value"));
        headers.insert("x-amz-target", target.parse().expect("a value"));
        let parts = RequestParts { method: "POST", path: "/", query: "", headers: &headers, host: None };
        let signer = Signer {
            access_key_id: caller,
            secret_access_key: b"secret",
            session_token: None,
            region: REGION,
            service,
            rules: Rules::STANDARD,
        };
        let now = Timestamp::from_millis(NOW.get());
        let signed = signer.sign(&parts, Payload::Body(body.as_bytes()), now).expect("signs");
        headers.extend(signed);
        Incoming {
            method: http::Method::POST,
            uri: "/".parse().expect("a path"),
            headers,
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
            ip: Ipv4Addr::LOCALHOST.into(),
            secure: true,
        }
    }

    async fn answer(&self, service: &str, target: &str, caller: &str, input: &Value) -> Answer {
        let reply = self.gateway.handle(&self.request(service, target, caller, &input.to_string())).await;
        let body: Value =
            if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).expect("JSON") };
        match reply.error {
            None => Ok(body),
            Some(code) => {
                let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
                Err(format!("{code}: {message}"))
            }
        }
    }

    /// Calls KMS, which must succeed.
    pub(crate) async fn kms(&self, operation: &str, input: Value) -> Value {
        let answer = self.answer("kms", &format!("TrentService.{operation}"), "admin", &input).await;
        answer.unwrap_or_else(|error| panic!("{operation} with {input} failed: {error}"))
    }

    pub(crate) async fn call(&self, caller: &str, operation: &str, input: Value) -> Answer {
        self.answer("codecommit", &format!("CodeCommit_20150413.{operation}"), caller, &input).await
    }

    /// As [`call`](Self::call), for what must succeed.
    pub(crate) async fn done(&self, caller: &str, operation: &str, input: Value) -> Value {
        match self.call(caller, operation, input.clone()).await {
            Ok(answer) => answer,
            Err(error) => panic!("{operation} by {caller} with {input} failed: {error}"),
        }
    }

    /// As [`call`](Self::call), for what must fail. Returns the error's name without `Exception`.
    pub(crate) async fn refused(&self, caller: &str, operation: &str, input: Value) -> String {
        match self.call(caller, operation, input.clone()).await {
            Ok(answer) => panic!("{operation} by {caller} with {input} succeeded: {answer}"),
            Err(error) => error.split(':').next().unwrap_or_default().replace("Exception", ""),
        }
    }

    /// Performs an operation for a client of Git.
    pub(crate) async fn performed<O: Operation<Service = CodeCommit>>(
        &self,
        caller: &str,
        input: O::Input,
    ) -> Result<O::Output, Fault> {
        let origin = RequestOrigin {
            ip: Ipv4Addr::LOCALHOST.into(),
            secure: true,
            host: Some("git.example.com"),
            user_agent: "git/2.47.2",
            via: None,
        };
        let caller = self.caller(caller);
        let behalf = Behalf { caller: &caller, region: REGION, origin: &origin };
        Performer::new(Arc::clone(&self.core), Arc::clone(&self.codecommit)).perform::<O>(behalf, input).await
    }

    /// Makes a repository.
    pub(crate) async fn repository(&self, name: &str) -> Value {
        let made = self.done("admin", "CreateRepository", json!({"repositoryName": name})).await;
        made["repositoryMetadata"].clone()
    }

    /// Puts a file on a branch whose tip is `parent`, and returns the new tip.
    pub(crate) async fn put(&self, branch: &str, parent: Option<&str>, path: &str, content: &str) -> String {
        let input = json!({
            "repositoryName": "first", "branchName": branch, "parentCommitId": parent, "filePath": path,
            "fileContent": base64(content.as_bytes()), "name": "Ana", "email": "ana@example.com",
        });
        text(&self.done("admin", "PutFile", input).await["commitId"])
    }

    /// Makes a branch at a commit.
    pub(crate) async fn branch(&self, name: &str, commit: &str) {
        let input = json!({"repositoryName": "first", "branchName": name, "commitId": commit});
        self.done("admin", "CreateBranch", input).await;
    }

    /// Makes a KMS key and returns its ARN.
    pub(crate) async fn key(&self) -> String {
        text(&self.kms("CreateKey", json!({})).await["KeyMetadata"]["Arn"])
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn user_arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user/{name}")
}

pub(crate) fn repository_arn(name: &str) -> String {
    format!("arn:aws:codecommit:{REGION}:{ACCOUNT}:{name}")
}

/// A statement that allows actions on a resource.
pub(crate) fn allow(actions: &Value, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}
