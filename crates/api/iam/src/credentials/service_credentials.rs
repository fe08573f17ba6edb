//! Service-specific credentials: a user name and password with which a user reaches Git over HTTPS.

use serde::Serialize;
use service::{AuditClass, Call, Listed, Need, Permit, Resource, ResourceOperation, Window};
use store::{ReadTx, StoreError, Tx};
use wire::Timestamp;
use wire::shape::Rule;

use crate::Iam;
use crate::credentials::service_password::Password;
use crate::records::access_key::Status;
use crate::records::entity::{self, Identity};
use crate::records::service_credential::{ServiceCredential, ServiceUserName};
use crate::records::user::User;
use crate::resources::named::Named;
use crate::resources::subject::Subject;
use crate::values::answer::{Answer, Single};
use crate::values::error::{IamError, Quota, Result, Special};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::page::{self, Item, Page};
use crate::values::unique_id::{self, Prefix};

/// The only service that has such credentials here.
const SERVICE: &str = "codecommit.amazonaws.com";

/// How many credentials a user can have for a service.
const CREDENTIALS_MAX: usize = 2;

/// The rule of a credential's id.
const ID_LENGTH: Rule = Rule::Length(20, 128);

/// A credential as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CredentialView {
    create_date: Timestamp,
    expiration_date: Option<Timestamp>,
    service_name: &'static str,
    service_user_name: String,
    service_password: Option<Password>,
    service_specific_credential_id: String,
    user_name: String,
    status: Status,
}

impl CredentialView {
    fn of(credential: ServiceCredential, user_name: String, now: Timestamp) -> Self {
        Self {
            status: credential.status_at(now),
            create_date: credential.created,
            expiration_date: credential.expires,
            service_name: SERVICE,
            service_user_name: credential.service_user_name,
            service_password: None,
            service_specific_credential_id: credential.id,
            user_name,
        }
    }
}

impl Single for CredentialView {
    const MEMBER: &'static str = "ServiceSpecificCredential";
}

impl Item for CredentialView {
    const LIST: &'static str = "ServiceSpecificCredentials";
}

fn missing(id: &str) -> IamError {
    IamError::Missing(format!("Service specific credential {id} cannot be found."))
}

fn check_service(name: &str) -> Result<()> {
    if name == SERVICE {
        return Ok(());
    }
    Err(Special::NotSupportedService.error(format!("No such service {name} is supported for this operation")))
}

/// The user's credential with this id.
fn load(tx: &ReadTx<'_>, user: &Identity, id: &str) -> Result<ServiceCredential> {
    tx.get::<ServiceCredential>(&user.id, id)?.ok_or_else(|| missing(id))
}

wire::shape! {
    /// The input of `CreateServiceSpecificCredential`.
    pub struct CreateServiceSpecificCredentialInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "ServiceName" service_name: String, required, [];
        "CredentialAgeDays" age_days: u32, optional, [Rule::Range(1, 36_600)];
    }
}

pub(crate) struct CreateServiceSpecificCredential;

impl ResourceOperation for CreateServiceSpecificCredential {
    type On = Named<User>;
    const NAME: &'static str = "CreateServiceSpecificCredential";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateServiceSpecificCredentialInput;
    type Output = Answer<CredentialView>;

    fn key(input: &Self::Input) -> &str {
        &input.user_name
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Named<User>>, need: Need<'n>) -> Need<'n> {
        need.with("iam:ServiceSpecificCredentialServiceName", input.service_name.as_str())
    }

    async fn run(input: Self::Input, user: &Permit<Named<User>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        check_service(&input.service_name)?;
        let (known, now) = (user.identity.clone(), call.now);
        let expires = input.age_days.map(|days| now.plus_days(i64::from(days)));
        call.write(&call.service.store, move |tx| {
            let user: User = entity::reload(tx, &known)?;
            if tx.all::<ServiceCredential>(&known.id)?.len() >= CREDENTIALS_MAX {
                let quota = Quota::Count { name: "ServiceSpecificCredentialsPerUser", limit: CREDENTIALS_MAX };
                return Err(IamError::LimitExceeded(quota));
            }
            let password = Password::generate();
            let id = unique_id::generate(Prefix::ServiceCredential);
            let service_user_name = take_name(tx, &user.identity, &id)?;
            let (digest, status) = (password.digest(), Status::Active);
            let credential = ServiceCredential { id, service_user_name, digest, status, created: now, expires };
            tx.insert(&known.id, &credential.id, &credential)?;
            let view = CredentialView::of(credential, user.identity.name, now);
            let view = CredentialView { service_password: Some(password), ..view };
            Ok(Answer(view))
        })
        .await
    }
}

/// Takes a free user name for a credential: `ana-at-111122223333`, `ana+1-at-111122223333`, and so on.
fn take_name(tx: &mut Tx<'_>, user: &Identity, credential: &str) -> Result<String> {
    // Others may have names like this one's, or had it before it was given to this user.
    for number in 0..1000 {
        let plus = if number == 0 { String::new() } else { format!("+{number}") };
        let name = format!("{}{plus}-at-{}", user.name, user.account);
        let entry =
            ServiceUserName { service_user_name: name, user: user.id.clone(), credential: credential.to_owned() };
        match tx.insert(&user.account, &entry.service_user_name, &entry) {
            Ok(()) => return Ok(entry.service_user_name),
            Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(IamError::Taken(format!("No user name is free for a credential of {}.", user.name)))
}

wire::shape! {
    /// The input of `ListServiceSpecificCredentials`.
    pub struct ListServiceSpecificCredentialsInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
        "ServiceName" service_name: String, optional, [];
        "AllUsers" all_users: bool, optional, [];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

/// The users whose credentials are listed.
pub(crate) enum Listing {
    All,
    Of(Subject),
}

impl Resource for Listing {
    type Service = Iam;
    type Key<'a> = &'a ListServiceSpecificCredentialsInput;

    async fn find<'a>(input: Self::Key<'a>, call: &'a Call<'_, Iam>) -> Result<Self> {
        if input.all_users != Some(true) {
            return Ok(Self::Of(Subject::find(input.user_name.as_deref(), call).await?));
        }
        match input.user_name {
            Some(_) => Err(IamError::InvalidInput("UserName and AllUsers cannot both be given.")),
            None => Ok(Self::All),
        }
    }

    fn need<'n>(&'n self, input: Self::Key<'n>, action: &'static str, call: &'n Call<'_, Iam>) -> Need<'n> {
        match self {
            Self::All => every_user(action, call),
            Self::Of(subject) => subject.need(input.user_name.as_deref(), action, call),
        }
    }

    fn need_of_missing<'n>(input: Self::Key<'n>, action: &'static str, call: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        match input.all_users {
            Some(true) => Some(every_user(action, call)),
            _ => Subject::need_of_missing(input.user_name.as_deref(), action, call),
        }
    }
}

fn every_user(action: &'static str, call: &Call<'_, Iam>) -> Need<'static> {
    Need::identity(action, name::arn(Kind::User, call.account(), name::ROOT_PATH, "*").to_string())
}

pub(crate) struct ListServiceSpecificCredentials;

impl ResourceOperation for ListServiceSpecificCredentials {
    type On = Listing;
    const NAME: &'static str = "ListServiceSpecificCredentials";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListServiceSpecificCredentialsInput;
    type Output = Page<CredentialView>;

    fn key(input: &Self::Input) -> &Self::Input {
        input
    }

    async fn run(input: Self::Input, listing: &Permit<Listing>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        if let Some(name) = &input.service_name {
            check_service(name)?;
        }
        let user = match &**listing {
            Listing::All => None,
            Listing::Of(subject) => Some(subject.user()?.clone()),
        };
        let (account, now) = (call.account().to_owned(), call.now);
        let window = page::window(input.marker, input.max_items);
        let read = move |tx: &ReadTx<'_>| -> Result<_> {
            match user {
                Some(user) => of_user(tx, &user, now, window),
                None => of_account(tx, &account, now, window),
            }
        };
        Ok(call.service.store.read(read).await?.into())
    }
}

/// A page of a user's credentials, the oldest first.
fn of_user(tx: &ReadTx<'_>, user: &Identity, now: Timestamp, window: Window) -> Result<Listed<CredentialView>> {
    let mut credentials = tx.all::<ServiceCredential>(&user.id)?;
    credentials.sort_by_key(|credential| credential.created);
    let views = credentials.into_iter().map(|one| CredentialView::of(one, user.name.clone(), now));
    Ok(window.by_count(views.collect())?)
}

/// A page of the credentials of all users.
fn of_account(tx: &ReadTx<'_>, account: &str, now: Timestamp, window: Window) -> Result<Listed<CredentialView>> {
    let id = |entry: &ServiceUserName| entry.service_user_name.clone();
    let view = |entry: ServiceUserName| -> Result<_> {
        let user = tx.get::<User>(account, &entry.user)?;
        let credential = tx.get::<ServiceCredential>(&entry.user, &entry.credential)?;
        let pair = user.zip(credential);
        Ok(pair.map(|(user, credential)| CredentialView::of(credential, user.identity.name, now)))
    };
    window.filtered(tx, account, page::SCANNED_MAX, id, view)
}

wire::shape! {
    /// The input of `UpdateServiceSpecificCredential`.
    pub struct UpdateServiceSpecificCredentialInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
        "ServiceSpecificCredentialId" id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
        "Status" status: Status, required, [];
    }
}

pub(crate) struct UpdateServiceSpecificCredential;

impl ResourceOperation for UpdateServiceSpecificCredential {
    type On = Subject;
    const NAME: &'static str = "UpdateServiceSpecificCredential";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateServiceSpecificCredentialInput;
    type Output = ();

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<()> {
        input.status.check_given("A credential can be made Active or Inactive.")?;
        let user = subject.user()?.clone();
        call.write(&call.service.store, move |tx| {
            let mut credential = load(tx, &user, &input.id)?;
            credential.status = input.status;
            Ok(tx.put(&user.id, &credential.id, &credential)?)
        })
        .await
    }
}

wire::shape! {
    /// The input of `ResetServiceSpecificCredential` and `DeleteServiceSpecificCredential`.
    pub struct CredentialInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
        "ServiceSpecificCredentialId" id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
    }
}

pub(crate) struct ResetServiceSpecificCredential;

impl ResourceOperation for ResetServiceSpecificCredential {
    type On = Subject;
    const NAME: &'static str = "ResetServiceSpecificCredential";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CredentialInput;
    type Output = Answer<CredentialView>;

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    /// The old password ends with the answer that shows the new one.
    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let (user, now) = (subject.user()?.clone(), call.now);
        call.write(&call.service.store, move |tx| {
            let mut credential = load(tx, &user, &input.id)?;
            let password = Password::generate();
            credential.digest = password.digest();
            tx.put(&user.id, &credential.id, &credential)?;
            let view = CredentialView::of(credential, user.name, now);
            let view = CredentialView { service_password: Some(password), ..view };
            Ok(Answer(view))
        })
        .await
    }
}

pub(crate) struct DeleteServiceSpecificCredential;

impl ResourceOperation for DeleteServiceSpecificCredential {
    type On = Subject;
    const NAME: &'static str = "DeleteServiceSpecificCredential";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CredentialInput;
    type Output = ();

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<()> {
        let user = subject.user()?.clone();
        call.write(&call.service.store, move |tx| {
            let credential = load(tx, &user, &input.id)?;
            tx.delete::<ServiceUserName>(&user.account, &credential.service_user_name)?;
            tx.delete::<ServiceCredential>(&user.id, &credential.id)?;
            Ok(())
        })
        .await
    }
}
