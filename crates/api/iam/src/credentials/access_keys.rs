//! Access keys: what a user, or the account's root user, signs requests with.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::Tx;
use wire::Timestamp;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::last_administrator;
use crate::principals::subject::Subject;
use crate::records::access_key::{AccessKey, PARENT, Status};
use crate::records::account::{self, Account};
use crate::records::entity;
use crate::records::last_use::{LastUse, Used};
use crate::records::user::User;
use crate::values::error::{IamError, Quota};
use crate::values::name;
use crate::values::page::{self, Window};
use crate::values::secret::SecretAccessKey;

/// How many access keys a user can have.
const KEYS_MAX: usize = 2;

/// The length of an access key's id among the parameters.
const ID_LENGTH: Rule = Rule::Length(16, 128);

/// Whose access keys are meant: a user as it was found, or the account's root user.
enum Owner {
    User(entity::Identity),
    Root,
}

impl Owner {
    fn of(subject: Subject) -> Self {
        match subject {
            Subject::User(user) => Self::User(user.identity),
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
        change: impl FnOnce(&mut Tx<'_>, &mut Vec<String>) -> Result<T, IamError>,
    ) -> Result<T, IamError> {
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
    fn load(&self, tx: &Tx<'_>, account: &str, id: String) -> Result<AccessKey, IamError> {
        let key = tx.get::<AccessKey>(PARENT, &id)?;
        key.filter(|key| key.account == account && key.user.as_deref() == self.unique_id())
            .ok_or(IamError::NoSuchAccessKey { id })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AccessKeyView {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_id: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<SecretAccessKey>,
    create_date: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateAccessKeyOutput {
    access_key: AccessKeyView,
}

wire::shape! {
    /// The input of `CreateAccessKey`.
    pub struct CreateAccessKeyInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 128)];
    }
}

pub(crate) struct CreateAccessKey;

impl Operation for CreateAccessKey {
    type Service = Iam;
    const NAME: &'static str = "CreateAccessKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateAccessKeyInput;
    type Output = CreateAccessKeyOutput;
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:CreateAccessKey", input.user_name.as_deref(), found, call)]
    }

    async fn run(
        _: Self::Input,
        subject: Permit<Subject>,
        call: &Call<'_, Iam>,
    ) -> Result<CreateAccessKeyOutput, IamError> {
        let owner = Owner::of(subject.into_inner());
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
            let AccessKey { id, secret, status, created, .. } = key;
            Ok(CreateAccessKeyOutput {
                access_key: AccessKeyView {
                    user_name: owner.name(),
                    access_key_id: id,
                    status,
                    secret_access_key: Some(secret),
                    create_date: created,
                },
            })
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListAccessKeysOutput {
    access_key_metadata: Vec<AccessKeyView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

pub(crate) struct ListAccessKeys;

impl Operation for ListAccessKeys {
    type Service = Iam;
    const NAME: &'static str = "ListAccessKeys";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListAccessKeysInput;
    type Output = ListAccessKeysOutput;
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:ListAccessKeys", input.user_name.as_deref(), found, call)]
    }

    async fn run(
        input: Self::Input,
        subject: Permit<Subject>,
        call: &Call<'_, Iam>,
    ) -> Result<ListAccessKeysOutput, IamError> {
        let (ids, name) = match subject.into_inner() {
            Subject::User(user) => (user.access_keys, Some(user.identity.name)),
            Subject::Root => {
                let account = call.service.account(call.account()).await?;
                (account.map(|account| account.root_access_keys).unwrap_or_default(), None)
            }
        };
        let listed = Window::new(input.marker, input.max_items).cut(ids)?;
        let (is_truncated, marker, ids) = (listed.is_truncated(), listed.marker, listed.items);
        let read = move |tx: &store::ReadTx<'_>| {
            let mut views = Vec::with_capacity(ids.len());
            for id in &ids {
                views.extend(tx.get::<AccessKey>(PARENT, id)?.map(|key| AccessKeyView {
                    user_name: name.clone(),
                    access_key_id: key.id,
                    status: key.status,
                    secret_access_key: None,
                    create_date: key.created,
                }));
            }
            Ok::<_, IamError>(views)
        };
        let access_key_metadata = call.service.store.read(read).await?;
        Ok(ListAccessKeysOutput { access_key_metadata, is_truncated, marker })
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

impl Operation for UpdateAccessKey {
    type Service = Iam;
    const NAME: &'static str = "UpdateAccessKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateAccessKeyInput;
    type Output = ();
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:UpdateAccessKey", input.user_name.as_deref(), found, call)]
    }

    async fn run(input: Self::Input, subject: Permit<Subject>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        if input.status == Status::Expired {
            return Err(IamError::InvalidInput("An access key can be made Active or Inactive."));
        }
        let owner = Owner::of(subject.into_inner());
        let account = call.account().to_owned();
        call.write(&call.service.store, move |tx| {
            let mut key = owner.load(tx, &account, input.access_key_id)?;
            key.status = input.status;
            let risky = key.status == Status::Inactive;
            last_administrator::with_lockout_check(tx, &account, risky, |tx| Ok(tx.put(PARENT, &key.id, &key)?))
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

impl Operation for DeleteAccessKey {
    type Service = Iam;
    const NAME: &'static str = "DeleteAccessKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteAccessKeyInput;
    type Output = ();
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:DeleteAccessKey", input.user_name.as_deref(), found, call)]
    }

    async fn run(input: Self::Input, subject: Permit<Subject>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let owner = Owner::of(subject.into_inner());
        let account = call.account().to_owned();
        call.write(&call.service.store, move |tx| {
            let key = owner.load(tx, &account, input.access_key_id)?;
            let active = key.status == Status::Active;
            last_administrator::with_lockout_check(tx, &account, active, |tx| {
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

wire::shape! {
    /// The input of `GetAccessKeyLastUsed`.
    pub struct GetAccessKeyLastUsedInput {
        "AccessKeyId" access_key_id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsedView {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<Timestamp>,
    service_name: String,
    region: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetAccessKeyLastUsedOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_last_used: LastUsedView,
}

pub(crate) struct GetAccessKeyLastUsed;

impl Operation for GetAccessKeyLastUsed {
    type Service = Iam;
    const NAME: &'static str = "GetAccessKeyLastUsed";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetAccessKeyLastUsedInput;
    type Output = GetAccessKeyLastUsedOutput;
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        let (account, id) = (call.account().to_owned(), input.access_key_id.clone());
        let read = move |tx: &store::ReadTx<'_>| -> Result<Option<Subject>, IamError> {
            let Some(key) = tx.get::<AccessKey>(PARENT, &id)?.filter(|key| key.account == account) else {
                return Ok(None);
            };
            match key.user {
                Some(user) => Ok(tx.get::<User>(&account, &user)?.map(|user| Subject::User(Box::new(user)))),
                None => Ok(Some(Subject::Root)),
            }
        };
        let found = call.service.store.read(read).await?;
        found.ok_or_else(|| IamError::ForeignAccessKey {
            caller: call.caller.principal.arn.to_string(),
            id: input.access_key_id.clone(),
        })
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let action = "iam:GetAccessKeyLastUsed";
        let need = match found {
            Some(Subject::User(user)) => entity::need(action, call.account(), "", Some(&**user)),
            // Nobody's user: whoever may ask about every user may learn that the key is none of theirs.
            Some(Subject::Root) | None => entity::need::<User>(action, call.account(), "*", None),
        };
        // Whose it is, is what a refusal must not say.
        vec![need.shown_as(format!("access key {}", input.access_key_id))]
    }

    async fn run(
        input: Self::Input,
        subject: Permit<Subject>,
        call: &Call<'_, Iam>,
    ) -> Result<GetAccessKeyLastUsedOutput, IamError> {
        let last = call.service.last_uses.get(&call.service.store, Used::AccessKey(input.access_key_id)).await?;
        let unknown = || "N/A".to_owned();
        Ok(GetAccessKeyLastUsedOutput {
            user_name: Owner::of(subject.into_inner()).name(),
            access_key_last_used: match last {
                Some(last) => {
                    LastUsedView { last_used_date: Some(last.at), service_name: last.service, region: last.region }
                }
                None => LastUsedView { last_used_date: None, service_name: unknown(), region: unknown() },
            },
        })
    }
}
