//! Login profiles: the passwords of users. The record and the operations on it.

use std::sync::{Arc, LazyLock};

use policy::{Kind as Grammar, Policy, PrincipalKind};
use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, Resource, ResourceOperation, ResourcePolicy};
use store::StoreError;
use wire::Timestamp;
use wire::shape::Rule;

use crate::Iam;
use crate::records::entity::{self, Identity};
use crate::records::login_profile::{LoginProfile, PROFILE, find};
use crate::records::password::{self, PasswordHash, PasswordInput, PasswordPolicy};
use crate::records::user::User;
use crate::resources::named::Named;
use crate::resources::subject::Subject;
use crate::values::answer::{Answer, Single};
use crate::values::error::{IamError, Result, Special};

/// How many earlier passwords are stored: as many as a policy can forbid.
const EARLIER_MAX: usize = 24;

fn missing(user: &str) -> IamError {
    IamError::Missing(format!("Login Profile for User {user} cannot be found."))
}

/// The account's policy and the user's login profile.
async fn before(call: &Call<'_, Iam>, user: &Identity) -> Result<(Option<PasswordPolicy>, Option<LoginProfile>)> {
    let (account, id) = (user.account.clone(), user.id.clone());
    call.service.store.read(move |tx| Ok((password::policy_of(tx, &account)?, find(tx, &id)?))).await
}

impl LoginProfile {
    /// The profile with another password.
    ///
    /// # Errors
    /// `PasswordPolicyViolation`.
    async fn with(mut self, new: &PasswordInput, policy: Option<&PasswordPolicy>, now: Timestamp) -> Result<Self> {
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
async fn replace(call: &Call<'_, Iam>, user: Identity, seen: Timestamp, new: LoginProfile) -> Result<()> {
    call.write(&call.service.store, move |tx| {
        let now = find(tx, &user.id)?.ok_or_else(|| missing(&user.name))?;
        if now.changed != seen {
            return Err(IamError::Taken("The password was changed at the same time.".to_owned()));
        }
        Ok(tx.put(&user.id, PROFILE, &new)?)
    })
    .await
}

/// A login profile as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProfileView {
    user_name: String,
    create_date: Timestamp,
    password_reset_required: bool,
}

impl Single for ProfileView {
    const MEMBER: &'static str = "LoginProfile";
}

impl ProfileView {
    const fn of(user_name: String, profile: &LoginProfile) -> Self {
        Self { user_name, create_date: profile.created, password_reset_required: profile.reset_required }
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

impl ResourceOperation for CreateLoginProfile {
    type On = Subject;
    const NAME: &'static str = "CreateLoginProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateLoginProfileInput;
    type Output = Answer<ProfileView>;

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let user = subject.user()?.clone();
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
                Ok(()) => Ok(Answer(ProfileView::of(name, &profile))),
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
    /// The input of `GetLoginProfile` and `DeleteLoginProfile`.
    pub struct LoginProfileInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 64)];
    }
}

pub(crate) struct GetLoginProfile;

impl ResourceOperation for GetLoginProfile {
    type On = Subject;
    const NAME: &'static str = "GetLoginProfile";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = LoginProfileInput;
    type Output = Answer<ProfileView>;

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(_: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let user = subject.user()?.clone();
        let (_, profile) = before(call, &user).await?;
        let profile = profile.ok_or_else(|| missing(&user.name))?;
        Ok(Answer(ProfileView::of(user.name, &profile)))
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

impl ResourceOperation for UpdateLoginProfile {
    type On = Named<User>;
    const NAME: &'static str = "UpdateLoginProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateLoginProfileInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.user_name
    }

    async fn run(input: Self::Input, user: &Permit<Named<User>>, call: &Call<'_, Iam>) -> Result<()> {
        let user = user.identity.clone();
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

pub(crate) struct DeleteLoginProfile;

impl ResourceOperation for DeleteLoginProfile {
    type On = Subject;
    const NAME: &'static str = "DeleteLoginProfile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = LoginProfileInput;
    type Output = ();

    fn key(input: &Self::Input) -> Option<&str> {
        input.user_name.as_deref()
    }

    async fn run(_: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<()> {
        let user = subject.user()?.clone();
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

/// The account's policy where users may change their own passwords: an explicit deny still counts.
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

impl Resource for Own {
    type Service = Iam;
    type Key<'a> = ();

    async fn find((): (), call: &Call<'_, Iam>) -> Result<Self> {
        if call.caller.principal.kind != PrincipalKind::User {
            return Err(Special::InvalidUserType.error("Only IAM Users can change their own password"));
        }
        let user = Subject::find(None, call).await?.user()?.clone();
        let (policy, profile) = before(call, &user).await?;
        Ok(Self { user, policy, profile })
    }

    fn need<'n>(&'n self, (): (), action: &'static str, call: &'n Call<'_, Iam>) -> Need<'n> {
        let need = Need::identity(action, call.caller.principal.arn.as_str());
        match self.policy.as_ref().is_some_and(|policy| policy.users_may_change) {
            true => need.guarded(ResourcePolicy::Shared(Arc::clone(&OWN_PASSWORD))),
            false => need,
        }
    }

    fn need_of_missing<'n>((): (), action: &'static str, call: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(Need::identity(action, call.caller.principal.arn.as_str()))
    }
}

pub(crate) struct ChangePassword;

impl ResourceOperation for ChangePassword {
    type On = Own;
    const NAME: &'static str = "ChangePassword";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ChangePasswordInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, own: &Permit<Own>, call: &Call<'_, Iam>) -> Result<()> {
        let (user, policy) = (own.user.clone(), own.policy.as_ref());
        let profile = own.profile.clone().ok_or_else(|| missing(&user.name))?;
        if !profile.password.matches(&input.old).await? {
            return Err(Special::WrongPassword.error("The old password was incorrect."));
        }
        let seen = profile.changed;
        let mut profile = profile.with(&input.new, policy, call.now).await?;
        profile.reset_required = false;
        replace(call, user, seen, profile).await
    }
}
