//! Login profiles: the passwords of users. The record and the operations on it.

use std::sync::{Arc, LazyLock};

use policy::{Kind as Grammar, Policy, PrincipalKind};
use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit, ResourcePolicy};
use store::StoreError;
use wire::Timestamp;
use wire::shape::Rule;

use crate::Iam;
use crate::principals::subject::Subject;
use crate::records::entity::{self, Identity};
use crate::records::login_profile::{LoginProfile, PROFILE, find};
use crate::records::password::{self, PasswordHash, PasswordInput, PasswordPolicy};
use crate::records::user::User;
use crate::values::error::{IamError, Special};

/// How many earlier passwords are kept: as many as a policy can forbid.
const EARLIER_MAX: usize = 24;

fn missing(user: &str) -> IamError {
    IamError::Missing(format!("Login Profile for User {user} cannot be found."))
}

/// The user that an operation with an optional `UserName` is about; the root user's password is not IAM's.
fn user_of(subject: Subject) -> Result<Identity, IamError> {
    match subject {
        Subject::User(user) => Ok(user.identity),
        Subject::Root => Err(IamError::Validation("Must specify userName when calling as the root user".to_owned())),
    }
}

/// The account's policy and the user's login profile.
async fn before(
    call: &Call<'_, Iam>,
    user: &Identity,
) -> Result<(Option<PasswordPolicy>, Option<LoginProfile>), IamError> {
    let (account, id) = (user.account.clone(), user.id.clone());
    call.service.store.read(move |tx| Ok((password::policy_of(tx, &account)?, find(tx, &id)?))).await
}

impl LoginProfile {
    /// The profile with another password.
    ///
    /// # Errors
    /// `PasswordPolicyViolation`.
    async fn with(
        mut self,
        new: &PasswordInput,
        policy: Option<&PasswordPolicy>,
        now: Timestamp,
    ) -> Result<Self, IamError> {
        password::check(policy, new)?;
        let remembered = policy.and_then(|policy| policy.remembered).unwrap_or(0);
        let remembered = usize::try_from(remembered).unwrap_or(EARLIER_MAX);
        for hash in std::iter::once(&self.password).chain(&self.earlier).take(remembered) {
            if hash.matches(new).await? {
                let message = "Password cannot be one of the last used";
                return Err(Special::PasswordPolicyViolation.error(message));
            }
        }
        let old = std::mem::replace(&mut self.password, PasswordHash::of(new).await?);
        self.earlier.insert(0, old);
        self.earlier.truncate(EARLIER_MAX);
        self.changed = now;
        Ok(self)
    }
}

/// Writes a changed profile, unless it was deleted or changed meanwhile.
async fn replace(call: &Call<'_, Iam>, user: Identity, seen: Timestamp, new: LoginProfile) -> Result<(), IamError> {
    call.write(&call.service.store, move |tx| {
        let now = find(tx, &user.id)?.ok_or_else(|| missing(&user.name))?;
        if now.changed != seen {
            return Err(IamError::Taken("The password was changed at the same time.".to_owned()));
        }
        Ok(tx.put(&user.id, PROFILE, &new)?)
    })
    .await
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProfileView {
    user_name: String,
    create_date: Timestamp,
    password_reset_required: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LoginProfileOutput {
    login_profile: ProfileView,
}

impl LoginProfileOutput {
    const fn of(user_name: String, profile: &LoginProfile) -> Self {
        let LoginProfile { created, reset_required, .. } = profile;
        let view = ProfileView { user_name, create_date: *created, password_reset_required: *reset_required };
        Self { login_profile: view }
    }
}

wire::shape! {
    /// The input of `CreateLoginProfile`.
    pub struct CreateLoginProfileInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
        "Password" password: PasswordInput, optional, [];
        "PasswordResetRequired" reset_required: bool, default, [];
    }
}

pub(crate) struct CreateLoginProfile;

impl Operation for CreateLoginProfile {
    type Service = Iam;
    const NAME: &'static str = "CreateLoginProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateLoginProfileInput;
    type Output = LoginProfileOutput;
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:CreateLoginProfile", input.user_name.as_deref(), found, call)]
    }

    async fn run(
        input: Self::Input,
        subject: Permit<Subject>,
        call: &Call<'_, Iam>,
    ) -> Result<LoginProfileOutput, IamError> {
        let user = user_of(subject.into_inner())?;
        let Some(new) = input.password else {
            return Err(IamError::Validation("A password is required.".to_owned()));
        };
        let (policy, _) = before(call, &user).await?;
        password::check(policy.as_ref(), &new)?;
        let profile = LoginProfile {
            created: call.now,
            changed: call.now,
            reset_required: input.reset_required,
            password: PasswordHash::of(&new).await?,
            earlier: Vec::new(),
        };
        call.write(&call.service.store, move |tx| {
            let user: User = entity::reload(tx, &user)?;
            let name = user.identity.name;
            match tx.insert(&user.identity.id, PROFILE, &profile) {
                Ok(()) => Ok(LoginProfileOutput::of(name, &profile)),
                Err(StoreError::Exists { .. }) => {
                    Err(IamError::Taken(format!("Login Profile for user {name} already exists.")))
                }
                Err(error) => Err(error.into()),
            }
        })
        .await
    }
}

wire::shape! {
    /// The input of `GetLoginProfile`.
    pub struct GetLoginProfileInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
    }
}

pub(crate) struct GetLoginProfile;

impl Operation for GetLoginProfile {
    type Service = Iam;
    const NAME: &'static str = "GetLoginProfile";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetLoginProfileInput;
    type Output = LoginProfileOutput;
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:GetLoginProfile", input.user_name.as_deref(), found, call)]
    }

    async fn run(
        _: Self::Input,
        subject: Permit<Subject>,
        call: &Call<'_, Iam>,
    ) -> Result<LoginProfileOutput, IamError> {
        let user = user_of(subject.into_inner())?;
        let (_, profile) = before(call, &user).await?;
        let profile = profile.ok_or_else(|| missing(&user.name))?;
        Ok(LoginProfileOutput::of(user.name, &profile))
    }
}

wire::shape! {
    /// The input of `UpdateLoginProfile`.
    pub struct UpdateLoginProfileInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "Password" password: PasswordInput, optional, [];
        "PasswordResetRequired" reset_required: bool, optional, [];
    }
}

pub(crate) struct UpdateLoginProfile;

impl Operation for UpdateLoginProfile {
    type Service = Iam;
    const NAME: &'static str = "UpdateLoginProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateLoginProfileInput;
    type Output = ();
    type Target = User;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<User, IamError> {
        call.service.entity(call.account(), &input.user_name).await
    }

    fn needs(input: &Self::Input, found: Option<&User>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:UpdateLoginProfile", call.account(), &input.user_name, found)]
    }

    async fn run(input: Self::Input, user: Permit<User>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let user = user.into_inner().identity;
        let (policy, profile) = before(call, &user).await?;
        let mut profile = profile.ok_or_else(|| missing(&user.name))?;
        let seen = profile.changed;
        if let Some(new) = &input.password {
            profile = profile.with(new, policy.as_ref(), call.now).await?;
        }
        profile.reset_required = input.reset_required.unwrap_or(profile.reset_required);
        replace(call, user, seen, profile).await
    }
}

wire::shape! {
    /// The input of `DeleteLoginProfile`.
    pub struct DeleteLoginProfileInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
    }
}

pub(crate) struct DeleteLoginProfile;

impl Operation for DeleteLoginProfile {
    type Service = Iam;
    const NAME: &'static str = "DeleteLoginProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteLoginProfileInput;
    type Output = ();
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:DeleteLoginProfile", input.user_name.as_deref(), found, call)]
    }

    async fn run(_: Self::Input, subject: Permit<Subject>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let user = user_of(subject.into_inner())?;
        call.write(&call.service.store, move |tx| match tx.delete::<LoginProfile>(&user.id, PROFILE)? {
            true => Ok(()),
            false => Err(missing(&user.name)),
        })
        .await
    }
}

wire::shape! {
    /// The input of `ChangePassword`.
    pub struct ChangePasswordInput {
        "OldPassword" old: PasswordInput, required, [];
        "NewPassword" new: PasswordInput, required, [];
    }
}

/// What the account says when its password policy lets users change their own passwords: an explicit deny still counts.
#[expect(clippy::expect_used, reason = "the document is part of the program and every test of this file reads it")]
static OWN_PASSWORD: LazyLock<Arc<Policy>> = LazyLock::new(|| {
    let document = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":"*","Action":"iam:ChangePassword","Resource":"*"}]}"#;
    Arc::new(Policy::parse(document, Grammar::Resource).expect("a policy"))
});

/// The caller, and the account's rules for passwords.
pub(crate) struct Own {
    user: Identity,
    policy: Option<PasswordPolicy>,
    profile: Option<LoginProfile>,
}

pub(crate) struct ChangePassword;

impl Operation for ChangePassword {
    type Service = Iam;
    const NAME: &'static str = "ChangePassword";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ChangePasswordInput;
    type Output = ();
    type Target = Own;

    async fn find(_: &Self::Input, call: &Call<'_, Iam>) -> Result<Own, IamError> {
        if call.caller.principal.kind != PrincipalKind::User {
            return Err(Special::InvalidUserType.error("Only IAM Users can change their own password"));
        }
        let user = user_of(Subject::find(None, call).await?)?;
        let (policy, profile) = before(call, &user).await?;
        Ok(Own { user, policy, profile })
    }

    fn needs(_: &Self::Input, found: Option<&Own>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let need = Need::identity("iam:ChangePassword", call.caller.principal.arn.to_string());
        let policy = found.and_then(|own| own.policy.as_ref());
        match policy.is_some_and(|policy| policy.users_may_change) {
            true => vec![need.guarded(ResourcePolicy::Shared(Arc::clone(&OWN_PASSWORD)))],
            false => vec![need],
        }
    }

    async fn run(input: Self::Input, own: Permit<Own>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let Own { user, policy, profile } = own.into_inner();
        let profile = profile.ok_or_else(|| missing(&user.name))?;
        if !profile.password.matches(&input.old).await? {
            return Err(Special::WrongPassword.error("The old password was incorrect."));
        }
        let seen = profile.changed;
        let mut profile = profile.with(&input.new, policy.as_ref(), call.now).await?;
        profile.reset_required = false;
        replace(call, user, seen, profile).await
    }
}
