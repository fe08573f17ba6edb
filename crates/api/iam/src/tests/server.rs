//! A server in the test's own process: both services behind a gateway, and callers that sign.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::sync::Arc;

use crypto::Key256;
use journal::{Journal, Order};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use service::{Core, Gateway, Incoming, Observer, Seen, Trail};
use store::Store;
use wire::Timestamp;
use wire::sigv4::{Payload, RequestParts, Rules, Signer};

use crate::{Iam, Sts, bootstrap};

/// When the tests begin. The server's clock stands still unless a test moves it.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Who makes accounts.
pub(crate) const OPERATOR: service::Operator = service::Operator { uid: 1000, time: NOW };

/// The account that the tests are about.
pub(crate) const ACCOUNT: &str = "111122223333";

thread_local! {
    // Each test runs on a thread of its own.
    static CLOCK: Cell<Timestamp> = const { Cell::new(NOW) };
}

/// Moves the clock of this test's servers to some seconds after their start.
pub(crate) fn pass(seconds: i64) {
    CLOCK.set(Timestamp::from_millis(NOW.millis() + seconds * 1000));
}

/// Both halves of an access key.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Temporary credentials.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) key: Key,
    pub(crate) token: String,
}

/// Credentials that can sign a request.
pub(crate) trait Signs {
    fn key(&self) -> &Key;
    fn token(&self) -> Option<&str>;
}

impl Signs for Key {
    fn key(&self) -> &Key {
        self
    }

    fn token(&self) -> Option<&str> {
        None
    }
}

impl Signs for Session {
    fn key(&self) -> &Key {
        &self.key
    }

    fn token(&self) -> Option<&str> {
        Some(&self.token)
    }
}

pub(crate) struct Server {
    gateway: Gateway,
    pub(crate) iam: Arc<Iam>,
    pub(crate) store: Store,
    /// The first administrator's.
    pub(crate) admin: Key,
    journal: Journal,
    journal_key: Key256,
    directory: tempfile::TempDir,
}

/// An answer, taken apart by its elements' names.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) error: Option<&'static str>,
    pub(crate) body: String,
}

struct Nobody;

impl Observer for Nobody {
    fn seen(&self, _: &Seen<'_>) {}
}

impl Server {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let journal_key = Key256::random();
        let journal = Journal::open(journal::Config::new(directory.path()), &journal_key).expect("a journal");
        let store = Store::open_in_memory().expect("a store");
        let first =
            bootstrap(&store, Some(ACCOUNT.to_owned()), OPERATOR).await.expect("done").expect("the first start");
        let admin = Key { id: first.access_key_id, secret: first.secret_access_key.expose().to_owned() };
        Self::over(store, admin, journal, journal_key, directory)
    }

    /// A new server over what this one leaves behind.
    pub(crate) fn again(self) -> Self {
        let Self { store, admin, journal, journal_key, directory, .. } = self;
        Self::over(store, admin, journal, journal_key, directory)
    }

    fn over(store: Store, admin: Key, journal: Journal, journal_key: Key256, directory: tempfile::TempDir) -> Self {
        let iam = Arc::new(Iam::new(store.clone()).with_provider_keys(directory.path().join("oidc")));
        let trail = Trail::new(journal.clone());
        store.attach(Arc::new(trail.clone()));
        let core = Core::new(iam.clone(), trail, Arc::new(Nobody), || CLOCK.get());
        let gateway = Gateway::new(Arc::new(core)).with(iam.clone()).with(Arc::new(Sts::new(iam.clone())));
        Self { gateway, iam, store, admin, journal, journal_key, directory }
    }

    /// Calls an IAM operation.
    pub(crate) async fn call(&self, key: &impl Signs, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send("iam", "2010-05-08", key, action, parameters).await
    }

    /// Calls an STS operation.
    pub(crate) async fn sts(&self, key: &impl Signs, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send("sts", "2011-06-15", key, action, parameters).await
    }

    /// Calls an IAM operation as the administrator, who may do everything.
    pub(crate) async fn admin(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.call(&self.admin, action, parameters).await
    }

    async fn send(
        &self,
        service: &str,
        version: &str,
        credentials: &impl Signs,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Answer {
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            body.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        let mut headers = http::HeaderMap::new();
        headers.insert("host", "localhost".parse().expect("a value"));
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().expect("a value"));
        let signer = Signer {
            access_key_id: &credentials.key().id,
            secret_access_key: credentials.key().secret.as_bytes(),
            session_token: credentials.token(),
            region: "us-east-1",
            service,
            rules: Rules::STANDARD,
        };
        let parts = RequestParts { method: "POST", path: "/", query: "", headers: &headers, host: None };
        let added = signer.sign(&parts, Payload::Body(body.as_bytes()), CLOCK.get()).expect("signed");
        headers.extend(added);
        self.deliver(headers, body).await
    }

    /// Calls an STS operation without signing.
    pub(crate) async fn unsigned(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut body = format!("Action={action}&Version=2011-06-15");
        for (name, value) in parameters {
            body.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        self.deliver(http::HeaderMap::new(), body).await
    }

    /// Puts a provider's keys where the server looks for them.
    pub(crate) fn provide(&self, file: &str, keys: &str) {
        let directory = self.directory.path().join("oidc");
        std::fs::create_dir_all(&directory).expect("a directory");
        std::fs::write(directory.join(file), keys).expect("a file");
    }

    async fn deliver(&self, headers: http::HeaderMap, body: String) -> Answer {
        let reply = self
            .gateway
            .handle(&Incoming {
                method: http::Method::POST,
                uri: "/".parse().expect("a path"),
                headers,
                body: body.into(),
                ip: Ipv4Addr::LOCALHOST.into(),
                secure: true,
            })
            .await;
        let body = String::from_utf8(reply.body.to_vec()).expect("text");
        Answer { status: reply.status, error: reply.error, body }
    }

    /// The whole audit trail.
    pub(crate) async fn trail(&self) -> String {
        self.journal.sync().await.expect("synced");
        let mut trail = String::new();
        let read =
            journal::read(self.directory.path(), &self.journal_key, 0..=u64::MAX, Order::OldestFirst, |record| {
                trail.push_str(&String::from_utf8_lossy(record.bytes));
                ControlFlow::Continue(())
            });
        read.expect("the trail is whole");
        trail
    }

    /// Makes a user with an access key.
    pub(crate) async fn user(&self, name: &str) -> Key {
        self.admin("CreateUser", &[("UserName", name)]).await.ok();
        self.key_of(name).await
    }

    /// Makes an access key for a user.
    pub(crate) async fn key_of(&self, name: &str) -> Key {
        let made = self.admin("CreateAccessKey", &[("UserName", name)]).await.ok();
        Key { id: made.text("AccessKeyId").to_owned(), secret: made.text("SecretAccessKey").to_owned() }
    }

    /// Makes a user with an access key and one inline policy.
    pub(crate) async fn user_who(&self, name: &str, document: &str) -> Key {
        let key = self.user(name).await;
        self.allow(name, document).await;
        key
    }

    /// Gives a user the inline policy called `own`.
    pub(crate) async fn allow(&self, name: &str, document: &str) {
        let parameters = [("UserName", name), ("PolicyName", "own"), ("PolicyDocument", document)];
        self.admin("PutUserPolicy", &parameters).await.ok();
    }

    /// Makes a managed policy and returns its ARN.
    pub(crate) async fn policy(&self, name: &str, document: &str) -> String {
        let made = self.admin("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", document)]).await.ok();
        made.text("Arn").to_owned()
    }
}

impl Answer {
    /// The answer, which is no error.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!((self.status, self.error), (200, None), "{}", self.body);
        self
    }

    /// The message of the answer, which is this error, without what was sealed into it.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> String {
        let message = self.message(status, code);
        message.split_once(". Encoded authorization failure message: ").map_or(&*message, |(words, _)| words).to_owned()
    }

    /// The whole message of the answer, which is this error.
    #[track_caller]
    pub(crate) fn message(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.error), (status, self.error.filter(|error| *error == code)), "{}", self.body);
        assert!(self.body.contains(&format!("<Code>{code}</Code>")), "{}", self.body);
        self.all("Message").first().map(|text| (*text).to_owned()).unwrap_or_default()
    }

    /// The temporary credentials in the answer.
    pub(crate) fn session(&self) -> Session {
        let text = |name| self.text(name).to_owned();
        let key = Key { id: text("AccessKeyId"), secret: text("SecretAccessKey") };
        Session { key, token: text("SessionToken") }
    }

    /// The content of each element of this name, in the answer's order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        self.body.split(&open).skip(1).filter_map(|rest| Some(rest.split_once(&close)?.0)).collect()
    }

    /// The content of the only element of this name.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> &str {
        match self.all(name).as_slice() {
            [only] => only,
            found => panic!("{} elements <{name}> in {}", found.len(), self.body),
        }
    }
}

/// A document with one statement.
pub(crate) fn document(effect: &str, action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}]}}"#
    )
}

/// A document that allows `action` on everything.
pub(crate) fn allow(action: &str) -> String {
    document("Allow", action, "*")
}
