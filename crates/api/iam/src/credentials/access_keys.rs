//! Access keys: credentials that a user, or the account's root user, signs requests with.

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, Resource, ResourceOperation};
use store::{ReadTx, Tx};
use wire::Timestamp;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::last_administrator::with_lockout_check;
use crate::records::access_key::{AccessKey, PARENT, Status};
use crate::records::account::{self, Account};
use crate::records::entity::{self, Identity};
use crate::records::last_use::{LastUse, Used};
use crate::records::user::User;
use crate::resources::subject::Subject;
use crate::values::answer::{Answer, Single};
use crate::values::error::{IamError, Quota, Result};
use crate::values::name;
use crate::values::page::{self, Item, Page};
use crate::values::secret::SecretAccessKey;

/// How many access keys a user can have.
const KEYS_MAX: usize = 2;

/// The length of an access key's id among the parameters.
const ID_LENGTH: Rule = Rule::Length(16, 128);

/// The owner of access keys: a user as it was found, or the account's root user.
enum Owner {
    User(Identity),
    Root,
}

impl Owner {
    fn of(subject: &Subject) -> Self {
        match subject {
            Subject::User(user) => Self::User(user.identity.clone()),
            Subject::Root => Self::Root,
        }
    }

    /// The name under which answers show it; the root user has none.
    fn name(&self) -> Option<String> {
        match self {
            Self::User(identity) => Some(identity.name.clone()),
            Self::Root => None,
        }
    }

    fn unique_id(&self) -> Option<&str> {
        match self {
            Self::User(identity) => Some(&identity.id),
            Self::Root => None,
        }
    }

    /// Changes the list of its access keys.
    fn change<T>(
        &self,
        tx: &mut Tx<'_>,
        account: &str,
        change: impl FnOnce(&mut Tx<'_>, &mut Vec<String>) -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::User(known) => {
                let mut user: User = entity::reload(tx, known)?;
                let done = change(tx, &mut user.access_keys)?;
                entity::put(tx, &user)?;
                Ok(done)
            }
            Self::Root => {
                let gone = || IamError::Validation("The account does not exist.".to_owned());
                let mut record: Account = account::find(tx, account)?.ok_or_else(gone)?;
                let done = change(tx, &mut record.root_access_keys)?;
                tx.put(account::PARENT, account, &record)?;
                Ok(done)
            }
        }
    }

    /// Its access key with this id.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when the key is somebody else's.
    fn load(&self, tx: &Tx<'_>, account: &str, id: String) -> Result<AccessKey> {
        let key = tx.get::<AccessKey>(PARENT, &id)?;
        key.filter(|key| key.account == account && key.user.as_deref() == self.unique_id())
            .ok_or(IamError::NoSuchAccessKey { id })
    }
}

/// An access key as answers show it; only the answer that creates one has the secret.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AccessKeyView {
    user_name: Option<String>,
    access_key_id: String,
    status: Status,
    secret_access_key: Option<SecretAccessKey>,
    create_date: Timestamp,
}

impl Single for AccessKeyView {
    const MEMBER: &'static str = "AccessKey";
}

impl Item for AccessKeyView {
    const LIST: &'static str = "AccessKeyMetadata";
}

wire::shape! {
    /// The input of `CreateAccessKey`.
    pub struct CreateAccessKeyInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 128)];
    }
}

pub(crate) struct CreateAccessKey;

impl ResourceOperation for CreateAccessKey {
    type On = Subject;
    const NAME: &'static str = "CreateAccessKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateAccessKeyInput;
    type Output = Answer<AccessKeyView>;

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(_: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let owner = Owner::of(subject);
        let account = call.account().to_owned();
        let key = AccessKey::new(&account, owner.unique_id(), call.now);
        call.write(&call.service.store, move |tx| {
            owner.change(tx, &account, |tx, keys| {
                if keys.len() >= KEYS_MAX {
                    let quota = Quota::Count { name: "AccessKeysPerUser", limit: KEYS_MAX };
                    return Err(IamError::LimitExceeded(quota));
                }
                tx.insert(PARENT, &key.id, &key)?;
                keys.push(key.id.clone());
                Ok(())
            })?;
            Ok(Answer(AccessKeyView {
                user_name: owner.name(),
                access_key_id: key.id,
                status: key.status,
                secret_access_key: Some(key.secret),
                create_date: key.created,
            }))
        })
        .await
    }
}

wire::shape! {
    /// The input of `ListAccessKeys`.
    pub struct ListAccessKeysInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 128)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

pub(crate) struct ListAccessKeys;

impl ResourceOperation for ListAccessKeys {
    type On = Subject;
    const NAME: &'static str = "ListAccessKeys";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListAccessKeysInput;
    type Output = Page<AccessKeyView>;

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let ids = match &**subject {
            Subject::User(user) => user.access_keys.clone(),
            Subject::Root => {
                call.service.account(call.account()).await?.map_or_else(Vec::new, |it| it.root_access_keys)
            }
        };
        let (owner, window) = (Owner::of(subject), page::window(input.marker, input.max_items));
        let read = move |tx: &ReadTx<'_>| -> Result<_> {
            let listed = window.by_count(ids)?;
            let mut views = Vec::with_capacity(listed.items.len());
            for id in &listed.items {
                views.extend(tx.get::<AccessKey>(PARENT, id)?.map(|key| AccessKeyView {
                    user_name: owner.name(),
                    access_key_id: key.id,
                    status: key.status,
                    secret_access_key: None,
                    create_date: key.created,
                }));
            }
            Ok(service::Listed { items: views, next: listed.next }.into())
        };
        call.service.store.read(read).await
    }
}

wire::shape! {
    /// The input of `UpdateAccessKey`.
    pub struct UpdateAccessKeyInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 128)];
        "AccessKeyId" access_key_id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
        "Status" status: Status, required, [];
    }
}

pub(crate) struct UpdateAccessKey;

impl ResourceOperation for UpdateAccessKey {
    type On = Subject;
    const NAME: &'static str = "UpdateAccessKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateAccessKeyInput;
    type Output = ();

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<()> {
        input.status.check_given("An access key can be made Active or Inactive.")?;
        let (owner, account) = (Owner::of(subject), call.account().to_owned());
        call.write(&call.service.store, move |tx| {
            let mut key = owner.load(tx, &account, input.access_key_id)?;
            key.status = input.status;
            let risky = key.status == Status::Inactive;
            with_lockout_check(tx, &account, risky, |tx| Ok(tx.put(PARENT, &key.id, &key)?))
        })
        .await
    }
}

wire::shape! {
    /// The input of `DeleteAccessKey`.
    pub struct DeleteAccessKeyInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 128)];
        "AccessKeyId" access_key_id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
    }
}

pub(crate) struct DeleteAccessKey;

impl ResourceOperation for DeleteAccessKey {
    type On = Subject;
    const NAME: &'static str = "DeleteAccessKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteAccessKeyInput;
    type Output = ();

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<()> {
        let (owner, account) = (Owner::of(subject), call.account().to_owned());
        call.write(&call.service.store, move |tx| {
            let key = owner.load(tx, &account, input.access_key_id)?;
            with_lockout_check(tx, &account, key.status == Status::Active, |tx| {
                owner.change(tx, &account, |tx, keys| {
                    keys.retain(|id| *id != key.id);
                    tx.delete::<AccessKey>(PARENT, &key.id)?;
                    tx.delete::<LastUse>(PARENT, &key.id)?;
                    Ok(())
                })
            })
        })
        .await
    }
}

/// An access key of the caller's account, and whose it is.
pub(crate) struct OwnedKey(Subject);

impl Resource for OwnedKey {
    type Service = Iam;
    type Key<'a> = &'a str;

    async fn find<'a>(id: &'a str, call: &'a Call<'_, Iam>) -> Result<Self> {
        let (account, wanted) = (call.account().to_owned(), id.to_owned());
        let read = move |tx: &ReadTx<'_>| -> Result<Option<Subject>> {
            let Some(key) = tx.get::<AccessKey>(PARENT, &wanted)?.filter(|key| key.account == account) else {
                return Ok(None);
            };
            match key.user {
                Some(user) => Ok(tx.get::<User>(&account, &user)?.map(|user| Subject::User(Box::new(user)))),
                None => Ok(Some(Subject::Root)),
            }
        };
        let caller = || call.caller.principal.arn.to_string();
        let found = call.service.store.read(read).await?;
        found.map(Self).ok_or_else(|| IamError::ForeignAccessKey { caller: caller(), id: id.to_owned() })
    }

    /// A refusal must not say whose key it is.
    fn need<'n>(&'n self, id: &'n str, action: &'static str, call: &'n Call<'_, Iam>) -> Need<'n> {
        let need = match &self.0 {
            Subject::User(user) => entity::need(action, call.account(), "", Some(&**user)),
            Subject::Root => entity::need::<User>(action, call.account(), "*", None),
        };
        need.shown_as(format!("access key {id}"))
    }

    /// Whoever may ask about every user may learn that the key is none of theirs.
    fn need_of_missing<'n>(id: &'n str, action: &'static str, call: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        let need = entity::need::<User>(action, call.account(), "*", None);
        Some(need.shown_as(format!("access key {id}")))
    }
}

wire::shape! {
    /// The input of `GetAccessKeyLastUsed`.
    pub struct GetAccessKeyLastUsedInput {
        "AccessKeyId" access_key_id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsedView {
    last_used_date: Option<Timestamp>,
    service_name: String,
    region: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetAccessKeyLastUsedOutput {
    user_name: Option<String>,
    access_key_last_used: LastUsedView,
}

pub(crate) struct GetAccessKeyLastUsed;

impl ResourceOperation for GetAccessKeyLastUsed {
    type On = OwnedKey;
    const NAME: &'static str = "GetAccessKeyLastUsed";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetAccessKeyLastUsedInput;
    type Output = GetAccessKeyLastUsedOutput;

    fn key(input: &Self::Input) -> &str {
        &input.access_key_id
    }

    async fn run(input: Self::Input, key: &Permit<OwnedKey>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let last = call.service.last_uses.get(&call.service.store, Used::AccessKey(input.access_key_id)).await?;
        let unknown = || "N/A".to_owned();
        let access_key_last_used = match last {
            Some(last) => {
                LastUsedView { last_used_date: Some(last.at), service_name: last.service, region: last.region }
            }
            None => LastUsedView { last_used_date: None, service_name: unknown(), region: unknown() },
        };
        Ok(GetAccessKeyLastUsedOutput { user_name: Owner::of(&key.0).name(), access_key_last_used })
    }
}
