//! Sessions: temporary credentials whose whole description travels in their token.
//!
//! A token is sealed, so only this server makes and reads one, and nothing is stored. Its bearer is looked up
//! again in every call: a role or user that is gone, or whose policies changed, takes its sessions along at once.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Key256, SecretBytes, constant_time_eq, sealed};
use policy::{Context, Kind as Grammar, Policy, Principal};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use service::Caller;
use service::ports::{Claim, CredentialError};
use store::{Store, StoreError};
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::records::entity::Entity as _;
use crate::records::last_use::Used;
use crate::records::role::Role;
use crate::records::user::User;
use crate::values::secret::SecretAccessKey;
use crate::values::tag::{self, Tag};
use crate::values::unique_id::{self, Prefix};

/// How many sessions are remembered.
const SESSIONS_CACHED: usize = 20_000;

/// The keyring's name for the key that tokens are sealed under.
const KEY: &str = "session";

/// Binds what is sealed to its purpose.
const PURPOSE: &[u8] = b"sts session token";

/// The condition key that says which session tags go on to the sessions of roles that this one assumes.
pub(crate) const TRANSITIVE_KEYS: &str = "sealstack:TransitiveTagKeys";

/// The bearer of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Bearer {
    /// The account's root user, by `GetSessionToken`.
    Root,
    /// The user with this unique id, by `GetSessionToken`.
    User(String),
    /// Somebody for whom a user asked, by `GetFederationToken`.
    Federated {
        /// The user's unique id; the root user if there is none.
        user: Option<String>,
        name: String,
    },
    /// A role that was assumed.
    Role {
        /// The role's unique id.
        id: String,
        session: String,
    },
}

/// The limits of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// The policy passed as text.
    pub(crate) inline: Option<String>,
    /// The managed policies passed by their ARNs.
    pub(crate) arns: Vec<String>,
}

/// A session as its token carries it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) secret: SecretAccessKey,
    pub(crate) account: String,
    pub(crate) bearer: Bearer,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) limits: Option<Limits>,
    pub(crate) tags: Vec<Tag>,
    /// The keys of the tags that go on to the sessions of roles that this one assumes.
    pub(crate) transitive: Vec<String>,
    pub(crate) source_identity: Option<String>,
    /// Further condition keys, such as what an identity provider said.
    pub(crate) claims: Vec<(String, Vec<String>)>,
    /// The least length of the token, in bytes, for those who plan for longer ones. Not a part of it.
    #[serde(skip)]
    pub(crate) token_bytes_min: u32,
}

impl Session {
    /// A new session of `bearer`, without limits, tags or claims.
    pub(crate) fn new(account: &str, bearer: Bearer, issued: Timestamp, seconds: u32) -> Self {
        Self {
            access_key_id: unique_id::generate(Prefix::SessionKey),
            secret: SecretAccessKey::generate(),
            account: account.to_owned(),
            bearer,
            issued,
            expires: Timestamp::from_millis(issued.millis() + i64::from(seconds) * 1000),
            limits: None,
            tags: Vec::new(),
            transitive: Vec::new(),
            source_identity: None,
            claims: Vec::new(),
            token_bytes_min: 0,
        }
    }

    /// Seals the session into its token.
    pub(crate) async fn token(&self, store: &Store) -> Result<String, StoreError> {
        let key = store.keyring().key(KEY).await?;
        let mut plain = SecretBytes::with_capacity(4096);
        if let Err(error) = serde_json::to_writer(&mut plain, self) {
            tracing::error!(%error, "a session could not be written");
            return Err(StoreError::Panicked);
        }
        // Spaces behind JSON mean nothing. Base64 makes four bytes of three.
        let sealed_min = usize::try_from(self.token_bytes_min).unwrap_or(usize::MAX).div_ceil(4).saturating_mul(3);
        for _ in plain.len() + sealed::OVERHEAD..sealed_min {
            plain.extend(b" ");
        }
        Ok(STANDARD.encode(sealed::seal(&key, PURPOSE, plain.expose())))
    }

    fn open(key: &Key256, token: &str) -> Option<Self> {
        let bytes = STANDARD.decode(token).ok()?;
        let plain = sealed::open(key, PURPOSE, &bytes).ok()?;
        serde_json::from_slice(plain.expose()).ok()
    }

    /// Whether IAM's own operations are closed to it: AWS opens them to such sessions with MFA only.
    const fn lacks_iam(&self) -> bool {
        match self.bearer {
            Bearer::Root | Bearer::User(_) | Bearer::Federated { .. } => true,
            Bearer::Role { .. } => false,
        }
    }
}

/// A token that was opened.
struct Opened {
    token: String,
    session: Session,
    /// The policy that was passed as text, parsed.
    inline: Option<Arc<Policy>>,
}

/// A session, and its caller as of a count of changes.
#[derive(Clone)]
pub(crate) struct KnownSession {
    epoch: u64,
    opened: Arc<Opened>,
    pub(crate) caller: Arc<Caller>,
}

impl KnownSession {
    pub(crate) fn secret(&self) -> &SecretAccessKey {
        &self.opened.session.secret
    }

    /// The role whose use a use of the session is.
    pub(crate) fn used(&self) -> Option<Used> {
        match &self.opened.session.bearer {
            Bearer::Role { id, .. } => Some(Used::Role(self.opened.session.account.clone(), id.clone())),
            Bearer::Root | Bearer::User(_) | Bearer::Federated { .. } => None,
        }
    }
}

/// Sessions by access key.
pub(crate) struct Sessions(Cache<String, KnownSession>);

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(Cache::new(SESSIONS_CACHED))
    }

    pub(crate) fn get(&self, access_key_id: &str) -> Option<KnownSession> {
        self.0.get(access_key_id)
    }
}

impl Iam {
    /// The session that a request's token describes, if it lasts and its bearer is still there.
    pub(crate) async fn session(
        &self,
        claim: Claim<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<KnownSession, CredentialError> {
        // Before anything else: it proves that records read from here on are current.
        let epoch = self.epoch.now();
        let id = claim.access_key_id;
        let known = self.sessions.get(id);
        let known = known.filter(|known| constant_time_eq(known.opened.token.as_bytes(), token.as_bytes()));
        let current = match known {
            Some(known) if known.epoch == epoch => known,
            known => {
                let opened = match known {
                    Some(known) => known.opened,
                    None => Arc::new(self.open(id, token).await?),
                };
                let caller = Arc::new(self.describe(&opened).await?);
                let known = KnownSession { epoch, opened, caller };
                self.sessions.0.insert(id.to_owned(), known.clone());
                known
            }
        };
        let session = &current.opened.session;
        if session.expires <= now {
            return Err(CredentialError::Expired);
        }
        if session.lacks_iam() && claim.service == "iam" {
            return Err(CredentialError::Unknown);
        }
        Ok(current)
    }

    async fn open(&self, access_key_id: &str, token: &str) -> Result<Opened, CredentialError> {
        let key = self.store.keyring().key(KEY).await?;
        let session = Session::open(&key, token).filter(|session| session.access_key_id == access_key_id);
        let session = session.ok_or(CredentialError::Unknown)?;
        let inline = session.limits.as_ref().and_then(|limits| limits.inline.as_deref());
        let inline = inline.map(|text| Policy::parse(text, Grammar::Session)).transpose();
        let inline = inline.map_err(|_| CredentialError::Unknown)?.map(Arc::new);
        Ok(Opened { token: token.to_owned(), session, inline })
    }

    /// The caller that a session stands for now.
    async fn describe(&self, opened: &Opened) -> Result<Caller, CredentialError> {
        let session = &opened.session;
        let account = session.account.as_str();
        let mut context = Context::new();
        context.insert("aws:ViaAWSService", false);
        context.insert("aws:TokenIssueTime", session.issued);
        context.insert("aws:MultiFactorAuthPresent", false);
        let (principal, mut tags) = match &session.bearer {
            Bearer::Root => (Principal::root(account), Vec::new()),
            Bearer::User(id) => {
                let user = self.bearing_user(account, id).await?;
                (Principal::user(user.arn(), id), user.tags.clone())
            }
            Bearer::Federated { user, name } => {
                let arn = federated_arn(account, name);
                match user {
                    Some(id) => {
                        let user = self.bearing_user(account, id).await?;
                        (Principal::federated_user(arn, user.arn(), id), user.tags.clone())
                    }
                    None => {
                        let root = Arn::new("iam", "", account, "root");
                        (Principal::federated_user(arn, root, account), Vec::new())
                    }
                }
            }
            Bearer::Role { id, session } => {
                let role = self.roles.get(account, id).await?.ok_or(CredentialError::Unknown)?;
                let arn = session_arn(&role, session);
                (Principal::role_session(arn, role.arn(), format!("{id}:{session}")), role.tags.clone())
            }
        };
        // A session tag hides the bearer's of the same key.
        tags.retain(|tag| !session.tags.iter().any(|own| own.key.eq_ignore_ascii_case(&tag.key)));
        tags.extend_from_slice(&session.tags);
        tag::on_principal(&mut context, &tags);
        if let Some(identity) = &session.source_identity {
            context.insert("aws:SourceIdentity", identity.clone());
        }
        if !session.transitive.is_empty() {
            context.insert_many(TRANSITIVE_KEYS, session.transitive.iter().cloned());
        }
        for (key, values) in &session.claims {
            match values.as_slice() {
                [one] => context.insert(key.clone(), one.clone()),
                many => context.insert_many(key.clone(), many.iter().cloned()),
            }
        }
        let session_policies = self.session_policies(opened).await?;
        Ok(Caller::new(principal, session.access_key_id.clone(), context, session_policies))
    }

    async fn bearing_user(&self, account: &str, id: &str) -> Result<Arc<User>, CredentialError> {
        self.users.get(account, id).await?.ok_or(CredentialError::Unknown)
    }

    /// The policies that limit the session now, if any do.
    async fn session_policies(&self, opened: &Opened) -> Result<Option<Vec<Arc<Policy>>>, CredentialError> {
        let Some(limits) = &opened.session.limits else { return Ok(None) };
        let mut policies: Vec<_> = opened.inline.iter().cloned().collect();
        for arn in &limits.arns {
            match self.managed(arn).await? {
                Some(managed) => policies.push(managed.policy()?),
                // It may have denied something: nothing is allowed without it.
                None => return Ok(Some(Vec::new())),
            }
        }
        Ok(Some(policies))
    }
}

/// The ARN of a role's session.
pub(crate) fn session_arn(role: &Role, session: &str) -> Arn {
    Arn::new("sts", "", &role.identity.account, &format!("assumed-role/{}/{session}", role.identity.name))
}

/// The ARN of a federated user's session.
pub(crate) fn federated_arn(account: &str, name: &str) -> Arn {
    Arn::new("sts", "", account, &format!("federated-user/{name}"))
}
