//! Service-specific credentials: a user name and password with which a user reaches Git over HTTPS.
//!
//! The password is shown once. It is 256 random bits, so a plain hash of it tells nobody anything and costs a fetch or
//! push next to nothing to check.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{random_bytes, sha256};
use serde::{Serialize, Serializer};
use service::{AuditClass, Call, Need, Operation, Permit};
use store::{ReadTx, StoreError, Tx};
use wire::Timestamp;
use wire::shape::Rule;
use zeroize::Zeroizing;

use crate::Iam;
use crate::principals::subject::Subject;
use crate::records::access_key::Status;
use crate::records::entity::{self, Identity};
use crate::records::service_credential::{ServiceCredential, ServiceUserName};
use crate::records::user::User;
use crate::values::error::{IamError, Quota, Special};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::page::{self, Window};
use crate::values::unique_id::{self, Prefix};

/// The only service that has such credentials here.
const SERVICE: &str = "codecommit.amazonaws.com";

/// How many credentials a user can have for a service.
const CREDENTIALS_MAX: usize = 2;

/// Random bytes in a password: they make 44 characters of base64.
const PASSWORD_BYTES: usize = 32;

/// The rule of a credential's id.
const ID_LENGTH: Rule = Rule::Length(20, 128);

/// A password: wiped when dropped, shown by one answer.
struct Password(Zeroizing<String>);

impl Password {
    fn generate() -> Self {
        let mut random = Zeroizing::new([0_u8; PASSWORD_BYTES]);
        random_bytes(random.as_mut_slice());
        // Room for all of it: a string that grows would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(PASSWORD_BYTES.div_ceil(3) * 4));
        STANDARD.encode_string(random.as_slice(), &mut text);
        Self(text)
    }

    fn digest(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

/// A credential as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CredentialView {
    create_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<Timestamp>,
    service_name: &'static str,
    service_user_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CredentialOutput {
    service_specific_credential: CredentialView,
}

fn missing(id: &str) -> IamError {
    IamError::Missing(format!("Service specific credential {id} cannot be found."))
}

fn check_service(name: &str) -> Result<(), IamError> {
    if name == SERVICE {
        return Ok(());
    }
    Err(Special::NotSupportedService.error(format!("No such service {name} is supported for this operation")))
}

/// The user's credential with this id.
fn load(tx: &ReadTx<'_>, user: &Identity, id: &str) -> Result<ServiceCredential, IamError> {
    tx.get::<ServiceCredential>(&user.id, id)?.ok_or_else(|| missing(id))
}

/// The user that an operation with an optional `UserName` is about; the root user has no such credentials.
fn user_of(subject: Subject) -> Result<Identity, IamError> {
    match subject {
        Subject::User(user) => Ok(user.identity),
        Subject::Root => Err(IamError::Validation("Must specify userName when calling as the root user".to_owned())),
    }
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

impl Operation for CreateServiceSpecificCredential {
    type Service = Iam;
    const NAME: &'static str = "CreateServiceSpecificCredential";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateServiceSpecificCredentialInput;
    type Output = CredentialOutput;
    type Target = User;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<User, IamError> {
        call.service.entity(call.account(), &input.user_name).await
    }

    fn needs(input: &Self::Input, found: Option<&User>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let need = entity::need("iam:CreateServiceSpecificCredential", call.account(), &input.user_name, found);
        vec![need.with("iam:ServiceSpecificCredentialServiceName", input.service_name.clone())]
    }

    async fn run(input: Self::Input, user: Permit<User>, call: &Call<'_, Iam>) -> Result<CredentialOutput, IamError> {
        check_service(&input.service_name)?;
        let (known, now) = (user.into_inner().identity, call.now);
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
            Ok(CredentialOutput { service_specific_credential: view })
        })
        .await
    }
}

/// Takes a free user name for a credential: `ana-at-111122223333`, `ana+1-at-111122223333`, and so on.
fn take_name(tx: &mut Tx<'_>, user: &Identity, credential: &str) -> Result<String, IamError> {
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListCredentialsOutput {
    service_specific_credentials: Vec<CredentialView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// Whose credentials are listed.
pub(crate) enum Listing {
    All,
    Of(Subject),
}

pub(crate) struct ListServiceSpecificCredentials;

impl Operation for ListServiceSpecificCredentials {
    type Service = Iam;
    const NAME: &'static str = "ListServiceSpecificCredentials";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListServiceSpecificCredentialsInput;
    type Output = ListCredentialsOutput;
    type Target = Listing;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Listing, IamError> {
        if input.all_users == Some(true) {
            if input.user_name.is_some() {
                return Err(IamError::InvalidInput("UserName and AllUsers cannot both be given."));
            }
            return Ok(Listing::All);
        }
        Ok(Listing::Of(Subject::find(input.user_name.as_deref(), call).await?))
    }

    fn needs(input: &Self::Input, found: Option<&Listing>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let action = "iam:ListServiceSpecificCredentials";
        if input.all_users == Some(true) {
            let every = name::arn(Kind::User, call.account(), name::ROOT_PATH, "*");
            return vec![Need::identity(action, every.to_string())];
        }
        let found = found.and_then(|listing| if let Listing::Of(subject) = listing { Some(subject) } else { None });
        vec![Subject::need(action, input.user_name.as_deref(), found, call)]
    }

    async fn run(
        input: Self::Input,
        listing: Permit<Listing>,
        call: &Call<'_, Iam>,
    ) -> Result<ListCredentialsOutput, IamError> {
        if let Some(name) = &input.service_name {
            check_service(name)?;
        }
        let window = Window::new(input.marker, input.max_items);
        let (account, now) = (call.account().to_owned(), call.now);
        let listing = listing.into_inner();
        let read = move |tx: &ReadTx<'_>| match listing {
            Listing::Of(subject) => {
                let user = user_of(subject)?;
                let mut credentials = tx.all::<ServiceCredential>(&user.id)?;
                credentials.sort_by_key(|credential| credential.created);
                let views = credentials.into_iter().map(|one| CredentialView::of(one, user.name.clone(), now));
                window.cut(views.collect())
            }
            Listing::All => window.read::<ServiceUserName, _>(
                tx,
                &account,
                |entry| entry.service_user_name.clone(),
                |entry| {
                    let user = tx.get::<User>(&account, &entry.user)?;
                    let credential = tx.get::<ServiceCredential>(&entry.user, &entry.credential)?;
                    let pair = user.zip(credential);
                    Ok(pair.map(|(user, credential)| CredentialView::of(credential, user.identity.name, now)))
                },
            ),
        };
        let listed = call.service.store.read(read).await?;
        Ok(ListCredentialsOutput {
            is_truncated: listed.is_truncated(),
            service_specific_credentials: listed.items,
            marker: listed.marker,
        })
    }
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

impl Operation for UpdateServiceSpecificCredential {
    type Service = Iam;
    const NAME: &'static str = "UpdateServiceSpecificCredential";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateServiceSpecificCredentialInput;
    type Output = ();
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:UpdateServiceSpecificCredential", input.user_name.as_deref(), found, call)]
    }

    async fn run(input: Self::Input, subject: Permit<Subject>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        if input.status == Status::Expired {
            return Err(IamError::InvalidInput("A credential can be made Active or Inactive."));
        }
        let user = user_of(subject.into_inner())?;
        call.write(&call.service.store, move |tx| {
            let mut credential = load(tx, &user, &input.id)?;
            credential.status = input.status;
            Ok(tx.put(&user.id, &credential.id, &credential)?)
        })
        .await
    }
}

wire::shape! {
    /// The input of `ResetServiceSpecificCredential`.
    pub struct ResetServiceSpecificCredentialInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
        "ServiceSpecificCredentialId" id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
    }
}

pub(crate) struct ResetServiceSpecificCredential;

impl Operation for ResetServiceSpecificCredential {
    type Service = Iam;
    const NAME: &'static str = "ResetServiceSpecificCredential";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ResetServiceSpecificCredentialInput;
    type Output = CredentialOutput;
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:ResetServiceSpecificCredential", input.user_name.as_deref(), found, call)]
    }

    /// The old password ends with the answer that shows the new one.
    async fn run(
        input: Self::Input,
        subject: Permit<Subject>,
        call: &Call<'_, Iam>,
    ) -> Result<CredentialOutput, IamError> {
        let (user, now) = (user_of(subject.into_inner())?, call.now);
        call.write(&call.service.store, move |tx| {
            let mut credential = load(tx, &user, &input.id)?;
            let password = Password::generate();
            credential.digest = password.digest();
            tx.put(&user.id, &credential.id, &credential)?;
            let view = CredentialView::of(credential, user.name, now);
            let view = CredentialView { service_password: Some(password), ..view };
            Ok(CredentialOutput { service_specific_credential: view })
        })
        .await
    }
}

wire::shape! {
    /// The input of `DeleteServiceSpecificCredential`.
    pub struct DeleteServiceSpecificCredentialInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
        "ServiceSpecificCredentialId" id: String, required, [ID_LENGTH, Rule::Pattern(name::ID)];
    }
}

pub(crate) struct DeleteServiceSpecificCredential;

impl Operation for DeleteServiceSpecificCredential {
    type Service = Iam;
    const NAME: &'static str = "DeleteServiceSpecificCredential";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteServiceSpecificCredentialInput;
    type Output = ();
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:DeleteServiceSpecificCredential", input.user_name.as_deref(), found, call)]
    }

    async fn run(input: Self::Input, subject: Permit<Subject>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let user = user_of(subject.into_inner())?;
        call.write(&call.service.store, move |tx| {
            let credential = load(tx, &user, &input.id)?;
            tx.delete::<ServiceUserName>(&user.account, &credential.service_user_name)?;
            tx.delete::<ServiceCredential>(&user.id, &credential.id)?;
            Ok(())
        })
        .await
    }
}
