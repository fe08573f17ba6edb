//! SSH public keys: what a user reaches Git over SSH with. The records and the operations on them.

mod ed25519_key;
mod public_key;
mod rsa_key;

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use store::ReadTx;
use wire::Timestamp;
use wire::shape::Rule;

use self::public_key::PublicKey;
use crate::Iam;
use crate::records::access_key::Status;
use crate::records::entity::{self, Identity};
use crate::records::ssh_key_owner::SshKeyOwner;
use crate::records::ssh_public_key::SshPublicKey;
use crate::records::user::User;
use crate::resources::named::Named;
use crate::resources::subject::Subject;
use crate::values::answer::{Answer, Single};
use crate::values::error::{IamError, Quota, Result, Special};
use crate::values::page::{self, Item, Page};
use crate::values::unique_id::{self, Prefix};
use crate::values::{document, name};

/// How many SSH public keys a user can have.
const KEYS_MAX: usize = 5;

/// The rule of a key's id.
const ID_LENGTH: Rule = Rule::Length(20, 128);

fn missing(id: &str) -> IamError {
    IamError::Missing(format!("The Public Key with id {id} cannot be found."))
}

fn load(tx: &ReadTx<'_>, user: &Identity, id: &str) -> Result<SshPublicKey> {
    tx.get::<SshPublicKey>(&user.id, id)?.ok_or_else(|| missing(id))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyView {
    user_name: String,
    #[serde(rename = "SSHPublicKeyId")]
    id: String,
    fingerprint: Option<String>,
    #[serde(rename = "SSHPublicKeyBody")]
    body: Option<String>,
    status: Status,
    upload_date: Timestamp,
}

impl KeyView {
    /// As lists show it.
    fn summary(key: SshPublicKey, user_name: String) -> Self {
        let SshPublicKey { id, status, uploaded, .. } = key;
        Self { user_name, id, fingerprint: None, body: None, status, upload_date: uploaded }
    }

    fn detail(mut key: SshPublicKey, user_name: String, body: String) -> Self {
        let fingerprint = Some(std::mem::take(&mut key.fingerprint));
        Self { fingerprint, body: Some(body), ..Self::summary(key, user_name) }
    }
}

impl Single for KeyView {
    const MEMBER: &'static str = "SSHPublicKey";
}

impl Item for KeyView {
    const LIST: &'static str = "SSHPublicKeys";
}

wire::shape! {
    /// The input of `UploadSSHPublicKey`.
    pub struct UploadSSHPublicKeyInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "SSHPublicKeyBody" body: String, required, [Rule::Length(1, 16_384), document::PATTERN];
    }
}

pub(crate) struct UploadSSHPublicKey;

impl ResourceOperation for UploadSSHPublicKey {
    type On = Named<User>;
    const NAME: &'static str = "UploadSSHPublicKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UploadSSHPublicKeyInput;
    type Output = Answer<KeyView>;

    fn key(input: &Self::Input) -> &str {
        &input.user_name
    }

    async fn run(input: Self::Input, user: &Permit<Named<User>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let public = PublicKey::read(&input.body)?;
        let key = SshPublicKey {
            id: unique_id::generate(Prefix::SshPublicKey),
            line: public.line(),
            fingerprint: public.fingerprint(),
            status: Status::Active,
            uploaded: call.now,
        };
        let known = user.identity.clone();
        call.write(&call.service.store, move |tx| {
            let user: User = entity::reload(tx, &known)?;
            let keys = tx.all::<SshPublicKey>(&known.id)?;
            if keys.iter().any(|other| other.line == key.line) {
                return Err(Special::DuplicateSshPublicKey.error("The user has this SSH public key already."));
            }
            if keys.len() >= KEYS_MAX {
                let quota = Quota::Count { name: "SSHPublicKeysPerUser", limit: KEYS_MAX };
                return Err(IamError::LimitExceeded(quota));
            }
            tx.insert(&known.id, &key.id, &key)?;
            SshKeyOwner::insert(tx, &key.id, &known)?;
            let body = key.line.clone();
            Ok(Answer(KeyView::detail(key, user.identity.name, body)))
        })
        .await
    }
}

wire::text_enum! {
    /// How a public key is written.
    pub enum Encoding { Ssh = "SSH", Pem = "PEM" }
}

wire::shape! {
    /// The input of `GetSSHPublicKey`.
    pub struct GetSSHPublicKeyInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "SSHPublicKeyId" id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
        "Encoding" encoding: Encoding, required, [];
    }
}

pub(crate) struct GetSSHPublicKey;

impl ResourceOperation for GetSSHPublicKey {
    type On = Named<User>;
    const NAME: &'static str = "GetSSHPublicKey";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetSSHPublicKeyInput;
    type Output = Answer<KeyView>;

    fn key(input: &Self::Input) -> &str {
        &input.user_name
    }

    async fn run(input: Self::Input, user: &Permit<Named<User>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let user = user.identity.clone();
        let key = {
            let user = user.clone();
            call.service.store.read(move |tx| load(tx, &user, &input.id)).await?
        };
        let body = match input.encoding {
            Encoding::Ssh => key.line.clone(),
            Encoding::Pem => PublicKey::read(&key.line)?.pem(),
        };
        Ok(Answer(KeyView::detail(key, user.name, body)))
    }
}

wire::shape! {
    /// The input of `ListSSHPublicKeys`.
    pub struct ListSSHPublicKeysInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

pub(crate) struct ListSSHPublicKeys;

impl ResourceOperation for ListSSHPublicKeys {
    type On = Subject;
    const NAME: &'static str = "ListSSHPublicKeys";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListSSHPublicKeysInput;
    type Output = Page<KeyView>;

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let mut keys = Vec::new();
        if let Subject::User(user) = &**subject {
            let Identity { id, name, .. } = user.identity.clone();
            let mut found = call.service.store.read(move |tx| tx.all::<SshPublicKey>(&id)).await?;
            found.sort_by_key(|key| key.uploaded);
            keys.extend(found.into_iter().map(|key| KeyView::summary(key, name.clone())));
        }
        Ok(page::window(input.marker, input.max_items).by_count(keys)?.into())
    }
}

wire::shape! {
    /// The input of `UpdateSSHPublicKey`.
    pub struct UpdateSSHPublicKeyInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "SSHPublicKeyId" id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
        "Status" status: Status, required, [];
    }
}

pub(crate) struct UpdateSSHPublicKey;

impl ResourceOperation for UpdateSSHPublicKey {
    type On = Named<User>;
    const NAME: &'static str = "UpdateSSHPublicKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateSSHPublicKeyInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.user_name
    }

    async fn run(input: Self::Input, user: &Permit<Named<User>>, call: &Call<'_, Iam>) -> Result<()> {
        input.status.check_given("An SSH public key can be made Active or Inactive.")?;
        let user = user.identity.clone();
        call.write(&call.service.store, move |tx| {
            let mut key = load(tx, &user, &input.id)?;
            key.status = input.status;
            Ok(tx.put(&user.id, &key.id, &key)?)
        })
        .await
    }
}

wire::shape! {
    /// The input of `DeleteSSHPublicKey`.
    pub struct DeleteSSHPublicKeyInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "SSHPublicKeyId" id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
    }
}

pub(crate) struct DeleteSSHPublicKey;

impl ResourceOperation for DeleteSSHPublicKey {
    type On = Named<User>;
    const NAME: &'static str = "DeleteSSHPublicKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteSSHPublicKeyInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.user_name
    }

    async fn run(input: Self::Input, user: &Permit<Named<User>>, call: &Call<'_, Iam>) -> Result<()> {
        let user = user.identity.clone();
        call.write(&call.service.store, move |tx| {
            if !tx.delete::<SshPublicKey>(&user.id, &input.id)? {
                return Err(missing(&input.id));
            }
            Ok(SshKeyOwner::delete(tx, &input.id)?)
        })
        .await
    }
}
